// Before the start: what this device can do, so that nobody finds out by being noticed.
import { show, text } from "../ui/js/dom.js";
import { t } from "../ui/js/words.js";

const ANSWER_WITHIN = 5_000; // ms

/** `banner` is shown once it is known; without a line it stays away, and starting says what is wrong. */
export async function tellReady(banner, words) {
  const began = performance.now();
  const answer = await fetch("/healthz", { cache: "no-store", signal: AbortSignal.timeout(ANSWER_WITHIN) }).catch(() => null);
  if (!answer?.ok) return;
  const several = globalThis.screen?.isExtended, full = document.fullscreenEnabled;
  const said = [t(several ? "ready.displays" : "ready.display"), t(full ? "ready.full" : "ready.not-full"), t("ready.line", { n: Math.round(performance.now() - began) })];
  text(words, said.join(" · "));
  show(banner, true);
}
