// The inbox comes alive: the server has drawn it, this takes over what is there. Wiring, addresses and keys; the rest
// has a module of its own (docs/frontend.md).
import { $, afterFrame, inRest, show, soon } from "../ui/js/dom.js";
import { tellConnection } from "../ui/js/connection.js";
import { offer } from "../ui/js/commands.js";
import { nameOf } from "../ui/js/people.js";
import { focusItem, step } from "../ui/js/roving.js";
import { keepFresh, renew, signIn } from "../ui/js/session.js";
import { bind } from "../ui/js/shortcuts.js";
import { moment } from "../ui/js/time.js";
import { toast } from "../ui/js/toast.js";
import { t } from "../ui/js/words.js";
import { Live } from "../live/live.js";
import { Actions, failed } from "./actions.js";
import { address, inboxApi } from "./api.js";
import { Composer } from "./composer.js";
import { Drafts } from "./drafts.js";
import { renderHere, renderPeople } from "./here.js";
import { List } from "./list.js";
import { Outbox } from "./outbox.js";
import { Person } from "./person.js";
import { Presence } from "./presence.js";
import { Quoting } from "./quoting.js";
import { letGo } from "./shelf.js";
import { Store } from "./store.js";
import { Sync } from "./sync.js";
import { Thread } from "./thread.js";

const INTENT = 90; // ms
const TELL_EVERY = 20_000; // ms
const AGAIN = 5_000; // ms after a question that did not get through
const state = JSON.parse($("#inbox-state").textContent);
const page = $(".inbox");
const phone = matchMedia("(width < 48rem)");
const product = document.title.split(" · ").at(-1);
const store = new Store(state);
const api = inboxApi(state.workspace.slug);
const live = new Live({ renew, signIn });
const outbox = new Outbox({
  send: api.send,
  sent: (message, item) => { store.hearAnswer(item.conversation, message); letGo(item.attachments); },
});
const list = new List(store, {
  filter: setFilter,
  more: () => sync.more(),
  reload: () => sync.loadList().catch(() => {}),
});
const thread = new Thread(store, outbox, { older: () => sync.older(), looked: () => sync.looked() });
const composer = new Composer(store, state.workspace.slug, {
  send(message) { actions.send({ ...message, replyTo: message.direction === "note" ? null : quoting.take() }); thread.toFoot(); },
  typing(on) { sync.typing(on); if (on) tellCustomer(); },
  drafted(id) { store.changed("list", id); drafts.touched(id); if (id === store.open) presence.drafting(hasDraft()); },
  stands(how, asked) {
    if (asked) run("templates", "templates");
    else if (how === "shut") inRest(() => later("templates").then((templates) => templates.shut()).catch(() => {}));
    else loaded.get("templates")?.then((templates) => templates[how]());
  },
});
const drafts = new Drafts({ store, api, shown(id) {
  composer.keepDrafts();
  if (id !== store.open) return;
  composer.opened();
  presence.drafting(hasDraft());
} });
const person = new Person(store, api.ofContact);
const personNext = afterFrame(() => { person.render(); aboutPerson(); });
let personLate;
/** The messages come first; while they are under way it waits a little, so that they need not wait for its frame. */
function drawPerson() {
  clearTimeout(personLate);
  if (!store.open || store.thread(store.open).loaded) personNext();
  else personLate = setTimeout(personNext, 100);
}
const looking = () => Boolean(store.open) && !document.hidden && thread.atFoot && !(phone.matches && page.dataset.view !== "thread");
const views = { draft: (draft) => drafts.hear(draft), drafts: () => drafts.load(), looking, came: (message) => thread.came(message, looking()), failed, setting, gone: (id) => run("further", "further-gone", id) };
const sync = new Sync({ store, api, live, outbox, views, slug: state.workspace.slug, after: state.list.live?.seq ?? null, ownAfter: state.own.live.seq });
const actions = new Actions({ store, api, outbox, sync, composer });

const presence = new Presence(live, state.workspace.slug);
const hasDraft = () => store.drafts.get(store.open)?.mode === "reply";
presence.addEventListener("change", soon(() => { renderHere(store, presence); renderPeople(store, presence); }));

