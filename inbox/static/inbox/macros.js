// Macros: several steps with one name. What it will do is shown before it does it.
import { $, clone, fields, show, text } from "../ui/js/dom.js";
import { call } from "../ui/js/http.js";
import { exact, moment } from "../ui/js/time.js";
import { toast } from "../ui/js/toast.js";
import { t } from "../ui/js/words.js";
import { failed } from "./actions.js";
import { menuEntry } from "./standing.js";

const FRESH = 60_000; // ms for which a list of them is good

export function start({ store, thread, later, slug }) {
  const base = `/api/v1/workspaces/${slug}/`;
  const dialog = $("#dialog-macro"), form = dialog && $("form", dialog), parts = dialog && fields(dialog);
  let macros = [], asked = 0, chosen = null;

  store.addEventListener("setting", () => { asked = 0; });

  async function all() {
    if (Date.now() - asked > FRESH) {
      macros = (await call("GET", `${base}macros/`)).results;
      asked = Date.now();
    }
    return macros;
  }

  async function menu() {
    try {
      asked = 0;
      const entries = (await all()).map(({ id, name }) => menuEntry({ act: "macros-open", value: id, title: name }));
      if (!entries.length) return toast(t("macros.none"), { tone: "info" });
      $('[data-part="entries"]', $("#menu-macros")).replaceChildren(...entries);
      return $("#menu-macros").showPopover({ source: $('[popovertarget="menu-thread"]') });
    } catch (problem) {
      return failed("failed.macro", problem);
    }
  }

  /** Step by step what it would do here, with the blanks filled in. */
  async function open(id) {
    const conversation = store.open, macro = macros.find((one) => one.id === id);
    if (!conversation || !macro) return;
    try {
      const { steps } = await call("POST", `${base}macros/${id}/preview`, { conversation });
      const names = await (await later("filters")).choices().catch(() => null);
      if (store.open !== conversation) return;
      chosen = { id, conversation, name: macro.name, client: crypto.randomUUID() };
      text(parts.name, macro.name);
      parts.steps.replaceChildren(...steps.map((step) => line(step, names)));
      const missing = [...new Set(steps.flatMap((step) => step.missing))];
      show(parts.missing, missing.length);
      text(parts["missing-word"], t("missing", { names: missing.join(", ") }));
      dialog.showModal();
      $('[type="submit"]', form).focus();
    } catch (problem) {
      failed("failed.macro", problem);
    }
  }

  function line({ do: kind, value, text: words }, names) {
    const element = clone("macro-step"), part = fields(element);
    text(part.kind, t(`step.${kind}`));
    text(part.value, words ?? said(kind, value, names));
    return element;
  }

  function said(kind, value, names) {
    if (kind === "assign") return value === null ? t("nobody") : value === "me" ? store.me.name : store.agents.find(({ id }) => id === value)?.name ?? "";
    if (kind === "team") return names?.team.find(([id]) => id === (value ?? "none"))?.[1] ?? "";
    if (kind === "status") return t(`state.${value}`);
    if (kind === "priority") return t(`priority.${value}`);
    if (kind === "snooze") return value ? exact(moment(value)) : t("step.until-reply");
    return [value].flat().join(", ");
  }

  form?.addEventListener("submit", async (event) => {
    event.preventDefault();
    const { id, conversation, name, client } = chosen, button = $('[type="submit"]', form);
    button.disabled = true;
    try {
      const done = await call("POST", `${base}conversations/${conversation}/macros/${id}`, { client_id: client });
      dialog.close();
      store.learn(done.conversation);
      for (const message of done.messages) store.hearAnswer(conversation, message);
      if (store.open === conversation) thread.toFoot();
      toast(t("done.macro", { name }));
    } catch (problem) {
      dialog.close();
      failed("failed.macro", problem);
    } finally {
      button.disabled = false;
    }
  });

  return {
    "macros-menu": menu,
    "macros-open": ({ dataset }) => open(dataset.value),
    all,
    open,
    commands: async () => (store.open && store.can.has("reply")
      ? [...(await all()).map(({ id, name }) => ({ title: t("do.macro", { name }), icon: "bolt", group: t("group.conversation"), run: () => open(id) }))]
      : []),
  };
}
