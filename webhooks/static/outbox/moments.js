// Times to the second, ticking: how long until the next try, how long the oldest waits, when a try was.
import { attribute, text } from "../ui/js/dom.js";
import { exact, moment, now, span } from "../ui/js/time.js";
import { t } from "../ui/js/words.js";

const MINUTE = 60_000;
const language = document.documentElement.lang || "en";
const SECOND = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });

const short = (length) => (length < MINUTE ? t("seconds", { n: Math.max(0, Math.round(length / 1000)) }) : span(length));

const KINDS = {
  left: (at) => (at <= now() ? t("due") : t("in", { span: short(at - now()) })),
  age: (at) => short(now() - at),
  second: (at) => SECOND.format(at),
};

export function paintMoments(root) {
  for (const [kind, words] of Object.entries(KINDS)) {
    for (const element of root.querySelectorAll(`time[data-${kind}]`)) {
      const at = moment(element.getAttribute("datetime"));
      if (at === null) continue;
      text(element, words(at));
      if (!element.title) attribute(element, "title", exact(at));
    }
  }
}
