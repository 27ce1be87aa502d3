// The reference exam page: what a page of one's own would do with the client.
import { $, $$, announce, attribute, clone, fields, icon, reconcile, show, text } from "../ui/js/dom.js";
import { recall, remember } from "../ui/js/memory.js";
import { keepFresh, renew } from "../ui/js/session.js";
import { moment, paint } from "../ui/js/time.js";
import { toast } from "../ui/js/toast.js";
import { t } from "../ui/js/words.js";
import { ExamClient } from "../proctoring/client.js";
import { entryWord, reasonWord, seconds } from "../proctor/wording.js";
import { tellReady } from "./ready.js";

const state = JSON.parse($("#exam-state").textContent);
const page = $(".exam"), part = (name) => $(`[data-part="${name}"]`);
const client = new ExamClient({ exam: state.exam.slug, renew: async () => Boolean(await renew()) });
const all = state.exam.question_count;
const CLOCK = new Intl.DateTimeFormat(document.documentElement.lang, { hour: "numeric", minute: "2-digit" });
let paper = { question: 1, answers: {}, later: [] }; // the answers stay on this page: they are the exam system's business
let typingUntil = 0, lostBanner = null, attention = null;

// --- start and stop ---------------------------------------------------------------------------------------------------

async function start(consent) {
  show(part("start-error"), false);
  try {
    const session = await client.start({ consent });
    paper = recall(`paper.${session.id}`) ?? { ...paper, question: session.current_question || 1 };
    page.dataset.view = "live";
    client.watch({ without: state.exam.unwatched });
    tellPause(session.pause_reason);
    tellProgress();
    drawn();
    $(".exam-main h2").focus?.();
  } catch (problem) {
    if (problem.code === "exam_not_open" && isPast(problem.data.ends_at)) return stopped("over"); // closed meanwhile
    if (problem.code === "device_ended") return stopped("ended_here");
    page.dataset.view = "consent";
    const known = ["exam_not_open", "no_attempts_left", "consent_required"].includes(problem.code);
    text(part("start-error"), known ? t(`start.${problem.code}`) : t("start.failed", { reason: problem.message || problem.code }));
    show(part("start-error"), true);
  }
  return undefined;
}

document.forms.consent.addEventListener("submit", async (event) => {
  event.preventDefault();
  const { fullscreen, guardian } = event.target.elements;
  if (fullscreen.checked) await document.documentElement.requestFullscreen?.().catch(() => {});
  const button = event.submitter;
  button.setAttribute("aria-busy", "true");
  await start({ policy_version: state.exam.policy_version, guardian: guardian?.checked ?? false });
  button.removeAttribute("aria-busy");
});

// Whoever has not begun by then cannot: the page says so by itself, by the server's clock.
const ahead = Date.now() - moment(state.now);
const isPast = (at) => Boolean(at) && Date.now() - ahead >= moment(at);

function notBegun() {
  if (page.dataset.view === "consent" && isPast(state.exam.begins_until)) stopped("over");
}

const SIGNS = { submitted: "resolve", terminated: "x", expired: "clock", over: "clock", removed: "lock", ended_here: "devices" };

function stopped(reason) {
  icon(part("stopped-icon"), SIGNS[reason] ?? "info");
  page.dataset.view = "stopped";
  text(part("stopped-title"), t(`stopped.${reason}`));
  text(part("stopped-text"), t(`stopped.${reason}.text`));
  const words = client.session?.end_reason;
  const why = reason === "terminated" && words ? t("paused.reason", { reason: words }) : "";
  text(part("stopped-reason"), why);
  show(part("stopped-reason"), why);
  show($('[data-act="again"]'), reason === "expired");
  for (const dialog of $$("dialog[open]")) dialog.close();
  if (document.fullscreenElement) document.exitFullscreen().catch(() => {});
  part("stopped-title").focus();
}

// --- what the client tells --------------------------------------------------------------------------------------------

