// What stands around a message's words: reactions to it, that it was edited or came late, a place one can look up.
import { attribute, fields, text } from "../ui/js/dom.js";
import { moment, timeAhead } from "../ui/js/time.js";
import { t } from "../ui/js/words.js";

const LATE = 60_000; // ms on its way to us that are worth a word
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
  mark(meta, "edited", message.edited_at && t("edited"));
  mark(meta, "written", cameLate(message) && t("written", { at: timeAhead(moment(message.provider_time)) }));
  chips(element, reactions ?? []);
}

/** It stands where it came in, so that nothing moves; when the customer wrote it is said beside. */
const cameLate = ({ direction, provider_time: written, created_at: came }) => direction === "in" && written && moment(came) - moment(written) > LATE;

function mark(meta, name, words) {
  let place = meta.querySelector(`[data-part="${name}"]`);
  if (!words) return place?.remove();
  if (!place) {
    place = document.createElement("span");
    place.dataset.part = name;
    meta.append(place);
  }
  text(place, `· ${words}`);
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
