// Times: by the server's clock (a browser's may be an hour off), in the reader's zone, ticking.
import { attribute, text } from "./dom.js";
import { t } from "./words.js";

const MINUTE = 60_000, HOUR = 60 * MINUTE, DAY = 24 * HOUR;
const TICK = 15_000;
// The reader's own flavour of the page's language: en-GB where the page is en.
const page = document.documentElement.lang || "en";
const language = navigator.languages.find((one) => one.split("-")[0] === page.split("-")[0]) ?? page;
const format = (options) => new Intl.DateTimeFormat(language, options);
const CLOCK = format({ hour: "numeric", minute: "2-digit" });
const WEEKDAY = format({ weekday: "short" });
const DATE = format({ day: "numeric", month: "short" });
const DATE_YEAR = format({ day: "numeric", month: "short", year: "numeric" });
const LONG_DAY = format({ weekday: "long", day: "numeric", month: "long" });
const EXACT = format({ dateStyle: "full", timeStyle: "medium" });
const AHEAD_WEEK = format({ weekday: "short", hour: "numeric", minute: "2-digit" });
const AHEAD = format({ weekday: "short", day: "numeric", month: "short", hour: "numeric", minute: "2-digit" });

// How far this machine's clock is behind the server's, in ms. The page carries the server's second of rendering.
let ahead = 0;
const stamp = Number(document.querySelector('meta[name="server-time"]')?.content);
const arrived = performance.getEntriesByType("navigation")[0]?.responseStart;
if (stamp && arrived) correct(stamp * 1000 + 500, performance.timeOrigin + arrived);

/** Tell the clock what the server's was at a moment of ours. Under 2 s it is only rounding and travel. */
export function correct(server, ours = Date.now()) {
  if (Math.abs(server - ours - ahead) > 2000) ahead = server - ours;
}

export const now = () => Date.now() + ahead;

/** An ISO string, epoch seconds or nothing, as milliseconds. */
export function moment(value) {
  if (value === null || value === undefined || value === "") return null;
  const number = Number(value);
  if (Number.isFinite(number)) return number < 1e12 ? number * 1000 : number;
  const parsed = Date.parse(value);
  return Number.isNaN(parsed) ? null : parsed;
}

const two = (number) => String(number).padStart(2, "0");

/** 2026-11-22, in the reader's zone. Without a format, which costs many times as much: it is asked of every message. */
export function dayKey(at) {
  const date = new Date(at);
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

function daysAgo(at) {
  const start = (moment) => { const date = new Date(moment); date.setHours(0, 0, 0, 0); return date.getTime(); };
  return Math.round((start(now()) - start(at)) / DAY); // rounded: a day may have 23 or 25 hours
}

export function span(length) {
  const minutes = Math.max(0, Math.floor(length / MINUTE));
  if (minutes < 60) return t("minutes", { n: minutes });
  if (minutes >= 48 * 60) return t("days", { n: Math.floor(minutes / 1440) });
  return minutes % 60 ? t("hours-minutes", { n: Math.floor(minutes / 60), m: minutes % 60 }) : t("hours", { n: minutes / 60 });
}

const kinds = {
  clock: (at) => CLOCK.format(at),
  date: (at) => (new Date(at).getFullYear() === new Date(now()).getFullYear() ? DATE : DATE_YEAR).format(at),
  ago(at) {
    const age = now() - at;
    if (age < MINUTE) return t("now");
    if (age < HOUR) return t("minutes", { n: Math.floor(age / MINUTE) });
    if (age < DAY && daysAgo(at) === 0) return t("hours", { n: Math.floor(age / HOUR) });
    return daysAgo(at) < 7 ? WEEKDAY.format(at) : kinds.date(at);
  },
  day(at) {
    const days = daysAgo(at);
    return days === 0 ? t("today") : days === 1 ? t("yesterday") : days < 7 ? LONG_DAY.format(at) : DATE_YEAR.format(at);
  },
  since: (at) => span(Math.max(MINUTE, now() - at)),
  until: (at) => span(at - now() + MINUTE - 1), // the last minute still counts
};

export const exact = (at) => EXACT.format(at);
export const onDay = (at) => kinds.date(at);

/** Some time ahead, as one says it: the hour, with the day when that is another one. */
export const timeAhead = (at) => (daysAgo(at) === 0 ? CLOCK : daysAgo(at) > -7 ? AHEAD_WEEK : AHEAD).format(at);

/** Write one <time>; give `at` to change what it says. */
export function paint(element, at) {
  if (at !== undefined) attribute(element, "datetime", at);
  const when = moment(element.getAttribute("datetime"));
  if (when === null) return text(element, "");
  text(element, kinds[element.dataset.time](when));
  if (at !== undefined || !element.title) element.title = exact(when);
}

const listeners = new Set();
/** Called with every tick, for what depends on the hour beyond a <time>. */
export const onTick = (run) => listeners.add(run);

export function paintAll(root = document) {
  for (const element of root.querySelectorAll("time[data-time][datetime]")) paint(element);
}

export function startTicking() {
  const tick = () => {
    if (document.hidden) return;
    paintAll(document);
    for (const run of listeners) run();
  };
  setInterval(tick, TICK);
  document.addEventListener("visibilitychange", tick);
}