client.addEventListener("session", ({ detail: session }) => {
  if (!client.isLive) return stopped(session.status);
  const paused = session.status === "paused";
  if (paused === part("paused").hidden) {
    show(part("paused"), paused);
    for (const element of document.forms.question.elements) element.disabled = paused;
    if (paused) $("#paused-title").focus();
    else drawn();
  }
  const up = Boolean(session.hand_raised_at);
  $('[data-act="hand"]').setAttribute("aria-pressed", String(up));
  text(part("hand-word"), t(up ? "hand.lower" : "hand.raise"));
  tellConsent();
  clock();
  return undefined;
});
client.addEventListener("stopped", ({ detail }) => stopped(detail.reason));
client.addEventListener("connection", tellLine);
client.addEventListener("trouble", () => {
  tellLine();
  lostBanner ??= notice({ icon: "wifi-off", tone: "warning", from: t("lost.title"), words: t("lost.text") });
});
client.addEventListener("recovered", () => {
  tellLine();
  lostBanner?.remove();
  lostBanner = null;
  toast(t("back"));
});
for (const kind of ["log", "noticed"]) client.addEventListener(kind, drawLog);
client.addEventListener("chat", ({ detail }) => {
  drawChat();
  if (detail.isNew && detail.message?.direction === "out") {
    typingUntil = 0;
    tellTyping();
    announce(`${detail.message.sender?.name ?? ""}: ${detail.message.body}`);
  }
  readSoon();
});
client.addEventListener("typing", ({ detail }) => {
  typingUntil = Date.now() + 6_000;
  tellTyping(t("typing", { name: detail.name }));
});

function tellTyping(words = "") {
  if (part("typing") && (words || Date.now() > typingUntil)) text(part("typing"), words);
}
client.addEventListener("command", ({ detail }) => told(detail));

const heard = new Set();
function told(command) {
  if (document.hidden || heard.has(command.id)) return; // the client says it again when the page is in view
  heard.add(command.id);
  const from = command.from_name ? t("from", { name: command.from_name }) : t("from.tutor");
  const what = command.body || t(`told.${command.type}`, { span: seconds(command.seconds * 1000) });
  const reason = reasonWord(command.reason);
  const words = reason && command.type !== "pause" ? t("told.reason", { what, reason }) : what;
  if (command.type === "pause") {
    tellPause(command.reason);
    return client.seen(command.id);
  }
  if (command.type === "terminate") return client.seen(command.id);
  if (command.type === "attention" || command.is_urgent) return demand(command, from, words);
  const banner = notice({ icon: command.type === "extra_time" ? "clock" : "megaphone", from, words, seen: () => client.seen(command.id) });
  if (command.type === "resume" || command.type === "extra_time") { // nothing to read twice
    client.seen(command.id);
    setTimeout(() => banner.remove(), 15_000);
  }
  return undefined;
}

function tellPause(given) {
  const reason = reasonWord(given);
  text(part("paused-reason"), reason ? t("paused.reason", { reason }) : "");
  show(part("paused-reason"), reason);
}

function demand(command, from, words) {
  attention = command;
  text(part("attention-title"), from);
  text(part("attention-text"), words);
  if (!$("#dialog-attention").open) $("#dialog-attention").showModal();
}
$("#dialog-attention").addEventListener("close", () => { if (attention) client.seen(attention.id); attention = null; });

function notice({ icon: sign, tone = "accent", from, words, seen }) {
  const banner = clone("notice"), parts = fields(banner);
  icon(parts.icon, sign);
  banner.dataset.tone = tone;
  text(parts.from, from);
  text(parts.text, words);
  show(parts.seen, seen);
  parts.seen.addEventListener("click", () => { seen?.(); banner.remove(); });
  part("notices").prepend(banner);
  return banner;
}

function tellConsent() {
  const { isPrivate, session } = client, since = moment(session.consent_withdrawn_at);
  show(part("private"), isPrivate);
  show(part("withdraw"), !isPrivate);
  show(part("agree"), isPrivate);
  if (isPrivate) text(part("private-since"), since ? t("private.since", { at: CLOCK.format(since) }) : t("private.waiting"));
}

