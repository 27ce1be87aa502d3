// Small hands on the page: find, clone, fill, keep a list in order. Markup stands in the server's partials alone;
// <template id="t-name"> holds the same partial rendered blank, and [data-field] marks what changes.

export const $ = (selector, root = document) => root.querySelector(selector);
export const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

export const clone = (name) => document.importNode(document.getElementById(`t-${name}`).content.firstElementChild, true);

const REST = 300; // ms
const known = new WeakMap();

/** The element's fields by name, looked up once; clones put in later do not count. */
export function fields(element) {
  let found = known.get(element);
  if (!found) {
    found = Object.fromEntries($$("[data-field]", element).map((part) => [part.dataset.field, part]));
    known.set(element, found);
  }
  return found;
}

export function text(element, value) {
  const wanted = value ?? "";
  if (element.textContent !== wanted) element.textContent = wanted;
}

export function show(element, visible) {
  element.toggleAttribute("hidden", !visible); // not .hidden: an <svg> has none
}

/** null, undefined and false take the attribute away. */
export function attribute(element, name, value) {
  const wanted = value === true ? "" : value;
  if (wanted === null || wanted === undefined || wanted === false) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(wanted)) element.setAttribute(name, wanted);
}

export function icon(svg, name) {
  attribute(svg.firstElementChild, "href", `${document.documentElement.dataset.sprite}#${name}`);
}

/** Children of `parent` become one per item, in order, each kept by its key: what stays is moved as little as can be. */
export function reconcile(parent, items, { key, make, fill }) {
  const old = new Map();
  for (const child of parent.children) old.set(child.dataset.key, child);
  const wanted = items.map((item) => {
    const name = key(item);
    const element = old.get(name) ?? make(item);
    old.delete(name);
    element.dataset.key = name;
    fill(element, item);
    return element;
  });
  for (const gone of old.values()) gone.remove();
  let place = parent.firstElementChild;
  for (const element of wanted) {
    // One row that left its place further up: step over it, it is put down again when its turn comes.
    if (place !== element && place?.nextElementSibling === element) place = element;
    if (place === element) place = place.nextElementSibling;
    else move(parent, element, place);
  }
}

function move(parent, element, before) {
  // moveBefore keeps focus and scroll of what is moved; only for nodes already here.
  if (parent.moveBefore && element.parentNode === parent) parent.moveBefore(element, before);
  else {
    const focused = element.contains(document.activeElement) ? document.activeElement : null;
    parent.insertBefore(element, before);
    focused?.focus({ preventScroll: true });
  }
}

/** One run soon for however many calls: before the next frame, or in 60 ms where no frame comes (a hidden tab). */
export const soon = (run) => once(run, (now) => requestAnimationFrame(now), 60);

/** The same for what may wait until the next frame is on screen. */
export const afterFrame = (run) => once(run, (now) => requestAnimationFrame(() => setTimeout(now)), 120);

/** When the browser has nothing else to do, after a third of a second in any case; not every browser says when it rests. */
export const inRest = (run) => (window.requestIdleCallback ? requestIdleCallback(run, { timeout: REST }) : setTimeout(run, REST));

function once(run, wait, most) {
  let due = false;
  const now = () => { if (due) { due = false; run(); } };
  return () => {
    if (due) return;
    due = true;
    wait(now);
    setTimeout(now, most);
  };
}

let voice;
/** Said politely to those who listen instead of look. */
export function announce(words) {
  const place = document.getElementById("announcer");
  if (!place) return;
  place.textContent = "";
  clearTimeout(voice);
  voice = setTimeout(() => { place.textContent = words; }, 50);
}
