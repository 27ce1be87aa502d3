// What happened, in words.
import { now } from "../ui/js/time.js";
import { has, t } from "../ui/js/words.js";

/** Seconds count here: "4 s", "1 m 12 s", "3 h". */
export function seconds(length) {
  const n = Math.max(0, Math.round(length / 1000));
  if (n < 60) return t("seconds", { n });
  if (n < 3600) return n % 60 ? t("minutes-seconds", { n: Math.floor(n / 60), s: n % 60 }) : t("minutes", { n: n / 60 });
  return n % 3600 < 60 ? t("hours", { n: Math.floor(n / 3600) }) : t("hours-minutes", { n: Math.floor(n / 3600), m: Math.floor((n % 3600) / 60) });
}

const LASTING = new Set(["focus_loss", "tab_switch", "fullscreen_exit", "mouse_leave"]);

export function entryWord(entry) {
  const word = has(`violation.${entry.type}`) ? t(`violation.${entry.type}`) : entry.type;
  const { duration_ms: away, length } = entry.detail ?? {};
  const told = away && LASTING.has(entry.type) ? t("detail.away", { what: word, span: seconds(away) }) : length ? t("detail.length", { what: word, n: length }) : word;
  return entry.merged_count > 1 ? t("why.times", { what: told, n: entry.merged_count }) : told;
}

export function entryDetail(entry) {
  const { question, keys, comment, category, browser, system } = entry.detail ?? {};
  return [comment ?? category, (browser || system) && deviceWord({ browser, system }), question && t("detail.question", { n: question }), keys && t("detail.keys", { keys })].filter(Boolean).join(" · ");
}

export const deviceWord = ({ browser, system }) => (browser && system ? t("device.on", { browser, system }) : browser || system || t("device.unknown"));

export function whyWord(facts, silent) {
  const why = whyAlone(facts, silent);
  return facts.locked ? t("why.locked", { what: why }) : why;
}

function whyAlone(facts, silent) {
  if (facts.why === "entry") return entryWord(facts.entry);
  if (facts.why === "silent") return t("why.silent", { span: seconds(silent) });
  if (facts.why === "hand") return facts.note ? t("why.hand-note", { note: facts.note }) : t("why.hand");
  return facts.why === "wrote" ? t("why.wrote") : "";
}

export const lateWord = (entry) => (entry.late_ms > 5_000 ? t("late", { span: seconds(entry.late_ms) }) : "");
export const commandWord = (command) => {
  const word = t(`command.${command.reason === "lost_time" ? "lost_time" : command.type}`);
  return command.body ? `${word}: ${command.body}` : command.seconds ? `${word}: ${seconds(command.seconds * 1000)}` : word;
};
export const leftUntil = (at) => Math.max(0, at - now());

/** Reasons that the product gives itself are words of ours; all others are somebody's own. */
export function reasonWord(reason) {
  const [, type, n] = /^([a-z_]+): (\d+)$/.exec(reason) ?? [];
  if (type && has(`violation.${type}`)) return t("why.times", { what: t(`violation.${type}`), n });
  if (has(`reason.${reason}`)) return t(`reason.${reason}`);
  return reason === "lost_time" ? "" : reason;
}
