// Puts a freshly rendered page over the one that is there. Only what the server rendered differently is replaced, so
// that what the reader holds (focus, scroll, text in a field, an open menu) stays.
import { $, $$, reconcile, show } from "../ui/js/dom.js";

const sources = new WeakMap();

const source = (element) => sources.get(element) ?? element.outerHTML;

// What the first page looked like before any script wrote times into it: the server's word is compared with the server's.
for (const element of $$("[data-part], [data-rows] > tr")) sources.set(element, element.outerHTML);

export function patch(page, fresh) {
  for (const part of $$("[data-part]", page)) {
    const next = $(`[data-part="${part.dataset.part}"]`, fresh);
    if (next && next.outerHTML !== source(part) && !isHeld(part)) replace(part, next);
  }
  const rows = $$("[data-rows] > tr", fresh);
  const next = new Map(rows.map((row) => [row.dataset.key, row]));
  for (const row of $$("[data-rows] > tr", page)) {
    const wanted = next.get(row.dataset.key);
    if (wanted && wanted.outerHTML !== source(row)) replace(row, wanted);
  }
  reconcile($("[data-rows]", page), rows, { key: (row) => row.dataset.key, make: take, fill() {} });
  show($("[data-wrap]", page), rows.length);
  const [field, asked] = [$("input[name=search]", page), $("input[name=search]", fresh)];
  if (field && asked && field !== document.activeElement) field.value = asked.value;
}

/** A menu that is open is not taken out of the reader's hands. */
const isHeld = (part) => Boolean($(":popover-open", part));

function take(row) {
  const mine = document.importNode(row, true);
  sources.set(mine, row.outerHTML);
  return mine;
}

/** Whoever had the focus finds it again on what took its place. */
function replace(old, next) {
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  const scrolled = $$("pre", old).map((part) => part.scrollTop);
  const mine = take(next);
  old.replaceWith(mine);
  $$("pre", mine).forEach((part, at) => { part.scrollTop = scrolled[at] ?? 0; });
  if (!focused) return;
  const { act, id, chip } = focused.dataset;
  const same = focused.hasAttribute("data-item") ? "[data-item]" : act ? `[data-act="${act}"]${id ? `[data-id="${CSS.escape(id)}"]` : ""}` : chip ? `[data-chip="${chip}"]` : null;
  const heir = (same && $(same, mine)) || $("[data-item]", mine);
  if (!heir) return;
  if (heir.hasAttribute("data-item")) heir.tabIndex = 0;
  heir.focus({ preventScroll: true });
}
