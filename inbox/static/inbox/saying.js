// While one writes: after / the saved replies and macros, after @ in a note the colleagues and teams.
import { $ } from "../ui/js/dom.js";
import { call } from "../ui/js/http.js";
import { toast } from "../ui/js/toast.js";
import { t } from "../ui/js/words.js";
import { failed } from "./actions.js";
import { fold, Mentions, named, Suggest } from "./suggest.js";

const FRESH = 60_000; // ms for which a list of them is good

export function start({ store, composer, later, slug }) {
  const form = document.forms.composer, body = form.elements.body, list = $('[data-part="saying"]', form);
  const base = `/api/v1/workspaces/${slug}/`;
  let replies = [], asked = 0;

  store.addEventListener("setting", () => { asked = 0; });

  async function saved() {
    if (Date.now() - asked > FRESH) {
      replies = (await call("GET", `${base}saved-replies/`)).results;
      asked = Date.now();
    }
    return replies;
  }

  /** Its blanks are filled by the server for this conversation; what stayed empty is said. */
  async function take(reply) {
    try {
      const { text: words, missing } = await call("POST", `${base}saved-replies/${reply.id}/preview`, { conversation: store.open });
      if (missing.length) toast(t("missing", { names: missing.join(", ") }), { tone: "danger" });
      return words;
    } catch (problem) {
      failed("failed.reply", problem);
      return `/${reply.shortcut}`;
    }
  }

  const fits = (word, ...texts) => !word || texts.some((one) => fold(one).includes(word));

  const texts = {
    sign: "/",
    when: () => store.can.has("reply"),
    async find(word) {
      const [mine, macros] = await Promise.all([saved(), later("macros").then((module) => module.all())].map((ask) => ask.catch(() => [])));
      const first = ({ shortcut }) => (fold(shortcut).startsWith(word) ? 0 : 1);
      const found = mine.filter(({ shortcut, title }) => fits(word, shortcut, title)).sort((a, b) => first(a) - first(b));
      return [
        ...found.map((reply) => ({ title: `/${reply.shortcut}`, more: reply.title, preview: reply.body, take: () => take(reply) })),
        ...macros.filter(({ name }) => fits(word, name)).map(({ id, name }) => ({ title: name, more: t("macro"), take: async () => { (await later("macros")).open(id); return ""; } })),
      ];
    },
  };
  const mentions = new Mentions(() => named(store), () => composer.mode === "note");
  const suggest = new Suggest(body, list, [texts, mentions], { most: 50 });
  composer.mentions = mentions;
  if (document.activeElement === body) suggest.offer(); // typed before this came

  return {
    /** The button: as if one had typed the sign. */
    "saying-open"() {
      composer.focus(composer.mode);
      const { value, selectionStart: at } = body;
      body.setRangeText(at && !/\s/.test(value[at - 1]) ? " /" : "/", at, at, "end");
      body.dispatchEvent(new Event("input", { bubbles: true }));
    },
    suggest,
  };
}
