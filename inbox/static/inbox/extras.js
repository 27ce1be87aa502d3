// What stands around a message's words: reactions to it, the mark that it was edited, a place one can look up.
import { attribute, fields, text } from "../ui/js/dom.js";
import { t } from "../ui/js/words.js";

const BROKEN = new Set(["failed", "unknown", "held"]); // a reaction that did not arrive has to be seen by itself

/** Reactions by the id of their message. Those to a message that is not loaded stand in the thread like any other. */
export function reactionsIn(messages) {
  const loaded = new Set(messages.map(({ id }) => id));
  const found = new Map();
  for (const message of messages) {
    if (message.type !== "reaction" || !loaded.has(message.reply_to) || BROKEN.has(message.status)) continue;
    found.set(message.reply_to, [...found.get(message.reply_to) ?? [], message]);
  }
  return found;
}

/** Equal for what looks equal. */
export const reactionKey = (reactions) => (reactions ?? []).map(({ id, body }) => `${id}${body}`).join();

export function fillExtras(element, message, reactions) {
  const { meta } = fields(element);
  if (!meta) return; // a line of activity
  edited(meta, message.edited_at);
  chips(element, reactions ?? []);
}

function edited(meta, at) {
  let mark = meta.querySelector('[data-part="edited"]');
  if (!at) return mark?.remove();
  if (!mark) {
    mark = document.createElement("span");
    mark.dataset.part = "edited";
    meta.append(mark);
  }
  text(mark, `· ${t("edited")}`);
}

function chips(element, reactions) {
  let place = element.querySelector('[data-part="reactions"]');
  if (!reactions.length) return place?.remove();
  if (!place) {
    place = document.createElement("ul");
    Object.assign(place, { className: "reactions" }).dataset.part = "reactions";
    element.querySelector(".bubble").after(place);
  }
  place.replaceChildren(...reactions.map(({ body, sender }) => {
    const chip = document.createElement("li");
    const name = document.createElement("bdi");
    const who = sender?.name || t("nameless");
    attribute(chip, "title", who);
    Object.assign(name, { className: "sr-only", textContent: ` ${who}` });
    chip.append(body, name);
    return chip;
  }));
}

/** Where a map shows the place; null when the message names none. */
export function mapAddress({ type, detail }) {
  const { latitude, longitude } = (type === "location" && detail?.location) || {};
  const [north, east] = [latitude, longitude].map((value) => (value === "" || value === null ? NaN : Number(value)));
  if (!(Math.abs(north) <= 90 && Math.abs(east) <= 180)) return null;
  return `https://www.openstreetmap.org/?mlat=${north}&mlon=${east}#map=16/${north}/${east}`;
}