document.forms.agree.addEventListener("submit", ({ target }) => {
  attempt(client.agree({ policy_version: state.exam.policy_version, guardian: target.elements.guardian?.checked ?? false }));
  target.reset();
});

function tellLine() {
  const lost = client.trouble >= 3 || !navigator.onLine;
  const word = lost ? "lost" : client.connected ? "connected" : client.trouble ? "trying" : "slow";
  part("line").dataset.state = { lost: "offline", connected: "live", slow: "live", trying: "catching-up" }[word];
  text(part("line"), t(`line.${word}`));
}

// --- time, questions --------------------------------------------------------------------------------------------------

function clock() {
  const left = client.session ? client.timeLeft : null;
  show(part("clock"), left !== null);
  if (left === null) return;
  const whole = Math.ceil(left / 1000);
  text(part("left"), `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`);
  attribute(part("clock"), "data-soon", left < 5 * 60_000);
}

setInterval(() => {
  clock();
  notBegun();
  tellLine();
  tellTyping();
}, 1_000);

const answered = () => Object.keys(paper.answers).length;

function tellProgress() {
  client.progress({ current_question: paper.question, answered_count: answered() });
}

function keep() {
  remember(`paper.${client.session.id}`, paper);
  text(part("saved"), t(client.trouble ? "saved.here" : "saved"));
}

function drawn() {
  text(part("number"), t("question", { n: paper.question, all }));
  attribute(part("progress"), "value", answered());
  const form = document.forms.question;
  for (const choice of form.elements.answer) choice.checked = paper.answers[paper.question] === choice.value;
  $('[data-act="back"]').disabled = paper.question <= 1;
  $('[data-act="later"]').setAttribute("aria-pressed", String(paper.later.includes(paper.question)));
  for (const step of $$("[data-question]")) {
    const n = Number(step.dataset.question);
    attribute(step, "data-done", n in paper.answers);
    attribute(step, "data-later", paper.later.includes(n));
    attribute(step, "aria-current", n === paper.question ? "step" : null);
  }
}

function go(question) {
  paper.question = Math.min(all, Math.max(1, question));
  keep();
  tellProgress();
  drawn();
}

document.forms.question.addEventListener("change", ({ target }) => {
  if (target.name !== "answer") return;
  paper.answers[paper.question] = target.value;
  keep();
  tellProgress();
  drawn();
});
document.forms.question.addEventListener("submit", (event) => {
  event.preventDefault();
  if (paper.question >= all) askHandIn();
  else go(paper.question + 1);
});

function askHandIn() {
  const left = all - answered();
  text(part("unanswered"), left ? t("unanswered", { n: left }) : t("answered-all"));
  $("#dialog-hand-in").showModal();
}

async function attempt(promise) {
  try { return await promise; } catch (problem) {
    toast(t("failed", { reason: problem.message || problem.code }), { tone: "danger" });
    return null;
  }
}

const ACTS = {
  back: () => go(paper.question - 1),
  later: () => {
    const at = paper.later.indexOf(paper.question);
    if (at >= 0) paper.later.splice(at, 1);
    else paper.later.push(paper.question);
    keep();
    drawn();
  },
  "hand-in": askHandIn,
  "hand-in-now": () => {
    $("#dialog-hand-in").close();
    attempt(client.end({ current_question: paper.question, answered_count: answered() }));
  },
  withdraw: () => {
    $("#dialog-withdraw").close();
    attempt(client.withdraw());
  },
  hand: () => (client.session.hand_raised_at ? attempt(client.hand(false)) : $("#dialog-hand").showModal()),
  "attention-seen": () => $("#dialog-attention").close(),
  again: () => location.reload(),
};
document.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-act]"), step = target.closest("[data-question]");
  if (step) go(Number(step.dataset.question));
  else if (button) ACTS[button.dataset.act]();
});
document.forms.hand.addEventListener("submit", (event) => {
  event.preventDefault();
  $("#dialog-hand").close();
  attempt(client.hand(true, event.target.elements.note.value));
  event.target.reset();
});

