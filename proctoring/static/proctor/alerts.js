// Somebody needs a person: a tone, a desktop notice while the page is out of sight, a word for those who listen. Each can
// be muted, and several at once are one.
import { $, announce, text } from "../ui/js/dom.js";
import { recall, remember } from "../ui/js/memory.js";
import { toast } from "../ui/js/toast.js";
import { t } from "../ui/js/words.js";

const AT_ONCE = 80, TOGETHER = 700; // ms in which several are one: of those that come together, and after what was told
let sound = recall("proctor.sound") === true, notices = recall("proctor.notices") === true && globalThis.Notification?.permission === "granted";
let context = null, waiting = [], timer = null, toldAt = -Infinity;

export function startAlerts() {
  draw();
  if (sound) addEventListener("pointerdown", awake, { once: true }); // a browser plays nothing before somebody has touched it
}

export function toggleSound() {
  sound = !sound;
  remember("proctor.sound", sound);
  if (sound) { awake(); play("warning"); }
  draw();
}

export async function toggleNotices() {
  if (!notices && (await globalThis.Notification?.requestPermission?.()) !== "granted") return void toast(t("notices.refused"), { tone: "danger" });
  notices = !notices;
  remember("proctor.notices", notices);
  draw();
}

function draw() {
  $('[data-act="sound"]').setAttribute("aria-pressed", String(sound));
  text($('[data-part="sound-word"]'), t(sound ? "sound.on" : "sound.off"));
  text($('[data-part="notices-word"]'), t(notices ? "notices.on" : "notices.off"));
}

/** `why` in words; `key` of the session, so that one student is one notice. */
export function alertTo({ key, name, why, tone, open }) {
  waiting.push({ key, name, why, tone, open });
  timer ??= setTimeout(tell, Math.max(AT_ONCE, toldAt + TOGETHER - performance.now()));
}

function tell() {
  const all = waiting;
  [waiting, timer, toldAt] = [[], null, performance.now()];
  const last = all.at(-1);
  announce(all.map(({ name, why }) => t("said.attention", { name, why })).slice(-3).join(". "));
  if (sound) play(all.some(({ tone }) => tone === "danger") ? "danger" : "warning");
  if (!notices || !document.hidden) return;
  const notice = new Notification(last.name, { body: last.why, tag: last.key });
  notice.onclick = () => { focus(); last.open(); notice.close(); };
}

function awake() {
  try { context ??= new AudioContext(); context.resume(); } catch { context = null; }
}

function play(tone) {
  if (!context) return;
  const begin = context.currentTime, heights = tone === "danger" ? [660, 880] : [520];
  heights.forEach((height, at) => {
    const voice = context.createOscillator(), loud = context.createGain();
    voice.frequency.value = height;
    loud.gain.setValueAtTime(0.0001, begin + at * 0.16);
    loud.gain.exponentialRampToValueAtTime(0.12, begin + at * 0.16 + 0.02);
    loud.gain.exponentialRampToValueAtTime(0.0001, begin + at * 0.16 + 0.14);
    voice.connect(loud).connect(context.destination);
    voice.start(begin + at * 0.16);
    voice.stop(begin + at * 0.16 + 0.15);
  });
}
