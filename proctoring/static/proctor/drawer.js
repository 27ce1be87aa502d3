// One student: line, chat, what is to review, what happened in order. It is fetched when opened and goes on by events.
import { $, $$, attribute, clone, fields, icon, reconcile, show, soon, text } from "../ui/js/dom.js";
import { avatar } from "../ui/js/people.js";
import { moment, now, paint } from "../ui/js/time.js";
import { toast } from "../ui/js/toast.js";
import { t } from "../ui/js/words.js";
import { plot } from "./beats.js";
import { drawDevices, openedWord, secondOf } from "./devices.js";
import { LIVE, silence } from "./store.js";
import { commandWord, deviceWord, entryDetail, entryWord, leftUntil, reasonWord, seconds, whyWord } from "./wording.js";

const ICONS = { active: "wifi", idle: "clock", hidden: "window", throttled: "window", disconnected: "wifi-off", paused: "lock", submitted: "resolve", terminated: "x", expired: "clock" };
const RELOADING = new Set(["connection_restored", "duplicate_session"]); // the ledger has a line more, or the list of devices
const TYPING = 6_000; // ms until a word of typing is old
const CLOCK = new Intl.DateTimeFormat(document.documentElement.lang, { hour: "numeric", minute: "2-digit" });
const DAY = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium" });

export class Drawer {
  id = null;
  live = null;
  #options;
  #parts = Object.fromEntries($$("[data-drawer]").map((part) => [part.dataset.drawer, part]));
  #detail = null;
  #entries = new Map();
  #commands = new Map();
  #messages = [];
  #told = new Set(); // what events have told of while an answer was on its way: that is older
  #loading = 0;
  #topic = null;
  #typingUntil = 0;
  #typedAt = 0;
  #before = null; // where the focus was
  #draw = soon(() => this.#all());

