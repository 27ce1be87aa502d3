// The line of the last minutes: one bar for each beat that was due, high and green in time, lower and amber late, a red
// stump where none came; the round trip runs over it.
import { attribute } from "../ui/js/dom.js";
import { moment, now } from "../ui/js/time.js";
import { t } from "../ui/js/words.js";

const SPAN = 300, STEP = 10; // seconds
const NS = "http://www.w3.org/2000/svg";
const LATE = 13; // seconds after the one before

export function plot(svg, trail, session) {
  const end = Math.floor((moment(session.ended_at) ?? now()) / 1000), begin = end - SPAN;
  const from = Math.max(begin, moment(session.started_at) / 1000);
  const unkept = session.consent_withdrawn_at ? moment(session.consent_withdrawn_at) / 1000 : Infinity;
  const isKept = trail.length || !session.last_heartbeat; // not loaded yet, or past its days: that is nobody's silence
  const slots = [];
  for (let at = begin; at < end; at += STEP) {
    if (at + STEP < from || !isKept) { slots.push(""); continue; }
    const beats = trail.filter((beat) => beat.at >= at && beat.at < at + STEP);
    if (beats.length) {
      const before = trail.findLast((beat) => beat.at < beats[0].at);
      slots.push(before && beats[0].at - before.at > LATE ? "late" : "good");
    } else if (at + STEP > unkept) slots.push(""); // none is kept there, which says nothing of the student
    else slots.push(near(trail, at) || at + STEP * 1.3 > end ? "open" : "missed");
  }
  const key = slots.join() + (trail.at(-1)?.at ?? "");
  if (svg.dataset.drawn === key) return;
  svg.dataset.drawn = key;
  svg.replaceChildren(...slots.map((slot, place) => bar(slot, place)).filter(Boolean), ...roundTrips(trail, begin));
  const all = slots.filter((slot) => slot && slot !== "open");
  const of = (name) => all.filter((slot) => slot === name).length;
  attribute(svg, "aria-label", t("beats.said", { good: of("good"), all: all.length, late: of("late"), missed: of("missed") }));
}

/** Beats come every ten seconds but not on the ten: one just outside the slot fills it too. */
const near = (trail, at) => trail.some((beat) => beat.at >= at - 4 && beat.at < at + STEP + 4);

function bar(slot, place) {
  if (!slot || slot === "open") return slot && rect("open", place, 2);
  return rect(slot === "good" ? "" : slot, place, { good: 28, late: 18, missed: 8 }[slot]);
}

function rect(name, place, height) {
  const element = document.createElementNS(NS, "rect");
  for (const [key, value] of Object.entries({ x: place * 10, y: 32 - height, width: 7, height, rx: 1, class: name || null })) attribute(element, key, value);
  return element;
}

function roundTrips(trail, begin) {
  const known = trail.filter(({ at, rtt_ms: rtt }) => rtt !== null && at >= begin);
  if (known.length < 2) return [];
  const most = Math.max(200, ...known.map(({ rtt_ms: rtt }) => rtt));
  const line = document.createElementNS(NS, "polyline");
  attribute(line, "points", known.map(({ at, rtt_ms: rtt }) => `${at - begin},${Math.round(31 - (rtt / most) * 28)}`).join(" "));
  return [line];
}
