// One list of cards. Its order is whole; of a long one only those near the screen stand in the document, each put at its
// place by its number: what moves is laid out by itself, and 500 cost no more than the screen holds.
import { attribute, show } from "../ui/js/dom.js";

const WHOLE = 150; // cards that stand in the document all of them, for the browser's own search
const MARGIN = 0.5; // of the screen, above it and below

export class Shelf {
  order = []; // cards, as they are to stand
  stop = null; // the card that Tab comes to; none: the first
  element;
  columns = 0;
  #high = 0; // px from row to row
  #gap = 0;
  #way = 1;
  #tall = "";

  constructor(element) {
    this.element = element;
  }

  get stopped() { return this.stop?.list === this ? this.stop : this.order[0]; }

  /** Another width, or another view. */
  measure(columns) {
    const style = getComputedStyle(this.element);
    this.columns = columns;
    this.#gap = parseFloat(style.rowGap);
    this.#high = parseFloat(style.gridAutoRows) + this.#gap;
    this.#way = style.direction === "rtl" ? -1 : 1;
    this.element.style.setProperty("--columns", columns);
  }

  insert(card, at) {
    card.list = this;
    this.order.splice(at, 0, card);
  }

  take(card) {
    this.order.splice(this.order.indexOf(card), 1);
    card.list = null;
  }

  clear() {
    this.order = [];
  }

  /** The cards that are to stand in the document, in order, while the screen shows what lies between `top` and `bottom`. */
  near({ top, bottom }) {
    const { order, columns } = this, at = this.element.getBoundingClientRect().top, margin = (bottom - top) * MARGIN;
    const isWhole = order.length <= WHOLE;
    const first = isWhole ? 0 : Math.max(0, Math.floor((top - margin - at) / this.#high)) * columns;
    const last = isWhole ? order.length : Math.max(first, Math.ceil((bottom + margin - at) / this.#high) * columns);
    const near = order.slice(first, last);
    near.forEach((card, place) => { card.at = first + place; });
    const { stopped } = this;
    if (stopped && !near.includes(stopped)) {
      stopped.at = order.indexOf(stopped);
      if (stopped.at < first) near.unshift(stopped);
      else near.push(stopped);
    }
    return near;
  }

  /** Takes up what stands elsewhere, with its focus. */
  gather(near) {
    for (const { li } of near) if (li.parentNode && li.parentNode !== this.element) put(li, this.element, null);
  }

  /** True when the list has become longer or shorter, so that what follows it lies elsewhere. */
  lay(near) {
    let place = this.element.firstElementChild;
    for (const card of near) {
      const { li } = card;
      if (place !== li && place?.nextElementSibling === li) place = li; // one that left: it is put down where it belongs
      if (place === li) place = place.nextElementSibling;
      else put(li, this.element, place);
      this.#place(card);
    }
    show(this.element, this.order.length);
    attribute(this.element, "data-laid", true);
    const tall = `${Math.ceil(this.order.length / this.columns) * this.#high - this.#gap}px`;
    if (this.#tall === tall) return false;
    this.#tall = this.element.style.blockSize = tall;
    return true;
  }

  #place(card) {
    const { at, li } = card, column = at % this.columns, of = this.order.length;
    const where = `calc(${column * this.#way} * (100% + ${this.#gap}px)) ${((at - column) / this.columns) * this.#high}px`;
    if (card.where !== where) card.where = li.style.translate = where;
    attribute(li, "aria-posinset", at + 1);
    attribute(li, "aria-setsize", of);
    attribute(card.parts.card, "tabindex", card === this.stopped ? "0" : "-1");
  }
}

function put(li, parent, before) {
  if (parent.moveBefore && li.isConnected) return parent.moveBefore(li, before); // which keeps the focus
  const focused = li.contains(document.activeElement) ? document.activeElement : null;
  parent.insertBefore(li, before);
  return focused?.focus({ preventScroll: true });
}
