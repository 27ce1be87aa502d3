// Writing first: somebody is looked for, a channel chosen; the conversation that there is opens, or a new one.
import { $, $$, attribute, clone, fields, show, text } from "../ui/js/dom.js";
import { call } from "../ui/js/http.js";
import { nameOf } from "../ui/js/people.js";
import { t } from "../ui/js/words.js";

const WAIT = 200; // ms of rest before the server is asked
const MOST = 6;

export function start({ store, open, composer, slug }) {
  const base = `/api/v1/workspaces/${slug}/`;
  const dialog = $("#dialog-begin"), form = $("form", dialog), parts = fields(dialog);
  const { who, channel } = form.elements, button = $('[type="submit"]', form);
  let people = [], roads = [], at = 0, chosen = null, timer, asking = new AbortController();

  function ask(contact) {
    form.reset();
    people = [];
    complain(null);
    draw();
    dialog.showModal();
    who.focus();
    pick(contact);
  }

  function complain(problem) {
    show(parts.problem, problem);
    text(parts.problem, Object.values(problem?.data?.errors ?? {})[0] ?? problem?.message);
  }

  /** The channels that reach them, the open conversation before all others. */
  async function pick(person) {
    chosen = person ?? null;
    offer([]);
    if (!chosen) return;
    who.value = nameOf(chosen);
    const { id } = chosen;
    try {
      const { results } = await call("GET", `${base}contacts/${id}/channels`);
      if (chosen?.id !== id) return;
      offer(results);
      if (!results.length) complain({ message: t("begin.unreachable") });
      else if (dialog.contains(document.activeElement)) (results.length > 1 ? channel : button).focus();
    } catch (problem) {
      complain(problem);
    }
  }

  function offer(found) {
    roads = found;
    const twoWays = (slug) => roads.filter((road) => road.channel.slug === slug).length > 1;
    channel.replaceChildren(...roads.map(({ channel: { slug, name }, via, address, is_open: going }) => {
      const ways = twoWays(slug);
      return new Option([name, ways && t(`via.${via}`), address.replace(/^whatsapp:/, "").replace(/^(?=\d{8})/, "+"), going && t("begin.open")].filter(Boolean).join(" · "), ways ? `${slug} ${via}` : slug);
    }));
    channel.disabled = button.disabled = !roads.length;
  }

  function typed() {
    clearTimeout(timer);
    asking.abort();
    asking = new AbortController();
    pick(null);
    complain(null);
    const words = who.value.trim(), { signal } = asking;
    if (words.length < 2) { people = []; return draw(); }
    timer = setTimeout(async () => {
      try {
        people = (await call("GET", `${base}search/?q=${encodeURIComponent(words)}`, undefined, { signal })).contacts.slice(0, MOST);
        draw(people.length ? "" : t("begin.none"));
      } catch (problem) {
        if (!signal.aborted) complain(problem);
      }
    }, WAIT);
  }

  function draw(said = "") {
    at = 0;
    parts.people.replaceChildren(...people.map((person, index) => {
      const row = clone("suggestion"), part = fields(row);
      row.id = `begin-${index}`;
      text(part.title, nameOf(person) || t("nameless"));
      text(part.more, [person.name ? person.phone : "", person.email].filter(Boolean).join(" · "));
      return row;
    }));
    text(parts.none, said);
    show(parts.none, said);
    point();
  }

  function point() {
    const rows = $$('[role="option"]', parts.people);
    rows.forEach((row, index) => attribute(row, "aria-selected", String(index === at)));
    attribute(who, "aria-activedescendant", rows[at]?.id);
  }

  function take(index) {
    const person = people[index];
    people = [];
    draw();
    pick(person);
  }

  who.addEventListener("input", typed);
  who.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && people.length) { at = (at + step + people.length) % people.length; point(); }
    else if (event.key === "Enter" && people.length) take(at);
    else return;
    event.preventDefault();
  });
  parts.people.addEventListener("click", ({ target }) => {
    const row = target.closest('[role="option"]');
    if (row) take([...parts.people.children].indexOf(row));
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!chosen || !channel.value) return;
    button.disabled = true;
    try {
      const road = roads[channel.selectedIndex], [slug, via] = channel.value.split(" ");
      // In a web chat nobody is written to first: only what is there goes on.
      const id = road.via ? await begun(slug, via) : road.conversation;
      dialog.close();
      open(id);
      composer.focus("reply");
    } catch (problem) {
      complain(problem);
    } finally {
      button.disabled = !roads.length;
    }
  });

  async function begun(channel, via) {
    const row = await call("POST", `${base}conversations/`, { contact: chosen.id, channel, ...(via ? { via } : {}) });
    store.learn(row);
    return row.id;
  }

  return {
    "begin-open": () => ask(null),
    /** From a contact's page, which knows only the id. */
    "begin-with": async (id) => { const contact = await call("GET", `${base}contacts/${id}/`).catch(() => null); return ask(contact); },
  };
}
