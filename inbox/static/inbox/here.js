// Chips of those who look at the same conversation, and the mark of presence on everybody's sign.
import { $, $$, attribute, clone, fields, reconcile, show } from "../ui/js/dom.js";
import { avatar } from "../ui/js/people.js";
import { t } from "../ui/js/words.js";

const place = $('[data-part="here"]');

export function renderHere(store, presence) {
  const others = presence.at(store.open).filter(({ id }) => id !== store.me.id);
  show(place, others.length);
  reconcile(place, others, {
    key: ({ id }) => id,
    make: () => clone("here"),
    fill(element, person) {
      const parts = fields(element);
      const word = t(person.draft ? "here.drafting" : person.state === "idle" ? "here.idle" : "here.viewing", { name: person.name });
      avatar(parts.sign, parts.letters, person);
      parts.sign.dataset.presence = person.state === "idle" ? "away" : "on";
      element.dataset.state = person.draft ? "drafting" : person.state;
      attribute(element, "aria-label", word);
      attribute(element, "data-tip", word);
      show(parts.draft, person.draft);
    },
  });
}

/** Colleagues' signs in the menus: there, idle, or not there at all. */
export function renderPeople(store, presence) {
  for (const sign of $$("[data-person]")) {
    const person = presence.everybody.get(sign.dataset.person);
    attribute(sign, "data-presence", person ? (person.state === "idle" ? "away" : "on") : null);
  }
}