const quoting = new Quoting(store, $('[data-part="messages"]'), {
  react: (id, message, emoji) => run("further", "further-react", { id, message, emoji }),
  focus: () => composer.focus("reply"),
});

// What is done now and then comes with the first key or button that asks for it. Each module answers by `start(parts)`
// what it does, by the names of its buttons (docs/frontend.md).
const LATER = {
  bulk: () => import("./bulk.js"),
  filters: () => import("./filters.js"),
  further: () => import("./further.js"),
  guard: () => import("./guard.js"),
  macros: () => import("./macros.js"),
  mending: () => import("./mending.js"),
  planned: () => import("./planned.js"),
  offers: () => import("./offers.js"),
  saying: () => import("./saying.js"),
  begin: () => import("./begin.js"),
  standing: () => import("./standing.js"),
  templates: () => import("./templates.js"),
  views: () => import("./views.js"),
};
const loaded = new Map();

function later(name) {
  if (!loaded.has(name)) loaded.set(name, LATER[name]().then(({ start }) => start(parts)).catch((problem) => { loaded.delete(name); throw problem; }));
  return loaded.get(name);
}

/** What a module does by that name. Without a line it may not come: that is said. */
const run = (module, name, button) => later(module).then((does) => does[name]?.(button)).catch(() => toast(t("problem.network"), { tone: "danger" }));

/** Somebody set something up anew: what is offered here is asked for again, what stands on rows is changed. */
function setting(data) {
  store.dispatchEvent(new CustomEvent("setting", { detail: data }));
  if (data.what === "label") run("standing", "relabel", data);
  else if (data.what === "channel") sync.loadList().catch(() => {});
  else if (data.what === "member" || data.what === "team") run("further", "further-people");
}

/** The customer sees that somebody writes, where the provider shows it: it lasts for 25 s over there. */
let toldAt = { id: null, at: 0 };
function tellCustomer() {
  if (toldAt.id === store.open && Date.now() - toldAt.at < TELL_EVERY) return;
  toldAt = { id: store.open, at: Date.now() };
  api.typing(store.open).catch(() => {}); // nobody waits for it
}

// --- what changed is drawn --------------------------------------------------------------------------------------------

store.addEventListener("change", ({ detail }) => {
  const has = (...names) => names.some((name) => detail.includes(name));
  if (has("list", "counts")) list.render();
  if (has("thread", store.open)) thread.render();
  if (has("person", store.open)) { composer.render(); drawPerson(); }
  if (has("planned", "person") && (loaded.has("planned") || store.threads.get(store.open)?.planned.size)) run("planned", "render");
});
outbox.addEventListener("change", () => thread.render());
live.addEventListener("state", () => {
  show($('[data-part="offline"]'), live.state === "offline");
  if (live.state === "live") { outbox.flush(); aboutPerson(); }
  sync.looked();
  thread.render();
});

/** Notes come with the first person whose pane is in sight. */
let notes = null;
async function aboutPerson() {
  const contact = store.conversations.get(store.open)?.contact.id ?? null;
  if (!notes && !(contact && $(".person").checkVisibility())) return;
  notes ??= import("./notes.js").then(({ Notes }) => new Notes({ store, live, slug: state.workspace.slug }))
    .catch(() => { notes = null; }); // without a line it may not come: it is asked for again with the next look, and when the line is back
  (await notes)?.of(store.conversations.get(store.open)?.contact.id ?? null);
}

// --- addresses ----------------------------------------------------------------------------------------------------------

function open(id, { push = true, message = null } = {}) {
  const before = store.open;
  if (id === before) { view(id ? "thread" : "list"); return message && find(id, message); }
  store.open = id;
  if (push) history.pushState({}, "", address(store.filter, id) + (message ? `&message=${message}` : ""));
  title();
  view(id ? "thread" : "list");
  store.changed("list", "thread", "person");
  composer.opened();
  quoting.render();
  loaded.get("templates")?.then((templates) => templates.close());
  thread.opened();
  presence.visit(id, hasDraft());
  if (id) {
    store.thread(id).line = null;
    const followed = sync.follow(id).then(getNext);
    if (message) followed.then(() => find(id, message));
    if (phone.matches) thread.focus();
  } else {
    sync.leave();
    const row = before && list.rows.querySelector(`[data-conversation-id="${CSS.escape(before)}"]`);
    if (row) focusItem(list.rows, row);
  }
}

