// The cards. One that changed is filled, and moved only when its place is another one; a frame takes as many as fit into
// a few milliseconds, the next one goes on. What is not on the screen is not touched by the second's tick.
import { $, attribute, clone, fields, icon, show, text } from "../ui/js/dom.js";
import { settle } from "../ui/js/roving.js";
import { moment } from "../ui/js/time.js";
import { t } from "../ui/js/words.js";
import { LIVE, compare, silence, sortKey } from "./store.js";
import { seconds, whyWord } from "./wording.js";

const BUDGET = 5; // ms of a frame
const SLICES = 10; // of a second's tick
const LOOK = 20; // cards between two looks at the clock
const ICONS = { active: "wifi", idle: "clock", hidden: "window", throttled: "window", disconnected: "wifi-off", paused: "lock", submitted: "resolve", terminated: "x", expired: "clock" };
const SEVERITIES = ["critical", "high", "medium", "low"];
const CLOCK = new Intl.DateTimeFormat(document.documentElement.lang, { hour: "numeric", minute: "2-digit" });

export class Grid {
  filter = "all";
  exam = "";
  group = "";
  search = "";
  order = "state";
  shown = 0;
  #store;
  #exams;
  #main;
  #lists;
  #cards = new Map();
  #dirty = new Set();
  #due = false;
  #held = new Set(); // would move, but the pointer is there
  #pointer = false;
  #onScreen = new Set();
  #drawn; // told after each round

