// The tutors' page of one exam or of several at once: what comes in goes into the store, the grid draws what changed, the stream tells it, and
// what is pressed goes out.
import { $, $$, attribute, show, text } from "../ui/js/dom.js";
import { tellConnection } from "../ui/js/connection.js";
import { recall, remember } from "../ui/js/memory.js";
import { keepFresh, renew, signIn } from "../ui/js/session.js";
import { bind } from "../ui/js/shortcuts.js";
import { moment } from "../ui/js/time.js";
import { toast } from "../ui/js/toast.js";
import { t } from "../ui/js/words.js";
import { Live } from "../live/live.js";
import { Actions } from "./actions.js";
import { alertTo, startAlerts, toggleNotices, toggleSound } from "./alerts.js";
import { Drawer } from "./drawer.js";
import { Exams } from "./exams.js";
import { Grid } from "./grid.js";
import { LIVE, Store } from "./store.js";
import { Stream } from "./stream.js";
import { tellWatchers } from "./watchers.js";
import { commandWord, deviceWord, entryWord, lateWord, leftUntil, seconds, whyWord } from "./wording.js";

const state = JSON.parse($("#proctor-state").textContent);
const main = $('[data-part="main"]'), proctor = $('[data-part="proctor"]');
const part = (name) => $(`[data-part="${name}"]`);
const quiet = new Set(state.exams.map(({ exam }) => exam.slug)); // nothing of what is loaded of these is news

// --- what the page knows ----------------------------------------------------------------------------------------------

const groups = new Set($$('select[name=group] option').map(({ value }) => value));
function tellGroup({ group }) {
  if (!group || groups.has(group)) return;
  groups.add(group);
  const options = $$("select[name=group] option").slice(1), made = new Option(group, group);
  $("select[name=group]").insertBefore(made, options.find(({ value }) => value > group) ?? null);
}

const store = new Store((id, facts, before) => {
  grid?.mark(id);
  if (!before && facts) tellGroup(store.sessions.get(id));
  tellCounts();
  drawer?.changed(id);
  const session = store.sessions.get(id);
  if (facts && facts.rank > (before?.rank ?? 0) && !quiet.has(session.exam)) {
    alertTo({ key: id, name: session.student_name, why: whyWord(facts, 0), tone: facts.tone, open: () => open(id) });
  }
});
const COUNTED = 200; // ms: chips stand in one row, which is laid out as a whole
let counting = null;
const tellCounts = () => { counting ??= setTimeout(drawCounts, COUNTED); };
function drawCounts() {
  counting = null;
  for (const [name, count] of Object.entries(store.counts)) {
    const place = $(`[data-count="${name}"]`);
    text(place, String(count));
    const chip = place.parentElement;
    if (["paused", "ended"].includes(name)) show(chip, count || chip.getAttribute("aria-pressed") === "true");
  }
  show(part("none"), !store.counts.all);
  text(part("rest-count"), String(Math.max(0, store.counts.all - store.counts.attention)));
}

const exams = new Exams(state.exams, (id) => store.sessions.get(id)?.exam);
const stream = new Stream(part("stream"));
const actions = new Actions(exams);
let grid = null, drawer = null, announced = null;
grid = new Grid(main, store, exams, ({ whole }) => {
  text(part("held"), grid.held ? t("held", { n: grid.held }) : "");
  if (!whole) return;
  show(part("no-match"), store.counts.all && !grid.shown);
  show($("#flagged-title"), grid.hasFlagged);
  show($("#rest-title"), grid.hasRest);
});
drawer = new Drawer({ exams, store, actions, me: state.me, closed: () => { proctor.dataset.view = "stream"; address(); } });

for (const session of state.sessions) store.learn(session);
for (const entry of state.waiting) store.entry(entry);
store.unread(null, state.unread);
for (const entry of state.stream) tellEntry(entry);
grid.adopt();

/** The snapshot of an exam, newer than everything before. Answers the number it goes on from. */
async function reload(slug) {
  const api = exams.api(slug), fresh = await api.exam(); // its number is read before its state, and so before all that follows
  store.forget(slug);
  quiet.add(slug);
  learnExam(fresh);
  await Promise.all([loadSessions(slug), api.waiting().then(({ results }) => store.entries(slug, results))]);
  if (fresh.unread_chats) store.unread(slug, fresh.unread_chats);
  if (store.sessions.get(drawer.id)?.exam === slug) drawer.reload();
  announced?.refresh();
  quiet.delete(slug);
  return fresh.live.seq;
}

