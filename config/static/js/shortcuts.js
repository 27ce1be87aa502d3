// Single keys outside of fields. They can be switched off in the list that `?` opens, for people who speak to their machine.
import { $ } from "./dom.js";
import { recall, remember } from "./memory.js";

const bound = new Map();
const on = () => recall("single-keys") !== false;

export const bind = (key, run) => bound.set(key, run);

export const writing = (target) => Boolean(target.closest?.('input:not([type="checkbox"], [type="radio"]), textarea, select, [contenteditable="true"]'));

export function startShortcuts() {
  bind("?", () => $("#dialog-shortcuts")?.showModal());
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (writing(event.target) || $("dialog[open]") || event.target.closest?.("[popover]") || !on()) return;
    const run = bound.get(event.key.length === 1 ? event.key.toLowerCase() : event.key);
    if (!run) return;
    event.preventDefault();
    run(event);
  });
  const toggle = $('[data-setting="single-keys"]');
  if (!toggle) return;
  toggle.checked = on();
  toggle.addEventListener("change", () => remember("single-keys", toggle.checked));
}