// --- what the tutor sees ----------------------------------------------------------------------------------------------

function drawLog() {
  const entries = client.log.filter(({ merged_into: head }) => !head);
  reconcile(part("log"), entries, { key: ({ id }) => id, make: makeEntry, fill: fillEntry });
  text(part("own-count"), entries.length ? t("own.entries", { n: entries.length }) : t("own.none"));
  show(part("queued"), client.queued);
  if (client.queued) text(part("queued"), `${t("own.entries", { n: client.queued })} · ${t("own.queued")}`);
}

function makeEntry(entry) {
  const row = clone("own-entry");
  fields(row).explain.addEventListener("click", () => explain(row, entry.id));
  return row;
}

function fillEntry(row, entry) {
  const parts = fields(row);
  attribute(parts.severity, "data-severity", entry.severity);
  text(parts.word, entryWord(entry));
  paint(parts.at, entry.corrected_at);
  text(parts.explanation, entry.explanation ? t("own.said", { text: entry.explanation }) : entry.severity === "info" ? t("own.uncounted") : "");
  const judged = entry.review !== "not_reviewed";
  text(parts.review, judged ? t(`verdict.${entry.review}`) : "");
  attribute(parts.review, "data-tone", entry.review === "dismissed" || entry.review === "verified" ? "success" : "warning");
  show(parts.review, judged);
  show(parts.explain, !entry.explanation && entry.severity !== "info" && !$(".explain", row));
}

function explain(row, id) {
  const form = clone("explain");
  show(fields(row).explain, false);
  row.append(form);
  form.elements.explanation.focus();
  const close = () => { form.remove(); drawLog(); };
  $("[data-cancel]", form).addEventListener("click", close);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (await attempt(client.explain(id, form.elements.explanation.value).then(() => true))) close();
  });
}

// --- chat -------------------------------------------------------------------------------------------------------------

function drawChat() {
  if (!part("messages")) return;
  reconcile(part("messages"), client.messages, { key: ({ client_id, id }) => client_id || id, make: () => clone("chat-message"), fill: fillMessage });
}

/** What the student wrote is `in` on the wire, and theirs on this page. */
function fillMessage(row, message) {
  const parts = fields(row), mine = message.direction === "in";
  attribute(row, "data-direction", mine ? "out" : "in");
  attribute(row, "data-message-id", message.id);
  const place = client.messages.filter(({ direction }) => direction === "in").indexOf(message);
  const status = message.status === "queued" ? "sending" : message.status === "failed" ? "failed" : place < client.seenByTutors ? "read" : "sent";
  attribute(row, "data-status", mine ? status : null);
  text(parts.body, message.body);
  text(parts.sender, mine ? "" : message.sender?.name ?? "");
  paint(parts.at, message.created_at);
  show(parts["status-icon"].parentElement, mine);
  icon(parts["status-icon"], `status-${status}`);
  text(parts["status-word"], t(`chat.${status}`));
}

function readSoon() {
  if (!document.hidden && client.messages.some(({ direction, status }) => direction === "out" && status !== "read")) client.read();
}
document.addEventListener("visibilitychange", readSoon);

const chat = document.forms.chat;
chat?.addEventListener("submit", (event) => {
  event.preventDefault();
  const { body } = chat.elements;
  if (!body.value.trim()) return;
  attempt(client.send(body.value.trim()));
  body.value = "";
});
chat?.addEventListener("input", () => client.typing());
chat?.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  chat.requestSubmit();
});

const end = moment(state.me.expires_at);
if (end) keepFresh(end, () => client.renewed());
if (state.resume) start(null);
else if (page.dataset.view === "consent") tellReady(part("ready"), part("ready-words"));
