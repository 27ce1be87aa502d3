// A thread's messages in the page stand in stretches, lists of a dozen: the browser lays out or leaves out each as one.
// A thousand that it has to look at one by one cost more in every frame than those that are seen.
import { reconcile } from "../ui/js/dom.js";

const LENGTH = 12;
const KEPT = 10; // threads whose foot stays drawn while another is on screen
const FOOT = 5; // stretches of it

export class Stretches {
  #place;
  #of;
  #kept = new Map();

  constructor(place, of) {
    [this.#place, this.#of] = [place, of];
  }

  /** Another conversation comes: what is left of it from the last time is put back. Answers how many that are. */
  turn(id) {
    if (id !== this.#of) {
      this.#kept.delete(this.#of);
      if (this.#of) this.#kept.set(this.#of, [...this.#place.children].slice(-FOOT));
      for (const one of this.#kept.keys()) if (this.#kept.size > KEPT) this.#kept.delete(one);
      this.#of = id;
      this.#place.replaceChildren(...(this.#kept.get(id) ?? []));
    }
    return [...this.#place.children].reduce((count, stretch) => count + stretch.childElementCount, 0);
  }

  /** Children of the stretches become one per item, in order; each stays where it is for as long as the order allows. */
  draw(items, { key, make, fill }) {
    const there = new Map();
    for (const stretch of this.#place.children) for (const child of stretch.children) there.set(child.dataset.key, child);
    const numbers = number(items.map((item) => Number(there.get(key(item))?.parentElement.dataset.key ?? NaN)));
    const stretches = new Map();
    items.forEach((item, at) => stretches.set(numbers[at], [...stretches.get(numbers[at]) ?? [], item]));
    reconcile(this.#place, [...stretches], {
      key: ([number]) => String(number),
      make: () => document.createElement("ol"),
      fill: (stretch, [, some]) => {
        stretch.style.setProperty("--items", some.length); // its size before it was ever laid out
        reconcile(stretch, some, { key, make: (item) => there.get(key(item)) ?? make(item), fill });
      },
    });
  }
}

/** A stretch for each, given those that stand somewhere already (else NaN): new ones join their neighbours while there is room. */
function number(numbers) {
  const known = numbers.findIndex((one) => !Number.isNaN(one)), first = known < 0 ? numbers.length : known;
  const found = [];
  let now = numbers[first] ?? 0;
  const counts = new Map();
  const add = (at) => { found[at] = now; counts.set(now, (counts.get(now) ?? 0) + 1); };
  for (let at = first; at < numbers.length; at += 1) {
    if (numbers[at] > now) now = numbers[at];
    else if (Number.isNaN(numbers[at]) && counts.get(now) >= LENGTH) now += 1;
    add(at);
  }
  now = numbers[first] ?? 0;
  for (let at = first - 1; at >= 0; at -= 1) {
    if ((counts.get(now) ?? 0) >= LENGTH) now -= 1;
    add(at);
  }
  return found;
}
