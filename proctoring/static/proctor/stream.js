// What happened, newest first. Each thing is one row; what belongs together (an announcement to forty) is one row that
// goes on being filled. Rows stand in parts, so that a new one moves its own part alone, and those out of sight rest.
import { attribute, clone, fields, show, soon, text } from "../ui/js/dom.js";
import { paint } from "../ui/js/time.js";

const MOST = 200, PART = 20; // rows
const RANKS = { info: 1, low: 2, medium: 3, high: 4, critical: 5 };

export class Stream {
  #place;
  #rows = new Map();
  #waiting = new Map();
  #soon = soon(() => this.#draw());

  constructor(place) {
    this.#place = place;
  }

  /** `key` once; `at` puts it in its place among the newest. */
  add(item) {
    this.#waiting.set(item.key, item);
    this.#soon();
  }

  #draw() {
    const items = [...this.#waiting.values()].sort((one, other) => (one.at < other.at ? -1 : 1));
    this.#waiting.clear();
    for (const item of items) {
      let row = this.#rows.get(item.key);
      if (!row) {
        row = clone("event");
        this.#rows.set(item.key, row);
        row.dataset.key = item.key;
        row.dataset.at = item.at;
        this.#insert(row, item.at);
      }
      this.#fill(row, item);
    }
    while (this.#rows.size > MOST) this.#drop(this.#place.lastElementChild);
  }

  #drop(part) {
    const row = part.lastElementChild;
    if (row) {
      this.#rows.delete(row.dataset.key);
      row.remove();
    }
    if (!part.firstElementChild) part.remove();
  }

  #insert(row, at) {
    const [first] = this.#place.children;
    for (const part of this.#place.children) {
      const before = [...part.children].find(({ dataset }) => dataset.at <= at);
      if (!before) continue;
      if (part !== first || part.children.length < PART || before !== part.firstElementChild) return part.insertBefore(row, before);
      const fresh = part.cloneNode(false);
      fresh.append(row);
      return this.#place.prepend(fresh);
    }
    return this.#place.lastElementChild.append(row);
  }

  #fill(row, { severity, name, session, text: words, late, at, always }) {
    const parts = fields(row);
    attribute(row, "data-rank", always ? 5 : RANKS[severity] ?? 0);
    attribute(parts.severity, "data-severity", severity);
    text(parts.name, name);
    attribute(parts.name, "data-open", session);
    text(parts.text, words);
    text(parts.late, late ?? "");
    show(parts.late, late);
    paint(parts.at, at);
  }
}
