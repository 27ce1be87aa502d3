// The cards. One that changed is filled, and moved only when its place is another one; a frame takes as many as fit into
// a few milliseconds, the next one goes on. A student far from the screen has a place and no card (shelf.js).
import { $, $$, attribute, clone, fields, icon, show, text } from "../ui/js/dom.js";
import { moment } from "../ui/js/time.js";
import { t } from "../ui/js/words.js";
import { Shelf } from "./shelf.js";
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
  chosen = new Set(); // those that do not fit the filter may be chosen all the same
  #current = null; // the one that is open
  #store;
  #exams;
  #main;
  #lists;
  #sorting = false; // everything finds its place anew, which is shown at the end
  #cards = new Map(); // of each student one, whether it stands in the document or not
  #drawn = new Set(); // those that do
  #dirty = new Set();
  #unplaced = new Set(); // look as they did, and have to find their place
  #due = false;
  #held = new Set(); // would move, but the pointer is there
  #pointer = false;
  #told; // after each round

  constructor(main, store, exams, told) {
    this.#main = main;
    this.#store = store;
    this.#exams = exams;
    this.#told = told;
    this.#lists = Object.fromEntries(["flagged", "rest"].map((name) => [name, new Shelf($(`[data-list="${name}"]`, main))]));
    for (const { element } of this.#shelves) {
      element.addEventListener("pointerenter", () => { this.#pointer = true; });
      element.addEventListener("pointerleave", () => this.#release());
    }
    document.addEventListener("pointerleave", () => this.#release());
    main.addEventListener("scroll", () => this.#soon(), { passive: true });
    main.addEventListener("focusin", ({ target }) => this.#stop(this.#cards.get(target.closest(".students > li")?.dataset.key)));
    main.addEventListener("keydown", (event) => this.#key(event));
    setInterval(() => this.#tick(), 1_000 / SLICES);
    new ResizeObserver(([{ contentRect }]) => this.#wide(contentRect.width)).observe(main);
  }

  get #shelves() { return Object.values(this.#lists); }
  get #columns() { return this.#lists.rest.columns; }

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
    for (const list of this.#shelves) list.measure(columns);
    this.#soon();
  }

  /** The server's cards become ours; their order is the server's until something changes. */
  adopt() {
    for (const { element } of this.#shelves) {
      for (const li of $$("li", element)) {
        const id = li.dataset.key;
        if (this.#store.sessions.has(id)) this.#give(this.#know(id), li);
        else li.remove();
      }
    }
    for (const id of this.#store.sessions.keys()) this.#dirty.add(id);
    this.all();
  }

  #know(id) {
    const card = { id, list: null, key: null, at: 0, li: null, parts: null, where: "" };
    this.#cards.set(id, card);
    return card;
  }

  #give(card, li) {
    [card.li, card.parts, card.where] = [li, fields(li), ""];
    this.#drawn.add(card);
  }

  #strip(card) {
    card.li?.remove();
    card.li = card.parts = null;
    this.#drawn.delete(card);
  }

  mark(id) {
    this.#dirty.add(id);
    this.#soon();
  }

  /** Another filter or order: everything has to find its place. */
  all() {
    for (const card of this.#cards.values()) card.list = card.key = null;
    for (const list of this.#shelves) list.clear();
    this.#sorting = true;
    this.#held.clear();
    this.#pointer = false;
    for (const id of this.#store.sessions.keys()) this.#unplaced.add(id);
    this.#soon();
  }

  get #everybody() { return this.#shelves.flatMap(({ order }) => order); }
  ids = () => this.#everybody.map(({ id }) => id);
  get hasFlagged() { return this.#lists.flagged.order.length > 0; }
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
    if (!this.#sorting) this.#lay();
    if (isLeft) this.#soon();
    this.#told({ whole: !isLeft });
  }

  /** Cards for whoever is near the screen; everything is measured before anything moves. */
  #lay() {
    if (!this.#columns) return;
    const screen = this.#main.getBoundingClientRect(), nears = this.#shelves.map((list) => list.near(screen)), near = new Set(nears.flat());
    for (const card of this.#drawn) if (!near.has(card)) this.#strip(card);
    for (const card of near) if (!card.li) this.#make(card);
    this.#shelves.forEach((list, at) => list.gather(nears[at]));
    if (this.#shelves.filter((list, at) => list.lay(nears[at])).length) this.#soon();
  }

  #make(card) {
    const li = clone("student"), session = this.#store.sessions.get(card.id);
    li.dataset.key = li.firstElementChild.dataset.session = card.id;
    this.#give(card, li);
    this.#fill(card, session, this.#store.facts(card.id));
    this.#dress(card);
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
    const facts = this.#store.facts(id), card = this.#cards.get(id) ?? this.#know(id);
    if (card.li) this.#fill(card, session, facts);
    this.#put(card, session, facts);
  }

  #arrange(id) {
    const card = this.#cards.get(id), session = this.#store.sessions.get(id);
    if (card && session) this.#put(card, session, this.#store.facts(id));
  }

  /** Into its place, or into none. */
  #put(card, session, facts) {
    this.#unplaced.delete(card.id);
    if (this.#fits(session, facts)) this.#place(card, session, facts);
    else if (this.#pointer && card.list) this.#held.add(card);
    else this.#takeOut(card);
  }

  #takeOut(card) {
    card.list?.take(card);
    card.key = null;
    this.#held.delete(card);
  }

  #drop(id) {
    const card = this.#cards.get(id);
    if (!card) return;
    this.#takeOut(card);
    this.#strip(card);
    this.#cards.delete(id);
    this.chosen.delete(id);
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
    attribute(parts.severities, "title", SEVERITIES.filter((one) => session.severities[one]).map((one) => `${session.severities[one]} ${t(`severity.${one}`)}`).join(" · ") || null);
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

  /** Once a second, a slice of the cards at a time: all at once would cost a frame. Only the seconds differ. */
  #tick() {
    if (document.hidden) return;
    if (!this.#turn.length) {
      this.#turn = [...this.#drawn];
      this.#slice = Math.ceil(this.#turn.length / SLICES);
    }
    for (const card of this.#turn.splice(0, this.#slice)) {
      const session = this.#store.sessions.get(card.id);
      if (card.li && LIVE.has(session?.status)) this.#seconds(card, session, this.#store.facts(card.id));
    }
  }
  #turn = [];
  #slice = 0;

  // --- places ----------------------------------------------------------------------------------------------------------

  #place(card, session, facts) {
    const list = facts.rank ? this.#lists.flagged : this.#lists.rest;
    const key = sortKey(this.order, session, facts);
    if (card.list === list && card.key && compare(card.key, key) === 0) return;
    // What a pointer is on stays where it is; a card that is nowhere yet comes in at once, at the end.
    if (this.#pointer && card.list) return void this.#held.add(card);
    const isStop = card.list?.stop === card;
    card.list?.take(card);
    card.key = key;
    list.insert(card, this.#pointer ? list.order.length : position(list.order, key));
    if (isStop) list.stop = card;
  }

  #release() {
    this.#pointer = false;
    if (!this.#held.size) return;
    for (const card of this.#held) this.#dirty.add(card.id);
    this.#held.clear();
    this.#soon();
  }

  // --- what is chosen, open, and come to by keys -------------------------------------------------------------------------

  choose(id, on) {
    if (on) this.chosen.add(id);
    else this.chosen.delete(id);
    this.#dress(this.#cards.get(id));
  }

  open(id) {
    const before = this.#cards.get(this.#current);
    this.#current = id;
    this.#dress(before);
    this.#dress(this.#cards.get(id));
  }

  #dress(card) {
    if (!card?.li) return;
    attribute(card.parts.card, "aria-current", card.id === this.#current ? "true" : null);
    $("[data-pick]", card.li).checked = this.chosen.has(card.id);
  }

  #stop(card) {
    if (!card?.list || card.list.stopped === card) return;
    card.list.stop = card;
    this.#soon();
  }

  /** From the card with the focus, else the open one, to that so many places on. */
  step(by) {
    const all = this.#everybody, here = document.activeElement?.closest(".students > li")?.dataset.key ?? this.#current;
    const from = all.findIndex(({ id }) => id === here);
    this.#come(from < 0 ? all.at(by > 0 ? 0 : -1) : all[Math.min(Math.max(from + by, 0), all.length - 1)]);
  }

  /** Wherever it stands: it gets its card first. */
  #come(card) {
    if (!card) return;
    card.list.stop = card;
    this.#lay();
    card.parts.card.focus({ preventScroll: true });
    card.li.scrollIntoView({ block: "nearest" });
  }

  #key(event) {
    const card = event.target.matches(".student") && this.#cards.get(event.target.dataset.session);
    if (!card || event.ctrlKey || event.metaKey || event.altKey) return;
    const aside = getComputedStyle(this.#main).direction === "rtl" ? -1 : 1;
    const moves = { ArrowDown: this.#columns, ArrowUp: -this.#columns, ArrowRight: aside, ArrowLeft: -aside };
    if (moves[event.key]) this.step(moves[event.key]);
    else if (event.key === "Home" || event.key === "End") this.#come(card.list.order.at(event.key === "Home" ? 0 : -1));
    else return;
    event.preventDefault();
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
