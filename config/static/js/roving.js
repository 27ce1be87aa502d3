// One tab stop per list; arrows, Home and End (J and K too) move inside it. Works on lists whose items come and go.

import { attribute } from "./dom.js";

const items = (list) => [...list.querySelectorAll("[data-item]")];

export function focusItem(list, item) {
  for (const other of list.querySelectorAll('[data-item][tabindex="0"]')) other.tabIndex = -1;
  item.tabIndex = 0;
  item.focus();
  item.scrollIntoView({ block: "nearest" });
}

/** After items changed: exactly one of them can be tabbed to. */
export function settle(list) {
  const all = items(list);
  const stop = all.find((item) => item === document.activeElement) ?? all.find((item) => item.hasAttribute("aria-current")) ?? all.find((item) => item.getAttribute("tabindex") === "0") ?? all[0];
  for (const item of all) attribute(item, "tabindex", item === stop ? "0" : "-1");
}

export function step(list, by) {
  const all = items(list);
  const from = all.indexOf(document.activeElement);
  const at = from >= 0 ? from : all.findIndex((item) => item.hasAttribute("aria-current"));
  const to = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : at + by];
  if (to) focusItem(list, to);
}

export function startRoving() {
  document.addEventListener("keydown", (event) => {
    const list = event.target.closest?.("[data-roving]");
    if (!list || !event.target.hasAttribute("data-item") || event.ctrlKey || event.metaKey || event.altKey) return;
    const moves = { ArrowDown: 1, ArrowUp: -1 };
    if (moves[event.key]) step(list, moves[event.key]);
    else if (event.key === "Home" || event.key === "End") focusItem(list, items(list).at(event.key === "Home" ? 0 : -1));
    else return;
    event.preventDefault();
  });
}