const loadSessions = (slug) => exams.api(slug).sessions((rows) => { for (const row of rows) store.learn(row); });

function learnExam(fresh) {
  exams.all.set(fresh.slug, fresh);
  clock();
}

// --- what comes in ----------------------------------------------------------------------------------------------------

const CAME = {
  "session.started": (session) => {
    store.put(session);
    tell(session, "started", session.started_at, t("stream.started"));
  },
  "session.updated": (session) => {
    const before = store.sessions.get(session.id);
    store.put(session);
    if (before) tellMove(before, session);
  },
  "violation.logged": (entry) => { store.entry(entry); tellEntry(entry); drawer.entry(entry); },
  "violation.updated": (entry) => { store.entry(entry); tellEntry(entry); tellSaid(entry); drawer.entry(entry); },
  "command.created": (command) => { tellCommand(command); drawer.command(command); announced?.command(command); },
  "command.updated": (command) => { tellCommand(command); drawer.command(command); announced?.command(command); },
  "message.created": (message) => {
    if (message.direction === "in") {
      if (!drawer.reads(message.session)) store.wrote(message.session);
      stream.add({ key: message.id, at: message.created_at, name: message.student_name, session: message.session, text: t("stream.wrote", { text: message.body }), always: true });
    }
    drawer.message(message);
  },
  "message.updated": (message) => drawer.message(message),
  "chat.read": ({ session, seen_count: seen }) => { store.read(session); drawer.seen(session, seen); },
  "exam.updated": learnExam,
};

function tellMove(before, session) {
  const at = session.last_heartbeat ?? session.started_at;
  if (before.status !== session.status) {
    if (session.status === "disconnected") tell(session, `lost.${at}`, new Date().toISOString(), t("stream.lost"));
    else if (session.status === "paused") tell(session, `paused.${session.paused_at}`, session.paused_at, t("stream.paused"));
    else if (session.status === "active") tell(session, `back.${at}`, at, t(before.status === "paused" ? "stream.resumed" : "stream.back"));
    else tell(session, session.status, session.ended_at, t(`stream.${session.status}`, { n: session.answered_count }));
  }
  if (session.consent_withdrawn_at && !before.consent_withdrawn_at) // nothing to settle, so no card floats up; its tutor should know
    alertTo({ key: session.id, name: session.student_name, why: t("why.withdrawn"), tone: "warning", open: () => open(session.id) });
  if (session.hand_raised_at && !before.hand_raised_at)
    tell(session, `hand.${session.hand_raised_at}`, session.hand_raised_at, session.hand_note ? t("why.hand-note", { note: session.hand_note }) : t("why.hand"), { always: true });
}

function tell(session, kind, at, words, more = {}) {
  stream.add({ key: `${session.id}.${kind}`, at: at ?? new Date().toISOString(), name: session.student_name || session.student, session: session.id, text: words, ...more });
}

function tellEntry(entry) {
  if (entry.merged_into || entry.type.startsWith("connection_")) return; // the session's own moves say that
  const verdict = entry.review === "not_reviewed" ? "" : t(`review.${entry.review}`);
  const what = `${t(`severity.${entry.severity}`)}: ${entryWord(entry)}`;
  stream.add({
    key: entry.id, at: entry.received_at, severity: entry.severity, name: entry.student_name, session: entry.session, late: lateWord(entry),
    text: verdict ? t("stream.reviewed", { what, verdict }) : what, always: entry.type.startsWith("consent_"),
  });
}

function tellSaid(entry) {
  if (!entry.explanation) return;
  stream.add({ key: `${entry.id}.said`, at: entry.explained_at, name: entry.student_name, session: entry.session, text: t("stream.explained", { what: entryWord(entry), text: entry.explanation }) });
}

const batches = new Map(); // one action for many is one row, which counts how far each has come
function tellCommand(command) {
  const batch = batches.get(command.batch) ?? new Map();
  batch.set(command.id, command.state);
  batches.set(command.batch, batch);
  const said = { key: command.batch, at: command.created_at, always: true };
  if (batch.size === 1) {
    const words = command.type === "note" ? commandWord(command) : `${commandWord(command)} · ${t(`acknowledged.${command.state}`)}`;
    return stream.add({ ...said, name: command.student_name, session: command.session, text: words });
  }
  const count = { queued: 0, delivered: 0, seen: 0, expired: 0 };
  for (const each of batch.values()) count[each] += 1;
  const what = commandWord(command.reason === "lost_time" ? { ...command, seconds: 0 } : command); // to each their own
  return stream.add({ ...said, name: t("act.many", { n: batch.size }), text: t("batch", { what, ...count }) });
}