  constructor(options) {
    this.#options = options;
    const form = this.#parts.composer;
    form.addEventListener("submit", (event) => { event.preventDefault(); this.#write(); });
    form.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); this.#write(); }
    });
    form.addEventListener("input", () => this.#typing());
    this.#parts.reviews.addEventListener("click", (event) => {
      const button = event.target.closest("[data-review]");
      if (button) this.#judge(button.closest("[data-key]").dataset.key, button.dataset.review);
    });
    document.forms.review.addEventListener("submit", (event) => { event.preventDefault(); this.#judged(); });
    document.addEventListener("visibilitychange", () => this.#readSoon());
  }

  get #api() { return this.#options.exams.of(this.id); }
  get #session() { return this.#options.store.sessions.get(this.id); }

  async open(id) {
    if (this.id !== id) {
      this.#before = document.activeElement;
      this.#leave();
      this.id = id;
      this.#all();
      this.#parts.scroll.scrollTop = 0;
    }
    $("#drawer").focus({ preventScroll: true });
    await this.reload();
  }

  close() {
    this.#leave();
    this.id = null;
    this.#options.closed();
    if (this.#before?.isConnected) this.#before.focus({ preventScroll: true });
  }

  #leave() {
    this.#topic?.close();
    this.#topic = null;
    this.#detail = null;
    this.#entries.clear();
    this.#commands.clear();
    this.#messages = [];
    this.#parts.composer.reset();
  }

  async reload() {
    const { id } = this, api = this.#api;
    if (!id) return;
    if (!this.#loading) this.#told.clear();
    this.#loading += 1;
    try {
      const [detail, entries, commands, chat] = await Promise.all([api.detail(id), api.entries(id), api.commands(id), api.chat(id)]);
      if (this.id !== id) return;
      this.#detail = detail;
      const isNew = (one) => !this.#told.has(one.id);
      for (const entry of entries.results.filter(isNew)) this.#entries.set(entry.id, entry);
      for (const command of commands.results.filter(isNew)) this.#commands.set(command.id, command);
      const known = new Set(chat.results.map((message) => message.client_id));
      const told = this.#messages.filter((message) => (message.id ? this.#told.has(message.id) : !known.has(message.client_id)));
      this.#messages = [...chat.results.filter(isNew).reverse(), ...told];
      this.#parts.composer.hidden = !chat.is_open;
      this.#topic ??= this.live?.subscribe(`session.${id}`, { signal: (frame) => this.#typed(frame), poll: false });
      this.#draw();
      this.#readSoon();
    } catch (problem) {
      toast(t("failed", { reason: problem.message }), { tone: "danger" });
    } finally {
      this.#loading -= 1;
    }
  }

  // --- what comes in ---------------------------------------------------------------------------------------------------

  changed(id) { if (id === this.id) this.#draw(); }

  beaten(id, at) {
    if (id !== this.id || !this.#detail) return;
    this.#detail.trail.push({ at: moment(at) / 1000, rtt_ms: null });
    this.#draw();
  }

  entry(entry) {
    if (entry.session !== this.id) return;
    const isNew = !this.#entries.has(entry.id);
    this.#entries.set(entry.id, entry);
    this.#told.add(entry.id);
    this.#draw();
    if (isNew && RELOADING.has(entry.type)) this.reload();
  }

  command(command) {
    if (command.session !== this.id) return;
    const isNew = !this.#commands.has(command.id);
    this.#commands.set(command.id, command);
    this.#told.add(command.id);
    this.#draw();
    if (isNew && command.type === "end_device") this.reload();
    if (command.state === "seen" && (command.type === "resume" || command.type === "extra_time")) this.reload(); // the ledger has moved
  }

  message(message) {
    if (message.session !== this.id) return;
    const at = this.#messages.findIndex(({ id, client_id }) => id === message.id || (client_id && client_id === message.client_id));
    if (at >= 0) this.#messages[at] = message;
    else this.#messages.push(message);
    if (message.id) this.#told.add(message.id);
    if (message.direction === "in") { this.#typingUntil = 0; this.#readSoon(); }
    this.#draw();
  }

  seen() {}
  reads = (id) => id === this.id && !document.hidden;

  #typed({ type, data }) {
    if (type !== "typing" || data.user?.kind !== "student") return;
    this.#typingUntil = Date.now() + TYPING;
    this.tick();
  }

  #readSoon() {
    const api = this.#api, { store } = this.#options;
    if (!this.id || document.hidden || !this.#messages.some(({ direction }) => direction === "in")) return;
    store.read(this.id);
    api.read(this.id).catch(() => {});
  }

  device = (id) => this.#detail?.devices.find((one) => one.id === id);

  // --- what one does ---------------------------------------------------------------------------------------------------

  async #write() {
    const { body } = this.#parts.composer.elements, words = body.value.trim(), session = this.id;
    if (!words) return;
    body.value = "";
    const mine = { client_id: crypto.randomUUID(), session, body: words, direction: "out", status: "queued", sender: { name: this.#options.me.name }, created_at: new Date(now()).toISOString() };
    this.message(mine);
    for (let tries = 0; ; tries += 1) {
      try {
        return this.message(await this.#options.exams.of(session).write(session, { client_id: mine.client_id, body: words }));
      } catch (problem) {
        if (!problem.passing || tries >= 4) {
          this.message({ ...mine, status: "failed" });
          if (!body.value && this.id === session) body.value = words;
          return toast(t("failed", { reason: problem.message }), { tone: "danger" });
        }
        await new Promise((done) => { setTimeout(done, 1_000 * 2 ** tries); });
      }
    }
  }

  #typing() {
    if (Date.now() - this.#typedAt < 5_000) return;
    this.#typedAt = Date.now();
    this.#api.typing(this.id).catch(() => {});
  }

  #judge(id, review) {
    const entry = this.#entries.get(id);
    if (entry.review === review) review = "not_reviewed"; // pressed again: taken back
    if (review === "dismissed" || review === "not_reviewed") return this.#send(id, review, "");
    this.judging = { id, review };
    const form = document.forms.review;
    form.reset();
    text($('[data-review-part="title"]'), t(`review.${review}`));
    text($('[data-review-part="what"]'), `${entryWord(entry)} · ${entry.student_name}`);
    $("#dialog-review").showModal();
    return undefined;
  }

  #judged() {
    const { id, review } = this.judging;
    $("#dialog-review").close();
    return this.#send(id, review, document.forms.review.elements.reason.value);
  }

  async #send(id, review, reason) {
    const api = this.#api, { store } = this.#options, before = this.#entries.get(id);
    this.entry({ ...before, review });
    try {
      const entry = await api.review(id, review, reason);
      this.entry(entry);
      store.entry(entry);
    } catch (problem) {
      this.entry(before);
      toast(t("failed", { reason: problem.message }), { tone: "danger" });
    }
  }

  // --- what is drawn ---------------------------------------------------------------------------------------------------

  tick() {
    const session = this.#session;
    if (!session) return;
    this.#head(session);
    text(this.#parts.typing, Date.now() < this.#typingUntil ? t("typing") : "");
    this.#left(session);
  }

  #all() {
    const session = this.#session;
    if (!session) return;
    const parts = this.#parts, { store } = this.#options, facts = store.facts(this.id);
    avatar(parts.avatar, parts.letters, { id: session.student, name: session.student_name });
    text(parts.name, session.student_name || session.student);
    this.tick();
    const why = facts.rank ? whyWord(facts, silence(session)) : "";
    const devices = this.#devices(session), isLive = LIVE.has(session.status);
    const second = isLive && facts.entry?.type === "duplicate_session" ? secondOf(devices) : null;
    text(parts["why-text"], second ? `${why}. ${openedWord(second)}` : why);
    show(parts.second, second);
    if (second) parts.second.dataset.device = second.id;
    attribute(parts.why, "data-tone", facts.tone || "danger");
    show(parts.why, why);
    for (const button of $$("[data-live-only]", $("#drawer"))) button.disabled = !LIVE.has(session.status);
    show(parts.pause, session.status !== "paused");
    show(parts.resume, session.status === "paused");
    attribute(parts.meter, "max", session.question_count || 1);
    attribute(parts.meter, "value", session.answered_count);
    text(parts.count, session.question_count ? `${session.answered_count}/${session.question_count}` : String(session.answered_count));
    this.#lost(session);
    if (parts.exam) text(parts.exam, this.#options.exams.title(session.exam));
    drawDevices(parts.devices, devices, isLive);
    const consent = this.#detail?.consents?.at(-1);
    const withdrawn = moment(session.consent_withdrawn_at), said = { version: consent?.policy_version, at: withdrawn && CLOCK.format(withdrawn) };
    if (!this.#detail) text(parts.consent, ""); // that none was asked for is known by then alone
    else text(parts.consent, withdrawn ? t(consent ? "consented.until" : "consented.withdrawn", said) : t(consent ? "consented" : "consented.none", said));
    const report = `${this.#api.base}report`, who = `?student=${encodeURIComponent(session.student)}`;
    attribute(parts.csv, "href", `${report}.csv${who}`);
    attribute(parts.pdf, "href", `${report}.pdf${who}`);
    attribute(parts.data, "href", `${this.#api.base}students/${encodeURIComponent(session.student)}/`);
    plot(parts.beats, this.#detail?.trail ?? [], session);
    this.#network(session);
    this.#reviews();
    this.#timeline(session);
    this.#chat();
  }

  #head(session) {
    const parts = this.#parts, state = this.#options.store.facts(this.id).state ?? session.status;
    attribute(parts.state, "data-state", state);
    icon(parts.icon, ICONS[state] ?? "wifi");
    const words = { state: t(`state.${state}`), span: seconds(silence(session)), n: session.current_question };
    text(parts["state-word"], !LIVE.has(session.status) ? words.state : session.current_question ? t("sub.question", words) : t("sub.beat", words));
  }

  #left(session) {
    const end = moment(session.ends_at);
    const stands = moment(session.paused_at);
    const left = !LIVE.has(session.status) ? "" : !end ? t("left.open") : seconds(stands ? Math.max(0, end - session.read_at) : leftUntil(end)); // a pause moves the end along
    const extra = session.extra_seconds ? seconds(session.extra_seconds * 1000) : "";
    text(this.#parts.left, !left || !end ? left : extra ? t("left.extra", { span: left, extra }) : t("left", { span: left }));
  }

  #lost(session) {
    const gaps = (this.#detail?.gaps ?? []).filter(({ cause }) => cause !== "pause");
    const owed = gaps.filter(({ given_back_at: given }) => !given).reduce((sum, gap) => sum + gap.seconds, 0);
    const words = { span: seconds(session.lost_seconds * 1000), n: gaps.length, returned: seconds(session.given_back_seconds * 1000) };
    text(this.#parts.lost, !session.lost_seconds ? t("lost.none") : session.given_back_seconds ? t("lost.returned", words) : t("lost", words));
    show(this.#parts["give-back"], owed && LIVE.has(session.status));
    if (owed) text(this.#parts["give-back"], t("give-back", { span: seconds(Math.ceil(owed / 60) * 60_000) }));
  }

  #network(session) {
    const { network: line, skew_ms: skew } = session;
    text(this.#parts.line, t("line", { n: "10", skew: skew === null ? "0" : String(Math.round(skew / 100) / 10) }));
    const told = line.rtt_ms === null ? "" : line.type ? t("rtt.network", { n: line.rtt_ms, network: line.type }) : t("rtt", { n: line.rtt_ms });
    const late = line.timer_delay_ms > 2_000 ? t("timer-late", { span: seconds(line.timer_delay_ms) }) : "";
    const isGone = this.#detail && !this.#detail.trail.length && session.last_heartbeat && !LIVE.has(session.status);
    text(this.#parts.rtt, isGone ? t("beats.removed") : [told, late].filter(Boolean).join(" · "));
  }

  #reviews() {
    const removed = moment(this.#session.evidence_removed_at);
    const heads = [...this.#entries.values()].filter((entry) => !entry.merged_into && entry.severity !== "info");
    heads.sort((one, other) => Number(one.review !== "not_reviewed") - Number(other.review !== "not_reviewed") || (one.corrected_at < other.corrected_at ? 1 : -1));
    text(this.#parts["review-count"], heads.length ? t("reviews", { n: heads.filter(({ review }) => review === "not_reviewed").length, all: heads.length }) : "");
    show(this.#parts["reviews-none"], this.#detail && !heads.length && !removed);
    show(this.#parts["reviews-removed"], removed);
    if (removed) text(this.#parts["reviews-removed"], t("reviews.removed", { at: DAY.format(removed) }));
    reconcile(this.#parts.reviews, heads, { key: ({ id }) => id, make: () => clone("review"), fill: fillReview });
  }

  #timeline(session) {
    const moments = [{ key: "start", at: session.started_at, word: t("stream.started") }];
    if (session.ended_at) moments.push({ key: "end", at: session.ended_at, word: t(`state.${session.status}`), text: reasonWord(session.end_reason) });
    for (const entry of this.#entries.values()) moments.push({ key: entry.id, at: entry.corrected_at, severity: entry.severity, word: entryWord(entry), text: entryDetail(entry) });
    for (const command of this.#commands.values())
      moments.push({ key: command.id, at: command.created_at, word: commandWord(command), text: [this.#deviceOf(command), command.by?.name, command.type === "note" ? "" : t(`acknowledged.${command.state}`), reasonWord(command.reason)].filter(Boolean).join(" · ") });
    for (const gap of this.#detail?.gaps ?? []) moments.push({ key: gap.id, at: gap.began_at, word: t(`gap.${gap.cause}`, { span: seconds(gap.seconds * 1000) }) });
    moments.sort((one, other) => (one.at < other.at ? 1 : -1));
    reconcile(this.#parts.timeline, moments, { key: ({ key }) => key, make: () => clone("moment"), fill: fillMoment });
  }

  /** Of a sitting from before there was a list, or of a client without a name, what it said of itself. */
  #devices({ user_agent: browser, started_at: since }) {
    const known = this.#detail?.devices ?? [];
    return known.length || !this.#detail || !browser ? known : [{ id: "", name: "", browser, system: "", first_seen_at: since, ended_at: null }];
  }

  #deviceOf({ device }) {
    const found = device && this.#detail?.devices.find(({ name }) => name === device);
    return found ? deviceWord(found) : "";
  }

  #chat() {
    reconcile(this.#parts.messages, this.#messages, { key: ({ client_id, id }) => client_id || id, make: () => clone("chat-message"), fill: fillMessage });
  }
}

function fillReview(article, entry) {
  const parts = fields(article);
  attribute(parts.severity, "data-severity", entry.severity);
  text(parts.severity, t(`severity.${entry.severity}`));
  text(parts.word, entryWord(entry));
  paint(parts.at, entry.corrected_at);
  const detail = entryDetail(entry);
  text(parts.detail, detail);
  show(parts.detail, detail);
  text(parts.explanation, entry.explanation);
  show(parts.explanation, entry.explanation);
  for (const button of $$("[data-review]", parts.buttons)) button.setAttribute("aria-pressed", String(button.dataset.review === entry.review));
  const by = entry.reviewed;
  const words = by && { name: by.by?.name ?? "", at: CLOCK.format(moment(by.at)), reason: by.reason };
  text(parts.by, !by || entry.review === "not_reviewed" ? "" : by.reason ? t("reviewed.why", words) : t("reviewed", words));
}

function fillMoment(row, { severity, word, at, text: words }) {
  const parts = fields(row);
  attribute(parts.severity, "data-severity", severity);
  text(parts.word, word);
  text(parts.text, words ?? "");
  show(parts.text, words);
  paint(parts.at, at);
}

const SHOWN = { queued: "sending", sent: "sent", delivered: "sent", read: "read", failed: "failed" };

export function fillMessage(row, message) {
  const parts = fields(row), mine = message.direction === "out";
  attribute(row, "data-direction", message.direction);
  attribute(row, "data-status", message.status);
  attribute(row, "data-message-id", message.id);
  text(parts.body, message.body);
  text(parts.sender, message.sender?.name ?? "");
  paint(parts.at, message.created_at);
  const shown = SHOWN[message.status] ?? "sent";
  show(parts["status-icon"].parentElement, mine);
  icon(parts["status-icon"], `status-${message.status === "queued" ? "sending" : message.status in SHOWN ? message.status : "sent"}`);
  text(parts["status-word"], t(`chat.${shown}`));
}
