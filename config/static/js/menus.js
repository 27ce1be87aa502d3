// Menus are [popover], dialogs <dialog> with command and commandfor. The browser opens them; this adds the arrow keys,
// keeps aria-expanded, and stands in where a browser lacks commands or anchors.

const entries = (menu) => [...menu.querySelectorAll('.menu-item:not([hidden], :disabled)')];

function opened(menu) {
  const button = document.querySelector(`[popovertarget="${menu.id}"]`);
  const open = menu.matches(":popover-open");
  for (const each of document.querySelectorAll(`[popovertarget="${menu.id}"]`)) each.setAttribute("aria-expanded", open);
  document.documentElement.toggleAttribute("data-menu", Boolean(document.querySelector(".menu:popover-open")));
  if (!open) return;
  if (button && !CSS.supports("position-area", "block-end")) place(menu, button.getBoundingClientRect());
  (menu.querySelector('.menu-item[aria-checked="true"]') ?? entries(menu)[0])?.focus();
}

function place(menu, at) {
  const size = menu.getBoundingClientRect();
  const top = at.bottom + size.height + 8 > innerHeight ? at.top - size.height - 8 : at.bottom;
  const left = Math.max(8, Math.min(document.documentElement.dir === "rtl" ? at.right - size.width : at.left, innerWidth - size.width - 8));
  Object.assign(menu.style, { position: "fixed", top: `${top}px`, left: `${left}px` });
}

function keys(event) {
  const menu = event.target.closest?.(".menu[popover]");
  if (!menu) return;
  const all = entries(menu), at = all.indexOf(event.target.closest(".menu-item"));
  const to = { ArrowDown: (at + 1) % all.length, ArrowUp: (at - 1 + all.length) % all.length, Home: 0, End: all.length - 1 }[event.key];
  if (to !== undefined) all[to]?.focus();
  else if (event.key === "Tab") return menu.hidePopover();
  else return;
  event.preventDefault();
  event.stopPropagation();
}

export function startMenus() {
  document.addEventListener("toggle", (event) => { if (event.target.matches?.(".menu[popover]")) opened(event.target); }, true);
  document.addEventListener("keydown", keys);
  for (const button of document.querySelectorAll("[popovertarget]")) {
    button.setAttribute("aria-haspopup", "menu");
    button.setAttribute("aria-expanded", "false");
  }
  document.addEventListener("click", (event) => {
    const entry = event.target.closest?.(".menu[popover] .menu-item");
    if (entry && !entry.hasAttribute("data-stay")) entry.closest(".menu").hidePopover();
    const button = event.target.closest?.("[commandfor]");
    if (!button || "commandForElement" in button) return;
    const dialog = document.getElementById(button.getAttribute("commandfor"));
    if (button.getAttribute("command") === "close") dialog.close();
    else dialog.showModal();
  });
}