const live = new Live({ renew, signIn });
for (const { exam, live: { topic, seq } } of state.exams) {
  live.subscribe(topic, {
    after: seq,
    event: ({ type, data }) => CAME[type]?.(data),
    signal: ({ type, data }) => {
      if (type !== "session.beats") return;
      for (const [id, at] of Object.entries(data.sessions)) if (store.beat(id, at)) drawer.beaten(id, at);
    },
    reload: () => reload(exam.slug),
    refused: () => toast(t("refused"), { tone: "danger" }),
  });
}
drawer.live = live;
tellWatchers(live, state.exams.map(({ exam, workspace }) => ({ slug: exam.slug, workspace })), { me: state.me.id, place: part("watching") });

// --- what one presses -------------------------------------------------------------------------------------------------

function open(id) {
  if (!store.sessions.has(id)) return;
  grid.open(id);
  proctor.dataset.view = "drawer";
  drawer.open(id);
  address(id);
}

function address(id) {
  const url = new URL(location.href);
  if (id) url.searchParams.set("student", id);
  else {
    url.searchParams.delete("student");
    grid.open(null);
  }
  history.replaceState({}, "", url);
}

const chosen = () => [...grid.chosen];

function choosing(on) {
  attribute(main, "data-choosing", on);
  $('[data-act="choose"]').setAttribute("aria-pressed", String(on));
  if (!on) for (const id of chosen()) grid.choose(id, false);
  tellChosen();
}

function choose(id, on = !grid.chosen.has(id)) {
  grid.choose(id, on);
  tellChosen();
}

function tellChosen() {
  const n = chosen().length;
  show(part("bulk"), main.hasAttribute("data-choosing"));
  text(part("chosen"), t("chosen", { n }));
  for (const button of $$("[data-chosen]", part("bulk"))) button.disabled = !n;
}

function act(button) {
  const name = button.dataset.act;
  if (name === "close") return drawer.close();
  if (name === "sound") return toggleSound();
  if (name === "notices") return toggleNotices();
  if (name === "choose") return choosing(!main.hasAttribute("data-choosing"));
  if (name === "choose-all") { for (const id of grid.ids()) grid.choose(id, true); return tellChosen(); }
  if (name === "clear") return narrow({ filter: "all", exam: "", group: "", search: "" });
  if (name === "compensate") return actions.compensate(drawer.id);
  if (name === "compensate-all") return actions.compensate(null);
  if (name === "close-exam") return closeExam();
  if (name === "announcements") return showAnnounced();
  if (name === "announce") return actions.ask("announcement", { all: true });
  if (name === "announcements-again") return announced.refresh();
  if (name === "allow_device") return actions.allow(drawer.id, button.dataset.device).then(() => drawer.reload());
  if (name === "end_device") return actions.ask(name, { sessions: [drawer.id], device: { id: button.dataset.device, word: deviceWord(drawer.device(button.dataset.device)) } });
  if ("all" in button.dataset) return actions.ask(name, { all: true });
  if ("chosen" in button.dataset) return actions.ask(name, { sessions: chosen(), name: store.sessions.get(chosen()[0])?.student_name });
  return actions.ask(name, { sessions: [drawer.id], name: store.sessions.get(drawer.id)?.student_name });
}

/** Fetched when it is first looked at. */
async function showAnnounced() {
  announced ??= new (await import("./announcements.js")).Announcements(exams);
  announced.open();
}

async function closeExam() {
  $("#dialog-close").close();
  await exams.api(state.exams[0].exam.slug).close().catch((problem) => toast(t("failed", { reason: problem.message }), { tone: "danger" }));
}

function narrow(wanted) {
  Object.assign(grid, wanted);
  for (const chip of $$("[data-filter]")) chip.setAttribute("aria-pressed", String(chip.dataset.filter === grid.filter));
  if ("group" in wanted) $("select[name=group]").value = grid.group;
  if (wanted.exam === "" && $("select[name=exam]")) $("select[name=exam]").value = "";
  if ("search" in wanted && $("input[name=search]") !== document.activeElement) $("input[name=search]").value = grid.search;
  grid.all();
  tellCounts();
}

