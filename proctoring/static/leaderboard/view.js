// Draws what a board knows: rows glide to their places, the one who has just moved up says so.
import { $, announce, attribute, clone, fields, reconcile, show, text } from "../ui/js/dom.js";
import { t } from "../ui/js/words.js";

const TOLD = 4_000; // ms for which a row says how it moved
const PARTY = 3_200;
const GLIDE = 600, LEAST_GLIDE = 150; // ms; where scores come faster than rows could glide they jump
const ROW = 200; // px: no row is higher
const still = matchMedia("(prefers-reduced-motion: reduce)");
const part = (name) => $(`[data-part="${name}"]`);
const number = new Intl.NumberFormat(document.documentElement.lang, { maximumFractionDigits: 3 });
const many = (key, n) => t(n === 1 ? `${key}.1` : key, { n: number.format(n) });

export class View {
  #page = $(".board-page");
  #places = new Map();
  #leader = null;
  #timers = new Map();
  #party = null;
  #drawnAt = -Infinity;

  /** `quiet` draws without telling who moved: the first time, and after having been away. */
  draw(board, { top, isOpen, boardName, quiet = false }) {
    const shown = board.rows.slice(0, top);
    const own = board.own;
    const duration = Math.min(GLIDE, performance.now() - this.#drawnAt);
    this.#drawnAt = performance.now();
    const before = duration < LEAST_GLIDE ? new Map() : positions();
    reconcile(part("ranks"), shown, { key: ({ id }) => id, make: () => clone("row"), fill: (row, data) => this.#fill(row, data, own) });
    this.#near(shown, own);
    glide(before, duration);
    this.#moved(shown, quiet);
    this.#words(board, { own, isOpen, boardName, rows: shown.length });
    this.#lead(shown[0], quiet);
  }

  gone() {
    part("ranks").replaceChildren();
    show(part("near"), false);
    show(part("own"), false);
    show(part("empty"), true);
    text(part("empty-title"), t("gone"));
    text(part("empty-text"), "");
    text(part("hint"), "");
    this.#leader = null;
    this.#places.clear();
    attribute(this.#page, "data-state", "gone");
  }

  #fill(element, row, own) {
    const mine = own?.row.id === row.id;
    const parts = fields(element);
    attribute(element, "data-place", row.rank);
    attribute(element, "data-me", mine);
    text(parts.place, String(row.rank));
    text(parts.nickname, row.nickname);
    text(parts.score, number.format(row.score));
    text(parts.max, number.format(row.max_score));
    attribute(parts.meter, "max", row.max_score);
    attribute(parts.meter, "value", row.score);
    show(parts.you, mine);
  }

  #near(shown, own) {
    const known = new Set(shown.map(({ id }) => id));
    const rows = own && !known.has(own.row.id) ? [...own.before, own.row, ...own.after].filter(({ id }) => !known.has(id)) : [];
    reconcile(part("near"), rows, { key: ({ id }) => id, make: () => clone("row"), fill: (row, data) => this.#fill(row, data, own) });
    show(part("near"), rows.length > 0);
  }

  #moved(shown, quiet) {
    const places = new Map(shown.map(({ id }, index) => [id, index]));
    if (!quiet)
      for (const [id, now] of places) {
        const was = this.#places.get(id);
        if (was === undefined && this.#places.size) this.#tell(id, t("moved.new"));
        else if (was !== undefined && was - now > 0) this.#tell(id, t("moved.up", { n: was - now }));
      }
    this.#places = places;
  }

  #tell(id, word) {
    const element = part("ranks").querySelector(`[data-key="${id}"]`);
    if (!element) return;
    const mark = fields(element).moved;
    text(mark, word);
    show(mark, true);
    clearTimeout(this.#timers.get(id));
    this.#timers.set(id, setTimeout(() => { show(mark, false); this.#timers.delete(id); }, TOLD));
  }

  #words(board, { own, isOpen, boardName, rows }) {
    text(part("players"), many("players", board.players));
    if (boardName) text(part("name"), boardName);
    show(part("empty"), rows === 0);
    if (!rows) {
      text(part("empty-title"), t(isOpen ? "empty" : "empty.closed"));
      text(part("empty-text"), t(isOpen ? "empty.text" : "closed"));
    }
    show(part("closed"), !isOpen);
    text(part("hint"), t(isOpen ? "open" : "closed"));
    attribute(this.#page, "data-state", !isOpen ? "closed" : rows ? "open" : "empty");
    attribute(this.#page, "data-full", rows >= 10);
    const place = part("own");
    show(place, Boolean(board.nickname));
    if (board.nickname) text(place, ownWords(board, own));
  }

  #lead(first, quiet) {
    const before = this.#leader;
    this.#leader = first?.id ?? null;
    if (quiet || !first || !before || before === first.id) return;
    announce(t("leads", { name: first.nickname, score: number.format(first.score), max: number.format(first.max_score) }));
    if (still.matches) return;
    clearTimeout(this.#party);
    this.#page.dataset.newLeader = "";
    this.#party = setTimeout(() => delete this.#page.dataset.newLeader, PARTY);
  }
}

function ownWords(board, own) {
  if (!own) return t("own.none", { name: board.nickname });
  const next = own.before.at(-1);
  const given = { name: own.row.nickname, n: number.format(own.row.rank), all: number.format(board.players) };
  if (!next || next.score <= own.row.score) return t("own", given);
  const missing = Math.round((next.score - own.row.score) * 1000) / 1000;
  return t("own.behind", { ...given, points: many("points", missing), other: next.nickname });
}

/** Where each row stands now, in either list. */
function positions() {
  const found = new Map();
  if (still.matches || document.hidden) return found;
  for (const row of document.querySelectorAll(".rank")) found.set(row, row.getBoundingClientRect().top);
  return found;
}

/** From where it stood to where it stands. New rows fade in. What happens out of sight costs no animation. */
function glide(before, duration) {
  if (!before.size) return;
  const easing = "cubic-bezier(0.2, 0.7, 0.2, 1)";
  const isSeen = (top) => top > -ROW && top < innerHeight;
  const moves = [...document.querySelectorAll(".rank")].map((row) => [row, before.get(row), row.getBoundingClientRect().top]);
  for (const [row, was, now] of moves) {
    if (!isSeen(now) && !(was !== undefined && isSeen(was))) continue;
    if (was === undefined) row.animate([{ opacity: 0 }, { opacity: 1 }], { duration, easing });
    else if (Math.abs(was - now) > 1) row.animate([{ transform: `translateY(${was - now}px)` }, { transform: "none" }], { duration, easing });
  }
}
