// A list of cards as it stands in the page: parts of a few whole rows each. Every part is an island of layout, and one
// that is out of sight is not laid out at all: what a move costs is some dozen cards, whatever the length of the list.
import { show } from "../ui/js/dom.js";

const SIZE = 15; // cards of a part, about
const ROWS = 3; // at least

export class Parts {
  order = []; // cards, as they are to stand
  element;
  #columns = 0;
  #from = 0; // the first part that may be another one

  constructor(element) {
    this.element = element;
  }

  set columns(columns) {
    if (columns === this.#columns) return;
    this.#columns = columns;
    this.element.style.setProperty("--columns", columns);
    this.#from = 0;
  }

  get #size() { return this.#columns * Math.max(ROWS, Math.ceil(SIZE / this.#columns)); }

  clear() {
    this.order = [];
    this.#from = 0;
  }

  insert(card, at) {
    this.order.splice(at, 0, card);
    this.#touch(at);
  }

  take(card) {
    const at = this.order.indexOf(card);
    if (at < 0) return;
    this.order.splice(at, 1);
    this.#touch(at);
  }

  #touch(at) {
    if (this.#columns) this.#from = Math.min(this.#from, Math.floor(at / this.#size));
  }

  /** Puts down what is elsewhere, part by part; false when the time is over before the end. */
  lay(until) {
    if (!this.#columns || this.#from === Infinity) return true;
    show(this.element, this.order.length);
    const size = this.#size, last = Math.ceil(this.order.length / size);
    for (let at = this.#from; at < last; at += 1) {
      fill(this.#part(at), this.order.slice(at * size, (at + 1) * size), this.#columns);
      this.#from = at + 1;
      if (performance.now() > until && !document.hidden && at + 1 < last) return false;
    }
    this.#from = Infinity;
    return true;
  }

  #part(at) {
    const { children } = this.element;
    if (at < children.length) return children[at];
    const made = children[0].cloneNode(false);
    this.element.append(made);
    return made;
  }

  /** What is empty goes, once the other list has taken its cards; the first stays, to be cloned. */
  tidy() {
    const { element } = this;
    while (element.children.length > 1 && !element.lastElementChild.firstElementChild) element.lastElementChild.remove();
  }
}

function fill(part, cards, columns) {
  const rows = String(Math.ceil(cards.length / columns));
  if (part.style.getPropertyValue("--rows") !== rows) part.style.setProperty("--rows", rows);
  let place = part.firstElementChild;
  for (const { li } of cards) {
    if (place !== li && place?.nextElementSibling === li) place = li; // one that left: it is put down where it belongs
    if (place === li) place = place.nextElementSibling;
    else put(li, part, place);
  }
}

export function put(li, parent, before) {
  if (parent.moveBefore && li.isConnected) return parent.moveBefore(li, before); // which keeps the focus
  const focused = li.contains(document.activeElement) ? document.activeElement : null;
  parent.insertBefore(li, before);
  return focused?.focus({ preventScroll: true });
}
