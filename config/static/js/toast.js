// A short notice at the foot of the page, with one way back.
import { clone, fields, icon, show, text } from "./dom.js";

const STAYS = 6000; // ms; one with something to press stays longer

export function toast(message, { tone, action, act } = {}) {
  const element = clone("toast");
  const parts = fields(element);
  text(parts.text, message);
  if (tone) icon(element.firstElementChild, tone === "danger" ? "alert" : "info");
  element.dataset.tone = tone ?? "";
  element.setAttribute("role", tone === "danger" ? "alert" : "status");
  show(parts.action, action);
  if (action) {
    text(parts.action, action);
    parts.action.addEventListener("click", () => { element.remove(); act(); });
  }
  const place = document.getElementById("toasts");
  while (place.children.length > 2) place.firstElementChild.remove();
  place.append(element);
  let left = setTimeout(() => element.remove(), action ? STAYS * 1.5 : STAYS);
  const stay = () => clearTimeout(left);
  const go = () => { stay(); left = setTimeout(() => element.remove(), STAYS); };
  for (const [name, run] of [["pointerenter", stay], ["focusin", stay], ["pointerleave", go], ["focusout", go]]) element.addEventListener(name, run);
  return element;
}