function look(view) {
  main.dataset.view = view;
  remember("proctor.view", view);
  grid.look();
  for (const button of $$("[data-show]")) button.setAttribute("aria-pressed", String(button.dataset.show === view));
}

document.addEventListener("click", (event) => {
  const { target } = event;
  const card = target.closest(".student"), name = target.closest("[data-open]"), chip = target.closest("[data-filter]");
  const button = target.closest("[data-act]"), view = target.closest("[data-show]");
  if (card && main.hasAttribute("data-choosing") && !event.detail) return open(card.dataset.session); // by key: Enter opens, X chooses
  if (card && main.hasAttribute("data-choosing")) return choose(card.dataset.session);
  if (card) return open(card.dataset.session);
  if (name) return open(name.dataset.open);
  if (chip) return narrow({ filter: chip.dataset.filter });
  if (view) return look(view.dataset.show);
  if (button) return act(button);
  return undefined;
});
main.addEventListener("change", ({ target }) => {
  if (target.matches("[data-pick]")) choose(target.closest("li").dataset.key, target.checked);
  if (target.name === "group") narrow({ group: target.value });
  if (target.name === "exam") narrow({ exam: target.value });
  if (target.name === "order") { remember("proctor.order", target.value); narrow({ order: target.value }); }
});
main.addEventListener("input", ({ target }) => { if (target.name === "search") narrow({ search: target.value.trim().toLocaleLowerCase() }); });
$("select[name=least]").addEventListener("change", ({ target }) => {
  attribute(part("stream"), "data-least", target.value);
  remember("proctor.least", target.value);
});

const focused = () => document.activeElement?.closest(".student")?.dataset.session ?? drawer.id;
bind("j", () => grid.step(1));
bind("k", () => grid.step(-1));
bind("/", () => $("input[name=search]").focus());
bind("n", () => narrow({ filter: grid.filter === "attention" ? "all" : "attention" }));
bind("v", () => look(main.dataset.view === "table" ? "cards" : "table"));
bind("x", () => {
  const card = document.activeElement?.closest(".student");
  if (!card) return;
  if (!main.hasAttribute("data-choosing")) choosing(true);
  choose(card.dataset.session);
});
bind("m", () => { const id = focused(); if (id) actions.ask("message", { sessions: [id], name: store.sessions.get(id).student_name }); });
bind("p", () => {
  const id = focused(), session = store.sessions.get(id);
  if (session && LIVE.has(session.status)) actions.ask(session.status === "paused" ? "resume" : "pause", { sessions: [id], name: session.student_name });
});
addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented || $("dialog[open]") || $(":popover-open")) return;
  if (event.target.name === "search" && grid.search) { event.target.value = ""; narrow({ search: "" }); } else if (drawer.id) drawer.close();
  else if (main.hasAttribute("data-choosing")) choosing(false);
});

// --- start ------------------------------------------------------------------------------------------------------------

/** Of several exams each has its own end. */
function clock() {
  for (const exam of exams.all.values()) {
    const place = exams.all.size > 1 ? $(`[data-clock="${CSS.escape(exam.slug)}"]`) : part("clock");
    const end = moment(exam.closed_at ?? exam.ends_at);
    show(place, end);
    const left = end ? leftUntil(end) : 0;
    text($('[data-part="clock-left"]', place), left ? seconds(left) : "");
    text($('[data-part="clock-word"]', place), t(left ? "left-of" : "over"));
  }
}

clock();
setInterval(() => { if (!document.hidden) { clock(); drawer.tick(); } }, 1_000);
setInterval(() => { if (grid.order === "beat" && !document.hidden) grid.all(); }, 10_000);
look(recall("proctor.view") === "table" ? "table" : "cards");
const order = recall("proctor.order");
if (order && $(`select[name=order] option[value="${order}"]`)) { $("select[name=order]").value = order; narrow({ order }); }
const least = recall("proctor.least");
if (least) { $("select[name=least]").value = least; attribute(part("stream"), "data-least", least); }
startAlerts();
tellConnection(live);
live.start();
const end = moment(state.me.expires_at);
if (end) keepFresh(end, () => live.renewed());
Promise.allSettled(state.is_whole ? [] : [...exams.all.keys()].map(loadSessions)).then(() => {
  quiet.clear();
  const wanted = new URL(location.href).searchParams.get("student");
  if (wanted) open(wanted);
});
