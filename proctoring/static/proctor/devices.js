// The browsers of one sitting: which they are, since when, and on which of them it was ended.
import { clone, fields, reconcile, show, text } from "../ui/js/dom.js";
import { moment } from "../ui/js/time.js";
import { t } from "../ui/js/words.js";
import { deviceWord } from "./wording.js";

const CLOCK = new Intl.DateTimeFormat(document.documentElement.lang, { hour: "numeric", minute: "2-digit", second: "2-digit" });
const at = (time) => CLOCK.format(moment(time));
const stillOpen = (devices) => devices.filter(({ ended_at: ended }) => !ended);

/** The newest one that it goes on at, beside another. */
export function secondOf(devices) {
  const open = stillOpen(devices);
  return open.length > 1 ? open.at(-1) : null;
}

export const openedWord = (device) => t("device.opened", { device: deviceWord(device), at: at(device.first_seen_at) });

/** One alone is no list of buttons. */
export function drawDevices(list, devices, isLive) {
  const some = stillOpen(devices).length > 1;
  reconcile(list, devices, {
    key: ({ id }) => id,
    make: () => clone("device"),
    fill(row, device) {
      const parts = fields(row);
      text(parts.word, deviceWord(device));
      text(parts.when, device.ended_at ? t("device.ended", { at: at(device.ended_at) }) : devices.length > 1 ? t("device.since", { at: at(device.first_seen_at) }) : "");
      show(parts.end, isLive && some && !device.ended_at);
      show(parts.allow, isLive && device.ended_at);
      parts.end.dataset.device = parts.allow.dataset.device = device.id;
    },
  });
}