  constructor(main, store, exams, drawn) {
    this.#main = main;
    this.#store = store;
    this.#exams = exams;
    this.#drawn = drawn;
    this.#lists = Object.fromEntries(["flagged", "rest"].map((name) => [name, { name, element: $(`[data-list="${name}"]`, main), order: [] }]));
    for (const { element } of Object.values(this.#lists)) {
      element.addEventListener("pointerenter", () => { this.#pointer = true; });
      element.addEventListener("pointerleave", () => this.#release());
    }
    document.addEventListener("pointerleave", () => this.#release());
    // The browser says itself which cards it lays out; an observer of our own would measure all of them once more.
    main.addEventListener("contentvisibilityautostatechange", (event) => this.#sight(event));
    setInterval(() => this.#tick(), 1_000 / SLICES);
  }

  /** The server's cards become ours; their order is the server's until something changes. */
  adopt() {
    for (const list of Object.values(this.#lists)) {
      for (const li of [...list.element.children]) {
        const id = li.dataset.key;
        if (this.#store.sessions.has(id)) this.#adopt(id, li);
        else li.remove();
      }
    }
    this.all();
  }

  #adopt(id, li) {
    const card = { id, li, parts: fields(li), list: null, key: null, isNew: false };
    this.#cards.set(id, card);
    this.#onScreen.add(card); // until the browser says that it leaves it out
    return card;
  }

  mark(id) {
    this.#dirty.add(id);
    this.#soon();
  }

  /** Another filter or order: everything has to find its place. */
  all() {
    for (const card of this.#cards.values()) card.list = card.key = null;
    for (const list of Object.values(this.#lists)) list.order = [];
    this.#held.clear();
    this.#pointer = false;
    for (const id of this.#store.sessions.keys()) this.#dirty.add(id);
    this.#soon();
  }

  card = (id) => this.#cards.get(id)?.li;
  ids = () => [...this.#lists.flagged.order, ...this.#lists.rest.order].filter(({ li }) => !li.hidden).map(({ id }) => id);
  get hasRest() { return this.#lists.rest.order.some(({ li }) => !li.hidden); }
  get held() { return this.#held.size; }

  #soon() {
    if (this.#due) return;
    this.#due = true;
    const run = () => { if (this.#due) { this.#due = false; this.#round(); } };
    requestAnimationFrame(run);
    if (document.hidden) setTimeout(run, 60); // no frames there
  }

  #round() {
    const until = performance.now() + BUDGET;
    let done = 0;
    for (const id of this.#dirty) {
      this.#dirty.delete(id);
      this.#draw(id);
      done += 1;
      if (done % LOOK === 0 && performance.now() > until && !document.hidden) break;
    }
    if (this.#dirty.size) this.#soon();
    else for (const { element } of Object.values(this.#lists)) if (!$('[data-item][tabindex="0"]', element)) settle(element);
    this.#drawn({ whole: !this.#dirty.size });
  }

  #draw(id) {
    const session = this.#store.sessions.get(id);
    if (!session) return;
    if (!this.#store.shown(session)) return void this.#drop(id);
    const facts = this.#store.facts(id);
    let card = this.#cards.get(id);
    if (!card) {
      const li = clone("student");
      li.dataset.key = id;
      li.firstElementChild.dataset.session = id;
      card = this.#adopt(id, li);
    }
    this.#fill(card, session, facts);
    this.#place(card, session, facts);
    const fits = this.#fits(session, facts);
    if (card.li.hidden === fits || card.counted === undefined) {
      card.li.hidden = !fits;
      this.shown += (fits ? 1 : 0) - (card.counted ? 1 : 0);
      card.counted = fits;
    }
  }

  #drop(id) {
    const card = this.#cards.get(id);
    if (!card) return;
    if (card.list) card.list.order.splice(card.list.order.indexOf(card), 1);
    if (card.counted) this.shown -= 1;
    this.#onScreen.delete(card);
    this.#held.delete(card);
    card.li.remove();
    this.#cards.delete(id);
  }

  #fits(session, facts) {
    if (!facts.tags?.includes(this.filter)) return false;
    if (this.exam && session.exam !== this.exam) return false;
    if (this.group && session.group !== this.group) return false;
    return !this.search || session.student_name.toLocaleLowerCase().includes(this.search) || session.student === this.search;
  }

  #fill(card, session, facts) {
    const { parts } = card;
    attribute(parts.card, "data-status", session.status);
    attribute(parts.card, "data-tone", facts.tone || null);
    text(parts.name, session.student_name || session.student);
    const exam = this.#exams.title(session.exam);
    text(parts.exam, exam);
    show(parts.exam, exam);
    const why = whyWord(facts, silence(session));
    text(parts.why, why);
    show(parts.why, why);
    show(parts.private, session.consent_withdrawn_at);
    attribute(parts.state, "data-state", facts.state);
    text(parts.word, t(`state.${facts.state}`));
    icon(parts.icon, ICONS[facts.state] ?? "wifi");
    for (const severity of SEVERITIES) {
      const n = session.severities[severity];
      text(parts[severity], n ? String(n) : "");
      if (n) attribute(parts[severity], "aria-label", `${n} ${t(`severity.${severity}`)}`);
      show(parts[severity], n);
    }
    text(parts.count, session.question_count ? `${session.answered_count}/${session.question_count}` : String(session.answered_count));
    attribute(parts.meter, "max", session.question_count || 1);
    attribute(parts.meter, "value", session.answered_count);
    attribute(parts.meter, "data-tone", session.status === "submitted" ? "success" : "quiet");
    this.#seconds(card, session, facts);
  }

  #seconds(card, session, facts) {
    if (!LIVE.has(session.status)) return text(card.parts.time, session.ended_at ? CLOCK.format(moment(session.ended_at)) : "");
    const silent = silence(session);
    text(card.parts.time, session.last_heartbeat ? seconds(silent) : "");
    if (facts.why === "silent") text(card.parts.why, whyWord(facts, silent));
    return undefined;
  }

  /** Everything on the screen once a second, a slice at a time: seventy cards at once would cost a frame. */
  #tick() {
    if (document.hidden) return;
    if (!this.#turn.length) this.#turn = [...this.#onScreen];
    for (const card of this.#turn.splice(0, Math.ceil(this.#onScreen.size / SLICES))) {
      const session = this.#store.sessions.get(card.id);
      if (session && LIVE.has(session.status) && this.#onScreen.has(card)) this.#seconds(card, session, this.#store.facts(card.id));
    }
  }
  #turn = [];

  /** A beat came: only the seconds differ. */
  beaten(id) {
    const card = this.#cards.get(id), session = this.#store.sessions.get(id);
    if (card && this.#onScreen.has(card)) this.#seconds(card, session, this.#store.facts(id));
  }

  #sight({ target, skipped }) {
    const card = this.#cards.get(target.parentElement?.dataset.key);
    if (!card) return;
    if (skipped) return void this.#onScreen.delete(card);
    this.#onScreen.add(card);
    const session = this.#store.sessions.get(card.id);
    if (session) this.#seconds(card, session, this.#store.facts(card.id));
  }

  // --- places ----------------------------------------------------------------------------------------------------------

  #place(card, session, facts) {
    const list = facts.rank ? this.#lists.flagged : this.#lists.rest;
    const key = sortKey(this.order, session, facts);
    if (card.list === list && card.key && compare(card.key, key) === 0) return;
    // What a pointer is on stays where it is; a card that is nowhere yet comes in at once, at the end.
    if (this.#pointer && card.list) return void this.#held.add(card);
    if (card.list) card.list.order.splice(card.list.order.indexOf(card), 1);
    const at = this.#pointer ? list.order.length : position(list.order, key);
    const next = list.order[at];
    list.order.splice(at, 0, card);
    [card.list, card.key] = [list, key];
    const before = next?.li ?? null;
    if (card.li.parentNode === list.element && (card.li.nextElementSibling ?? null) === before) return;
    if (list.element.moveBefore && card.li.isConnected) list.element.moveBefore(card.li, before);
    else {
      const focused = card.li.contains(document.activeElement) ? document.activeElement : null;
      list.element.insertBefore(card.li, before);
      focused?.focus({ preventScroll: true });
    }
  }

  #release() {
    this.#pointer = false;
    if (!this.#held.size) return;
    for (const card of this.#held) this.#dirty.add(card.id);
    this.#held.clear();
    this.#soon();
  }
}

function position(order, key) {
  let low = 0, high = order.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compare(order[middle].key, key) <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