/** Up to a message of the open conversation, however far back. */
async function find(id, message) {
  const there = await sync.reach(id, message).catch(() => false);
  if (store.open === id && !(there && thread.showMessage(message))) toast(t("hit.gone"), { tone: "info" });
}

function view(name) {
  const before = page.dataset.view;
  page.dataset.view = name;
  document.body.classList.toggle("app-inside", name !== "list");
  drawPerson();
  // Where the pane stands alone, the button that was pressed has gone, and with it the focus
  if (before === "person" || name === "person") $(`[data-act="${name === "person" ? "close-person" : "person"}"]`).focus();
}

function title() {
  const conversation = store.conversations.get(store.open);
  document.title = `${conversation ? `\u2068${nameOf(conversation.contact) || t("nameless")}\u2069` : t("inbox")} · ${product}`; // a name in another script turns only itself
}

function setFilter(change) {
  store.setFilter(change);
  history.replaceState(history.state, "", address(store.filter, store.open));
  list.top();
  sync.loadList().catch(() => {});
}

addEventListener("popstate", () => {
  const [, id] = /^\/inbox\/([^/]+)/.exec(location.pathname) ?? [];
  open(id ?? null, { push: false });
});

// --- what people press ----------------------------------------------------------------------------------------------------

const plain = (event) => event.button === 0 && !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);

const acts = {
  back() { open(null); },
  "resolve-next"() { resolveAndNext(); },
  async search() {
    if (phone.matches) open(null);
    document.forms.search.elements.q.focus();
  },
  resolve() { actions.setStatus(store.open, "resolved", { said: t("done.resolved") }); },
  reopen() { actions.setStatus(store.open, "open"); },
  pending() { actions.setStatus(store.open, "pending", { said: t("state.pending") }); },
  assign(button) { actions.assign(store.open, button.dataset.value || null); },
  jump() { thread.toFoot(); sync.looked(); },
  person() {
    if (page.dataset.view === "person") return view("thread");
    history.pushState({ person: true }, "");
    view("person");
  },
  "close-person"() { history.state?.person ? history.back() : view("thread"); },
  "reload-thread"() { store.thread(store.open).failed = null; store.changed("thread"); sync.follow(store.open); },
  reconnect() { live.retryNow(); outbox.flush(); },
  retry(button) {
    const { messageId, clientId } = button.closest(".message").dataset;
    messageId ? run("mending", "retry", messageId) : outbox.again(clientId);
  },
  edit(button) { actions.edit(button.closest(".message").dataset.clientId); },
};

for (const [module, names] of Object.entries({ guard: ["force"], mending: ["refetch"], templates: ["templates"], standing: ["snooze-menu", "labels-menu", "priority-menu", "snooze", "snooze-at", "priority", "label", "team", "unread", "spam"] }))
  for (const name of names) acts[name] = (button) => run(module, name, button);
const parts = { store, api, actions, sync, list, thread, composer, outbox, acts, open, setFilter, run, later, slug: state.workspace.slug };

page.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-conversation-id]");
  const hit = event.target.closest("a.hit");
  const button = event.target.closest("[data-act]");
  if (link && plain(event)) {
    event.preventDefault();
    open(link.dataset.conversationId);
  } else if (hit && plain(event) && hit.pathname.startsWith("/inbox/")) {
    event.preventDefault();
    open(hit.pathname.split("/")[2], { message: hit.dataset.messageHit });
  } else if (button && plain(event)) {
    const name = button.dataset.act, [module] = name.split("-");
    if (acts[name]) acts[name](button);
    else if (LATER[module]) run(module, name, button);
    else return;
    event.preventDefault();
  }
});

// Who rests on a row will open it: its messages are there by then.
let resting;
for (const kind of ["pointerover", "focusin", "pointerdown"]) {
  list.rows.addEventListener(kind, (event) => {
    const link = event.target.closest("a[data-conversation-id]");
    clearTimeout(resting);
    if (!link) return;
    const get = () => sync.prefetch(link.dataset.conversationId);
    if (kind === "pointerdown" && plain(event)) get(); // not later: the focus follows at once, and would only wait again
    else resting = setTimeout(get, INTENT);
  });
}
list.rows.addEventListener("pointerleave", () => clearTimeout(resting));

