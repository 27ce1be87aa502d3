// What is pressed twice is done once.
import { $$ } from "./dom.js";

/** One press at a time: while what the one before set off is under way, another does nothing. */
export async function whileBusy(button, work) {
  if (button.getAttribute("aria-busy") === "true") return;
  button.setAttribute("aria-busy", "true");
  try {
    await work();
  } finally {
    button.removeAttribute("aria-busy");
  }
}

// A form on its way is not sent twice: of two keys made by a double press the first would be shown to nobody.
const ON_ITS_WAY = 10_000; // ms: after that no page is coming, and it may be tried again
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.getAttribute("method") !== "post") return;
  if (form.getAttribute("aria-busy") === "true") return event.preventDefault();
  form.setAttribute("aria-busy", "true");
  setTimeout(() => form.removeAttribute("aria-busy"), ON_ITS_WAY);
});
addEventListener("pageshow", () => { for (const form of $$("form[aria-busy]")) form.removeAttribute("aria-busy"); }); // come back to
