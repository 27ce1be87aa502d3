// How the live line stands, in words, wherever the page says so ([data-live]).
import { $$, text } from "./dom.js";
import { t } from "./words.js";

let made;
/** The page's own line, for what is on every page and follows something besides. */
export const line = new Promise((resolve) => { made = resolve; });

/** `live` is a client of live.js. The word changes at once for the better, and after a breath for the worse. */
export function tellConnection(live) {
  made(live);
  let waiting;
  const say = ({ state, polling }) => {
    document.documentElement.dataset.connection = state;
    for (const place of $$("[data-live]")) {
      place.dataset.state = state;
      text(place, t(state));
      place.title = t(polling ? "polling.hint" : `${state}.hint`);
    }
  };
  const heard = () => {
    clearTimeout(waiting);
    const seen = { state: live.state, polling: live.polling };
    waiting = setTimeout(() => say(seen), seen.state === "catching-up" ? 400 : 0);
  };
  live.addEventListener("state", heard);
  say({ state: live.state, polling: live.polling });
}