/** Who works down the list opens the row below: its messages are there by then too, once the browser rests. */
function getNext() {
  if (phone.matches || navigator.connection?.saveData) return;
  inRest(() => {
    const rows = store.rows(), next = rows[rows.findIndex(({ id }) => id === store.open) + 1];
    if (next && live.state !== "offline" && !document.hidden) sync.prefetch(next.id);
  });
}

bind("j", () => step(list.rows, 1));
bind("k", () => step(list.rows, -1));
bind("r", () => composer.focus("reply"));
bind("n", () => composer.focus("note"));
bind("a", () => { if (store.open && store.can.has("assign")) $("#menu-assign").showPopover({ source: $('[popovertarget="menu-assign"]') }); });
bind("i", () => { if (store.open && store.can.has("assign")) actions.assign(store.open, store.me.id); });
bind("e", resolveAndNext);
bind("/", acts.search);
for (const [key, name] of [["s", "snooze-menu"], ["l", "labels-menu"], ["p", "priority-menu"], ["u", "unread"]]) bind(key, () => { if (store.open) acts[name](); });
bind("m", () => { if (store.open && store.can.has("reply")) run("macros", "macros-menu"); });
bind("t", () => { if (store.open) run("further", "further-messages"); });
$("#menu-thread").addEventListener("toggle", ({ newState }) => { if (newState === "open" && store.open && store.can.has("edit_contacts")) run("further", "further-menu"); });
bind("f", () => run("filters", "filters-open"));
bind("v", () => run("views", "views-menu"));
bind("c", () => { if (store.can.has("reply")) run("begin", "begin-open"); });
bind("x", () => run("bulk", "bulk-toggle", document.activeElement)); // as it is now, not when the module has come
list.rows.addEventListener("change", (event) => { if (event.target.matches(".pick")) run("bulk", "bulk-picked", event.target); });
document.forms.composer?.elements.body.addEventListener("focusin", () => later("saying").catch(() => {}), { once: true });
offer(async () => (await later("offers")).commands());
outbox.addEventListener("held", ({ detail }) => run("guard", "held", detail));
// What is not needed until somebody looks for something comes when they do.
document.forms.search.addEventListener("focusin", async () => {
  const { Search } = await import("./search.js");
  new Search(state.workspace.slug);
}, { once: true });
page.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented || event.target.closest("[popover]")) return;
  if (page.dataset.view === "person") acts["close-person"]();
  else if (store.open && !phone.matches) {
    const row = list.rows.querySelector("[aria-current]") ?? list.rows.querySelector("[data-item]");
    if (row) focusItem(list.rows, row);
  }
});

/** The next one in the list comes up, so that a morning's work is one key. */
function resolveAndNext() {
  const id = store.open;
  if (!id || !store.can.has("resolve") || store.conversations.get(id)?.status === "resolved") return;
  const rows = store.rows();
  const at = rows.findIndex((row) => row.id === id);
  const next = rows[at + 1] ?? rows[at - 1];
  const said = next ? t("done.resolved-next", { name: nameOf(next.contact) }) : t("done.resolved");
  actions.setStatus(id, "resolved", { said, back: () => open(id) });
  if (next) open(next.id);
  else if (phone.matches) open(null);
}

// --- start -----------------------------------------------------------------------------------------------------------------

const to = new URLSearchParams(location.search).get("write");
if (to && store.can.has("reply")) run("begin", "begin-with", to);
if (store.isNarrowed) run("filters", "filters-shown");
composer.begin();
person.render();
aboutPerson();
list.render();
thread.opened();
if (store.open) {
  const wanted = new URLSearchParams(location.search).get("message");
  sync.follow(store.open).then(getNext).then(() => { if (wanted) find(store.open, wanted); });
  presence.visit(store.open, hasDraft());
}
tellConnection(live);
live.start();
(function getDrafts() { drafts.load().catch(({ passing }) => passing && setTimeout(getDrafts, AGAIN)); })(); // what is written here is kept all the same
const end = moment(state.me.expires_at);
if (end) keepFresh(end, () => live.renewed());
