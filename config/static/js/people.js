// A person's sign: letters and a colour, as templates/ui/avatar.html writes them.
import { attribute, text } from "./dom.js";

export const nameOf = (person) => person?.name?.trim() || person?.phone || "";

export function letters(person) {
  const words = (person?.name ?? "").trim().split(/\s+/).filter(Boolean);
  if (!words.length || person.name === person.phone) return (person?.phone ?? "").slice(-2);
  return words.slice(0, 2).map((word) => [...word][0].toUpperCase()).join("");
}

export function avatar(element, lettersElement, person) {
  attribute(element, "data-seed", String(person?.id ?? "").slice(-1));
  text(lettersElement, letters(person));
}
