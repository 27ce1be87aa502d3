// What is done less often: a message forwarded, reacted to or taken out, who takes part, two conversations made one, a
// contact blocked, the thread as a file; and the thread's messages by keys.
import { $, $$, attribute, clone, fields, show, text } from "../ui/js/dom.js";
import { call } from "../ui/js/http.js";
import { whileBusy } from "../ui/js/once.js";
import { nameOf } from "../ui/js/people.js";
import { paint } from "../ui/js/time.js";
import { toast } from "../ui/js/toast.js";
import { t } from "../ui/js/words.js";
import { failed } from "./actions.js";
import { preview } from "./list.js";
import { menuEntry } from "./standing.js";

const WAIT = 200; // ms of rest before the server is asked
const MOST = 6;

export function start({ store, api, open, slug }) {
  const base = `/api/v1/workspaces/${slug}/`;
  const of = (id, rest = "") => `${base}conversations/${id}/${rest}`;
  const log = $('[data-part="log"]'), list = $('[data-part="messages"]');
  const here = () => store.conversations.get(store.open);

  function menu(title, entries) {
    const element = $("#menu-further");
    attribute(element, "aria-label", title);
    text($(".menu-title", element), title);
    $('[data-part="entries"]', element).replaceChildren(...entries);
    element.showPopover({ source: $('[popovertarget="menu-thread"]') });
  }

  async function react({ id, message, emoji }) {
    try {
      store.hearAnswer(id, await api.send(id, { client_id: crypto.randomUUID(), type: "reaction", body: emoji, reply_to: message.id }));
    } catch (problem) {
      failed("failed.react", problem);
    }
  }

  // --- messages ----------------------------------------------------------------------------------------------------

  const rows = () => $$(".message", list);

  /** Each can have the focus, so that its buttons can be reached; Tab goes to them. */
  function step(to) {
    const row = rows().at(to);
    if (!row) return;
    for (const other of $$('[tabindex="0"]', list)) if (other.matches(".message")) other.tabIndex = -1;
    row.tabIndex = 0;
    row.focus();
    row.scrollIntoView({ block: "nearest" });
  }

  log.addEventListener("keydown", (event) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key], row = event.target.closest(".message");
    if (!by || !row || event.ctrlKey || event.metaKey || event.altKey) return;
    const all = rows(), to = all.indexOf(row) + by;
    if (all[to]) step(to);
    event.preventDefault();
  });

  const messageOf = (button) => store.threads.get(store.open)?.messages.get(button.closest(".message").dataset.messageId);

  async function remove(button) {
    const message = messageOf(button), id = store.open;
    if (!message) return;
    const at = rows().findIndex((row) => row.contains(button));
    try {
      await call("DELETE", of(id, `messages/${message.id}/`));
      store.hear(id, { id: message.id, deleted: true });
      toast(t("done.deleted"), { action: t("undo"), act: () => back(id, message) });
      requestAnimationFrame(() => step(Math.min(at, rows().length - 1)));
    } catch (problem) {
      failed("failed.delete", problem);
    }
  }

  async function back(id, { id: message }) {
    try {
      store.hear(id, await call("POST", of(id, `messages/${message}/restore`), {}));
    } catch (problem) {
      failed("failed.delete", problem);
    }
  }

  // --- forwarding --------------------------------------------------------------------------------------------------

  const dialog = $("#dialog-forward"), form = dialog && $("form", dialog), parts = dialog && fields(dialog);
  let forwarded = null, found = [], at = 0, timer, asking = new AbortController();

  function forward(button) {
    const message = messageOf(button);
    if (!message) return;
    forwarded = { conversation: store.open, message: message.id, client: crypto.randomUUID() };
    form.reset();
    found = [];
    text(parts.words, preview(message));
    complain(null);
    draw();
    dialog.showModal();
    form.elements.to.focus();
  }

  function complain(problem) {
    show(parts.problem, problem);
    text(parts.problem, Object.values(problem?.data?.errors ?? {})[0] ?? problem?.message);
  }

  function typed() {
    clearTimeout(timer);
    asking.abort();
    asking = new AbortController();
    const words = form.elements.to.value.trim(), { signal } = asking;
    if (words.length < 2) { found = []; return draw(); }
    timer = setTimeout(async () => {
      try {
        found = (await api.search(words, signal)).results.filter(({ id }) => id !== forwarded.conversation).slice(0, MOST);
        draw(found.length ? "" : t("forward.none"));
      } catch (problem) {
        if (!signal.aborted) complain(problem);
      }
    }, WAIT);
  }

  function draw(said = "") {
    at = 0;
    parts.found.replaceChildren(...found.map((row, index) => {
      const element = clone("suggestion"), part = fields(element);
      element.id = `forward-${index}`;
      text(part.title, nameOf(row.contact) || t("nameless"));
      text(part.more, [row.channel.name, t(`state.${row.status}`)].join(" · "));
      return element;
    }));
    text(parts.none, said);
    show(parts.none, said);
    point();
  }

  function point() {
    const options = $$('[role="option"]', parts.found);
    options.forEach((row, index) => attribute(row, "aria-selected", String(index === at)));
    attribute(form.elements.to, "aria-activedescendant", options[at]?.id);
  }

  async function send(row) {
    if (!row) return;
    const { conversation, message, client } = forwarded;
    try {
      await call("POST", of(conversation, `messages/${message}/forward`), { conversation: row.id, client_id: client });
      dialog.close();
      toast(t("done.forwarded", { name: nameOf(row.contact) || t("nameless") }), { action: t("do.open"), act: () => open(row.id) });
    } catch (problem) {
      complain(problem);
    }
  }

  form?.elements.to.addEventListener("input", typed);
  form?.elements.to.addEventListener("keydown", (event) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by && found.length) { at = (at + by + found.length) % found.length; point(); }
    else if (event.key === "Enter") send(found[at]);
    else return;
    event.preventDefault();
  });
  parts?.found.addEventListener("click", ({ target }) => {
    const row = target.closest('[role="option"]');
    if (row) send(found[[...parts.found.children].indexOf(row)]);
  });

  // --- two become one ----------------------------------------------------------------------------------------------

  const joining = $("#dialog-merge"), others = joining && fields(joining);

  async function merge() {
    const row = here();
    try {
      const { results } = await api.ofContact(row.contact.id);
      const able = results.filter(({ id, channel, is_spam: spam }) => id !== row.id && channel.id === row.channel.id && !spam);
      if (!able.length) return toast(t("merge.none"), { tone: "info" });
      others.list.replaceChildren(...able.map((one, index) => {
        const element = clone("merge-choice"), part = fields(element);
        Object.assign($("input", element), { value: one.id, checked: index === 0 });
        text(part.line, preview(one.last_message) || one.channel.name);
        text(part.status, t(`state.${one.status}`));
        paint(part.at, one.last_activity_at);
        return element;
      }));
      joining.dataset.of = row.id;
      return joining.showModal();
    } catch (problem) {
      return failed("failed.merge", problem);
    }
  }

  joining && $("form", joining).addEventListener("submit", (event) => {
    event.preventDefault();
    whileBusy($('[type="submit"]', joining), () => join(new FormData(event.target).get("other")));
  });

  async function join(conversation) {
    const { of: id } = joining.dataset;
    try {
      store.learn(await call("POST", of(id, "merge"), { conversation }));
      joining.close();
      toast(t("done.merged"));
    } catch (problem) {
      joining.close();
      failed("failed.merge", problem);
    }
  }

  // --- who takes part, and who does not -----------------------------------------------------------------------------

  let taking = [];

  async function participants() {
    const id = store.open;
    try {
      taking = (await call("GET", of(id, "participants/"))).results;
      if (store.open !== id) return;
      const people = store.can.has("assign") ? [store.me, ...store.agents.filter((one) => one.id !== store.me.id)] : [store.me];
      const beyond = taking.filter((one) => !people.some((person) => person.id === one.id));
      menu(t("participants"), [...people, ...beyond].map((person) => menuEntry({
        act: "further-participant", value: person.id, title: person.name, more: person.id === store.me.id ? t("me") : "",
        role: "menuitemcheckbox", checked: taking.some((one) => one.id === person.id), stay: true,
      })));
    } catch (problem) {
      failed("failed.participants", problem);
    }
  }

  async function participant(button) {
    const { value: user } = button.dataset, is = taking.some((one) => one.id === user);
    attribute(button, "aria-checked", String(!is));
    try {
      const { results } = is ? await call("DELETE", of(store.open, `participants/${user}/`)) : await call("POST", of(store.open, "participants/"), { user });
      taking = results;
    } catch (problem) {
      failed("failed.participants", problem);
    }
    attribute(button, "aria-checked", String(taking.some((one) => one.id === user)));
  }

  const isBlocked = async ({ id }) => (await call("GET", `${base}contacts/${id}/block`)).blocked;

  /** The menu opens at once, and says what it would do to the contact when that is known. */
  async function blockWord() {
    const { contact } = here(), word = $('[data-field="block"]');
    if (!word) return;
    text(word, t("do.block-only"));
    const blocked = await isBlocked(contact).catch(() => false);
    if (here()?.contact.id === contact.id && blocked) text(word, t("do.unblock"));
  }

  async function block() {
    const { contact } = here();
    const ask = (blocked) => call("POST", `${base}contacts/${contact.id}/block`, { blocked });
    try {
      const blocked = await isBlocked(contact);
      await ask(!blocked);
      const name = nameOf(contact) || t("nameless");
      toast(t(blocked ? "done.unblocked" : "done.blocked", { name }), { action: t("undo"), act: () => ask(blocked).catch((problem) => failed("failed.block", problem)) });
    } catch (problem) {
      failed("failed.block", problem);
    }
  }

  function file() {
    const kinds = [["txt", ""], ["pdf", ""], ["txt", "?notes=true"], ["pdf", "?notes=true"]];
    menu(t("file.as"), kinds.map(([kind, notes]) => menuEntry({ act: "further-save", value: `transcript.${kind}${notes}`, title: t(`file.${kind}`), more: notes && t("file.notes") })));
  }

  /** Members and teams have changed: who is offered here is asked for again. */
  async function people() {
    const [agents, teams] = await Promise.all([call("GET", `${base}agents/`), api.teams()]).catch(() => []);
    if (!agents) return;
    store.agents = agents.results.map(({ id, name }) => ({ id, name }));
    store.teams = teams.results.map(({ id, name }) => ({ id, name }));
    const place = (what, those, act) => $(`[data-part="${what}"]`, $("#menu-assign")).replaceChildren(...those.map(({ id, name }) => menuEntry({ act, value: id, title: name, role: "menuitemradio" })));
    place("assign-people", store.agents.filter(({ id }) => id !== store.me.id), "assign");
    place("assign-teams", store.teams, "team");
    show($('[data-part="assign-team"]'), store.teams.length);
    store.changed("thread");
  }

  const able = (action, run) => (button) => (here() && store.can.has(action) ? run(button) : null);
  /** The open one has gone: into another that it became part of, or for good. */
  async function gone(id) {
    const now = await api.conversation(id).catch(() => null);
    if (store.open !== id) return;
    if (now) store.learn(now);
    open(now?.id ?? null);
    toast(t(now ? "merged.into" : "gone"), { tone: "info" });
  }

  return {
    "further-gone": gone,
    "further-messages": () => step(-1),
    "further-forward": able("reply", forward),
    "further-react": react,
    "further-delete": able("note", remove),
    "further-merge": able("assign", merge),
    "further-participants": participants,
    "further-participant": participant,
    "further-menu": blockWord,
    "further-block": able("edit_contacts", block),
    "further-file": file,
    "further-save": ({ dataset }) => location.assign(of(store.open, dataset.value)),
    "further-people": people,
    commands() {
      if (!here()) return [];
      const one = (title, icon, run) => ({ title, icon, run, group: t("group.conversation") });
      return [
        ...(store.can.has("assign") ? store.teams.map(({ id, name }) => one(t("do.team", { name }), "contacts", () => $(`#menu-assign [data-act="team"][data-value="${CSS.escape(id)}"]`)?.click())) : []),
        one(t("participants"), "contacts", participants), one(t("file.as"), "download", file),
        store.can.has("assign") && store.can.has("resolve") && one(t("do.merge"), "copy", merge),
        store.can.has("edit_contacts") && one(t("do.block"), "hand", block),
      ].filter(Boolean);
    },
  };
}
