// Puts a freshly rendered page over the one that is there. Only what the server rendered differently is replaced, so
// that what the reader holds (focus, scroll, text in a field, an open menu) stays.
import { $, $$, reconcile, show } from "./dom.js";

const sources = new WeakMap();

const source = (element) => sources.get(element) ?? element.outerHTML;

// What the first page looked like before any script wrote times into it: the server's word is compared with the server's.
for (const element of $$("[data-part], [data-rows] > *")) sources.set(element, element.outerHTML);

export function patch(page, fresh) {
  for (const part of $$("[data-part]", page)) {
    const next = $(`[data-part="${CSS.escape(part.dataset.part)}"]`, fresh);
    if (next && next.outerHTML !== source(part) && !isHeld(part)) replace(part, next);
  }
  const lists = $$("[data-rows]", fresh);
  for (const [at, list] of $$("[data-rows]", page).entries()) if (lists[at]) patchRows(list, [...lists[at].children]);
  const wrap = $("[data-wrap]", page);
  if (wrap) show(wrap, $$("[data-rows] > *", fresh).length);
  const [field, asked] = [$("input[type=search]", page), $("input[type=search]", fresh)];
  if (field && asked && field !== document.activeElement) field.value = asked.value;
}

function patchRows(list, rows) {
  const next = new Map(rows.map((row) => [row.dataset.key, row]));
  for (const row of list.children) {
    const wanted = next.get(row.dataset.key);
    if (wanted && wanted.outerHTML !== source(row) && !isHeld(row)) replace(row, wanted);
  }
  reconcile(list, rows, { key: (row) => row.dataset.key, make: take, fill() {} });
}

/** An open menu or dialog, or a field that somebody writes in, is not taken out of the reader's hands. */
function isHeld(part) {
  if ($(":popover-open, dialog[open], [data-held]", part) || part.hasAttribute("data-held")) return true;
  const field = part.contains(document.activeElement) ? document.activeElement : null;
  return Boolean(field?.matches("textarea, input:not([type=checkbox], [type=radio])") && field.value !== field.defaultValue);
}

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
  const key = focused.closest("[data-key]")?.dataset.key;
  const row = key && key !== old.dataset.key ? `[data-key="${CSS.escape(key)}"] ` : "";
  const same = focused.name ? `[name="${CSS.escape(focused.name)}"]` : focused.hasAttribute("data-item") ? "[data-item]" : act ? `[data-act="${act}"]${id ? `[data-id="${CSS.escape(id)}"]` : ""}` : chip ? `[data-chip="${chip}"]` : null;
  const heir = (same && $(row + same, mine)) || $("[data-item]", mine);
  if (!heir) return;
  if (heir.hasAttribute("data-item")) heir.tabIndex = 0;
  heir.focus({ preventScroll: true });
}
