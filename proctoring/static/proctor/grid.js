// The cards. One that changed is filled, and moved only when its place is another one; a frame takes as many as fit into
// a few milliseconds, the next one goes on. What is not on the screen is not touched by the second's tick.
// A list is laid in parts of some whole rows each (parts.js), for a browser lays out a grid as a whole.
import { $, $$, attribute, clone, fields, icon, show, text } from "../ui/js/dom.js";
import { settle } from "../ui/js/roving.js";
import { moment } from "../ui/js/time.js";
import { t } from "../ui/js/words.js";
import { Parts, put } from "./parts.js";
import { LIVE, compare, silence, sortKey } from "./store.js";
import { seconds, whyWord } from "./wording.js";

const BUDGET = 5; // ms of a frame
const SLICES = 10; // of a second's tick
const CARD = 12.25, GAP = 0.5, TABLE = 46; // rem: the least width of a card, between two, the least for a table
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
  #store;
  #exams;
  #main;
  #lists;
  #aside; // cards that do not fit the filter: they may be chosen all the same
  #sorting = false; // everything finds its place anew, which is shown at the end
  #cards = new Map();
  #dirty = new Set();
  #unplaced = new Set(); // look as they did, and have to find their place
  #due = false;
  #held = new Set(); // would move, but the pointer is there
  #pointer = false;
  #skipped = new WeakSet(); // parts that the browser leaves out, being far from the screen
  #drawn; // told after each round

  constructor(main, store, exams, drawn) {
    this.#main = main;
    this.#store = store;
    this.#exams = exams;
    this.#drawn = drawn;
    this.#lists = Object.fromEntries(["flagged", "rest"].map((name) => [name, new Parts($(`[data-list="${name}"]`, main))]));
    this.#aside = $('[data-part="aside"]', main);
    for (const { element } of Object.values(this.#lists)) {
      element.addEventListener("pointerenter", () => { this.#pointer = true; });
      element.addEventListener("pointerleave", () => this.#release());
    }
    document.addEventListener("pointerleave", () => this.#release());
    // The browser says itself which parts it lays out; an observer of our own would measure all of them once more.
    main.addEventListener("contentvisibilityautostatechange", (event) => this.#sight(event));
    setInterval(() => this.#tick(), 1_000 / SLICES);
    new ResizeObserver(([{ contentRect }]) => this.#wide(contentRect.width)).observe(main);
  }

  #width = 0;
  #wide(width) {
    this.#width = width;
    this.look();
  }

  /** Another width, or a table instead of cards: another number of columns. */
  look() {
    if (!this.#width) return; // not measured yet
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const isOne = matchMedia("(width < 48rem)").matches || (this.#main.dataset.view === "table" && this.#width >= TABLE * rem);
    const columns = isOne ? 1 : Math.max(1, Math.floor((this.#width / rem + GAP) / (CARD + GAP)));
    for (const list of Object.values(this.#lists)) list.columns = columns;
    this.#soon();
  }

  /** The server's cards become ours; their order is the server's until something changes. */
  adopt() {
    for (const list of Object.values(this.#lists)) {
      for (const li of $$("li", list.element)) {
        const id = li.dataset.key;
        if (this.#store.sessions.has(id)) this.#adopt(id, li);
        else li.remove();
      }
    }
    for (const id of this.#store.sessions.keys()) this.#dirty.add(id);
    this.all();
  }

  #adopt(id, li) {
    const card = { id, li, parts: fields(li), list: null, key: null, isNew: false };
    this.#cards.set(id, card);
    return card;
  }

  mark(id) {
    this.#dirty.add(id);
    this.#soon();
  }

  /** Another filter or order: everything has to find its place. */
  all() {
    for (const card of this.#cards.values()) card.list = card.key = null;
    for (const list of Object.values(this.#lists)) list.clear();
    this.#sorting = true;
    this.#held.clear();
    this.#pointer = false;
    for (const id of this.#store.sessions.keys()) this.#unplaced.add(id);
    this.#soon();
  }

  card = (id) => this.#cards.get(id)?.li;
  ids = () => [...this.#lists.flagged.order, ...this.#lists.rest.order].map(({ id }) => id);
  get hasRest() { return this.#lists.rest.order.length > 0; }
  get shown() { return this.#lists.flagged.order.length + this.#lists.rest.order.length; }
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
    this.#some(this.#dirty, until, (id) => this.#draw(id));
    this.#some(this.#unplaced, until, (id) => this.#arrange(id));
    const isLeft = this.#dirty.size + this.#unplaced.size > 0;
    if (!isLeft) this.#sorting = false;
    const isLaid = this.#sorting || Object.values(this.#lists).map((list) => list.lay(until)).every(Boolean);
    for (const list of Object.values(this.#lists)) list.tidy();
    if (isLeft || !isLaid) this.#soon();
    else for (const { element } of Object.values(this.#lists)) if (!$('[data-item][tabindex="0"]', element)) settle(element);
    this.#drawn({ whole: !isLeft });
  }

  #some(ids, until, run) {
    let done = 0;
    for (const id of ids) {
      ids.delete(id);
      run(id);
      done += 1;
      if (done % LOOK === 0 && performance.now() > until && !document.hidden) return;
    }
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
    this.#put(card, session, facts);
  }

  #arrange(id) {
    const card = this.#cards.get(id), session = this.#store.sessions.get(id);
    if (card && session) this.#put(card, session, this.#store.facts(id));
  }

  /** Into its place, or aside. */
  #put(card, session, facts) {
    this.#unplaced.delete(card.id);
    const fits = this.#fits(session, facts);
    if (card.li.hidden === fits) card.li.hidden = !fits;
    if (fits) this.#place(card, session, facts);
    else this.#setAside(card);
  }

  #setAside(card) {
    this.#takeOut(card);
    this.#held.delete(card);
    if (card.li.parentNode !== this.#aside) put(card.li, this.#aside, null);
  }

  #takeOut(card) {
    card.list?.take(card);
    card.list = card.key = null;
  }

  #drop(id) {
    const card = this.#cards.get(id);
    if (!card) return;
    this.#takeOut(card);
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
    if (!this.#turn.length) {
      this.#turn = this.#onScreen();
      this.#slice = Math.ceil(this.#turn.length / SLICES);
    }
    for (const { dataset } of this.#turn.splice(0, this.#slice)) this.#ticked(dataset.key);
  }
  #turn = [];
  #slice = 0;

  /** Browsers lay out more than they show. */
  #onScreen() {
    const { top, bottom } = this.#main.getBoundingClientRect();
    const parts = Object.values(this.#lists).flatMap(({ element }) => [...element.children]).filter((part) => !this.#skipped.has(part));
    return parts.filter((part) => { const at = part.getBoundingClientRect(); return at.bottom > top && at.top < bottom; }).flatMap((part) => [...part.children]);
  }

  /** Only the seconds differ: a beat is seen within one of them. */
  #ticked(id) {
    const card = this.#cards.get(id), session = this.#store.sessions.get(id);
    if (card && session && LIVE.has(session.status) && !this.#skipped.has(card.li.parentNode)) this.#seconds(card, session, this.#store.facts(id));
  }

  #sight({ target, skipped }) {
    if (skipped) return void this.#skipped.add(target);
    this.#skipped.delete(target);
    for (const { dataset } of target.children) this.#ticked(dataset.key);
    return undefined;
  }

  // --- places ----------------------------------------------------------------------------------------------------------

  #place(card, session, facts) {
    const list = facts.rank ? this.#lists.flagged : this.#lists.rest;
    const key = sortKey(this.order, session, facts);
    if (card.list === list && card.key && compare(card.key, key) === 0) return;
    // What a pointer is on stays where it is; a card that is nowhere yet comes in at once, at the end.
    if (this.#pointer && card.list) return void this.#held.add(card);
    card.list?.take(card);
    [card.list, card.key] = [list, key];
    list.insert(card, this.#pointer ? list.order.length : position(list.order, key));
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
