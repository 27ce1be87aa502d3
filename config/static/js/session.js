// The sign-in of this page: a cookie only the server can read, renewed before it ends.
import { correct, moment, now } from "./time.js";

const EARLY = 90_000; // renewed so long before the end, or at four fifths of a shorter life
const csrf = () => document.querySelector('meta[name="csrf-token"]')?.content ?? "";

export function signIn() {
  location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
}

let running = null;

/** One renewal at a time. Answers the new end (ms), false when the sign-in is over, null when nobody answered. */
export function renew() {
  running ??= post().finally(() => { running = null; });
  return running;
}

async function post() {
  let response;
  try {
    response = await fetch("/session/renew", {
      method: "POST", headers: { "X-CSRFToken": csrf(), Accept: "application/json" }, signal: AbortSignal.timeout(10_000),
    });
  } catch {
    return null;
  }
  clockFrom(response);
  if (response.status === 401 || response.status === 403) return false;
  if (!response.ok) return null;
  const body = await response.json().catch(() => ({}));
  return moment(body.expires_at) ?? now() + 10 * 60_000;
}

export function clockFrom(response) {
  const date = Date.parse(response.headers.get("Date") ?? "");
  if (date) correct(date + 500);
}

/** Renew before `end` (ms), again and again; `renewed` is called after each. */
export function keepFresh(end, renewed = () => {}) {
  let due = 0;
  const plan = (until) => {
    const left = until - now();
    due = now() + Math.max(left - EARLY, left * 0.8) - Math.random() * Math.min(15_000, left * 0.05);
  };
  const look = async () => {
    if (now() < due) return;
    due = now() + 15_000; // should this one fail
    const until = await renew();
    if (until === false) signIn();
    else if (until) { plan(until); renewed(); }
  };
  plan(end);
  // Asked every few seconds instead of by one long timer: timers stand still while a tab sleeps.
  setInterval(look, 5000);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) look(); });
}
