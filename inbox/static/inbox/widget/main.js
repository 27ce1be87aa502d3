// The customer's chat. What is written is kept here (store.js) until the server has it; what comes, comes by the live line.
import { Live } from "../../live/live.js";
import { Line, Problem } from "./line.js";
import { clock, draw } from "./thread.js";

const $ = (id) => document.getElementById(id), read = (id) => JSON.parse($(id).textContent);
const config = read("widget"), origins = read("origins"), t = read("words");
const asked = new URLSearchParams(location.hash.slice(1)), alone = parent === window;
const TYPING_EVERY = 3_000, TYPING_SHOWN = 15_000, PRESENCE_EVERY = 9_000, SAID_AFTER = 3;
const EMOJI = "😀 😊 😂 😍 🤔 😢 😮 😡 👍 👎 🙏 👏 💪 👋 ❤️ 🎉 ✅ ❌ ⭐ 🔥 ☕ 📎 📷 ⏰".split(" ");

let open = false, topic = null, presence = config.presence, typingUntil = 0, typedAt = 0, atFoot = true, told = "";
const say = (code) => t[code] ?? t.failed;
const line = new Line(config, { page: asked.get("page") ?? "", identity: asked.get("identity") ?? "", back: asked.get("back") ?? "", changed: render, came, follow, say, become: () => { $("body").value = ""; } });
const { kept } = line;
const live = new Live({ token: () => kept.token, renew: async () => line.renew(), signIn: () => {} });

// --- the page around us ---------------------------------------------------------------------------------------------

function tell(type, more) {
  if (!alone) parent.postMessage({ switchboard: config.channel, type, ...more }, "*"); // says nothing that a page may not know
}

addEventListener("message", ({ data, source, origin }) => {
  const known = !origins.length || origins.some((one) => one === origin || one.includes("*.") && origin.endsWith(one.split("*")[1]));
  if (source !== parent || alone || !known || data?.switchboard !== config.channel) return;
  if (data.type === "open") show(true, { isKnown: true });
  if (data.type === "close") show(false, { isKnown: true });
  if (data.type === "identify") line.identify(String(data.identity ?? ""));
});

/** The button is the page's own (loader.js), and here only where the chat is by itself. */
function show(wanted, { isKnown = false, focus = true } = {}) {
  if (open === wanted) return;
  open = wanted;
  $("chat").hidden = !open;
  $("launcher").setAttribute("aria-expanded", open);
  if (!isKnown) tell(open ? "open" : "close");
  if (open) { atFoot = true; lookAround(); }
  render();
  if (focus) queueMicrotask(() => (open ? firstField() : $("launcher")).focus()); // once what is asked first is there
  seen();
}
const firstField = () => ($("composer").hidden ? $("questions").elements[0] : $("body"));

// --- the live line --------------------------------------------------------------------------------------------------

function follow(chat, seq) {
  topic?.close();
  topic = null;
  if (!chat) return;
  topic = live.subscribe(`chat.${chat}`, {
    after: seq,
    event: ({ type, data }) => line.hear(type, data),
    signal: ({ data }) => {
      typingUntil = data.typing && data.user?.id === null ? Date.now() + TYPING_SHOWN : 0;
      $("typing-word").textContent = data.user?.name ? t.typing.replace("{name}", data.user.name) : t.somebody;
      render();
      setTimeout(render, TYPING_SHOWN + 50);
    },
    refused: () => line.find(),
    reload: () => line.load(),
  });
  live.start();
}
live.addEventListener("state", () => { if (live.state === "live") line.flush(); render(); });

function came() {
  typingUntil = 0;
  $("newest").hidden = atFoot || !open;
  lookAround();
  if (!kept.mute) beep();
  if (open && !document.hidden) seen();
  else line.delivered();
}

function seen() {
  if (open && !document.hidden) line.read();
}

let sound = null;
function beep() {
  try {
    sound ??= new AudioContext();
    const note = sound.createOscillator(), volume = sound.createGain(), now = sound.currentTime;
    note.frequency.value = 660;
    volume.gain.setValueAtTime(0.08, now);
    volume.gain.exponentialRampToValueAtTime(0.001, now + 0.25);
    note.connect(volume).connect(sound.destination);
    note.start(now);
    note.stop(now + 0.25);
  } catch { /* a page that nobody has touched may make no sound */ }
}

async function lookAround() {
  if (!open || document.hidden) return;
  const now = await line.ask().catch(() => null);
  if (!now) return;
  const back = now.enabled && !config.enabled;
  presence = now.presence;
  config.enabled = now.enabled;
  if (back) line.begin();
  render();
}
setInterval(lookAround, PRESENCE_EVERY);
document.addEventListener("visibilitychange", () => { seen(); lookAround(); });

// --- what one sees --------------------------------------------------------------------------------------------------

let waiting = false;
function render() {
  if (waiting) return;
  waiting = true;
  queueMicrotask(() => { waiting = false; paint(); });
}

function paint() {
  const { chat, items } = line, count = line.unread, scroll = $("scroll");
  const ended = chat?.state === "ended" && !kept.queue.length, agent = chat?.agent?.name;
  $("count").hidden = !count || open;
  $("count").textContent = count > 9 ? "9+" : count;
  const label = open ? t.close : count ? t.unread.replace("{n}", count) : t.open;
  $("launcher-word").textContent = label;
  if (told !== `${count} ${label}`) tell("unread", { count, label, accent: config.accent });
  told = `${count} ${label}`;
  $("avatar").textContent = initials(agent ?? config.team);
  $("presence").dataset.presence = presence;
  $("presence").textContent = agent && presence === "online" ? t.with.replace("{name}", agent) : t[presence];
  $("sound").setAttribute("aria-pressed", !kept.mute);
  $("sound-sign").setAttribute("href", kept.mute ? "#i-mute" : "#i-bell");
  $("end").hidden = !chat || ended || chat.state === "ended";
  $("ended").hidden = !ended;
  $("transcript").hidden = kept.mailed === chat?.id || asksWhere;
  $("rating").hidden = !(ended && config.rating && !chat.rating);
  if (!ended) asksWhere = false;
  $("email").hidden = ended ? !asksWhere : !line.lonely(config.email_after);
  $("email-word").textContent = ended ? t.address : t.where;
  questions();
  draw($("messages"), items, { t, config, seenUpTo: chat?.seen_up_to, retry: (item) => line.retry(item), fetchFile: (url) => line.file(url) });
  $("typing").hidden = ended || typingUntil < Date.now();
  status();
  if (atFoot) scroll.scrollTop = scroll.scrollHeight;
  if (!items.length) $("newest").hidden = true;
}

const initials = (name) => name.trim().split(/\s+/).slice(0, 2).map((word) => [...word][0] ?? "").join("").toUpperCase();

function status() {
  const bad = line.failures >= SAID_AFTER && kept.queue.length;
  $("live").dataset.bad = "";
  if (!bad) delete $("live").dataset.bad;
  const word = !config.enabled ? t.off : bad ? t.failing : (!navigator.onLine || topic && live.state === "offline") ? t.offline : line.notice;
  if ($("live").textContent !== (word ?? "")) $("live").textContent = word ?? "";
}

function questions() {
  const form = $("questions"), wanted = config.questions.length && !kept.answered && !line.chat;
  form.hidden = !wanted;
  $("composer").hidden = Boolean(wanted && config.questions.some(({ required }) => required));
  if (!wanted || form.elements.length) return;
  for (const { name, label, required } of config.questions) {
    const box = document.createElement("label"), input = Object.assign(document.createElement("input"), { name, required, maxLength: 1000, type: name === "email" ? "email" : "text" });
    input.dir = "auto";
    box.append(label, input);
    form.append(box);
  }
  form.append(Object.assign(document.createElement("button"), { className: "plain main", textContent: t.begin }));
}

// --- what one does --------------------------------------------------------------------------------------------------

const body = $("body");
body.value = kept.draft ?? "";
body.addEventListener("input", () => {
  kept.draft = body.value;
  line.keep();
  if (!body.value || Date.now() - typedAt < TYPING_EVERY) return;
  typedAt = Date.now();
  topic?.signal("typing", { typing: true });
});
body.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  $("composer").requestSubmit();
});
$("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  if (!body.value.trim()) return;
  line.write(body.value.trim());
  body.value = kept.draft = "";
  if (typedAt) topic?.signal("typing", { typing: false });
  typedAt = 0;
  atFoot = true;
  line.keep();
  render();
});
$("attach").hidden = !config.files;
$("attach").addEventListener("click", () => $("files").click());
const FILES_AT_MOST = 5, BYTES_AT_MOST = 25 * 1024 * 1024; // as the server has it: what it would refuse need not travel first
function attach(files) {
  if (!config.files || !files.length) return;
  const size = [...files].reduce((sum, file) => sum + file.size, 0);
  if (files.length <= FILES_AT_MOST && size <= BYTES_AT_MOST) return line.write("", [...files]);
  line.notice = size > BYTES_AT_MOST ? t.too_large : t.too_many_files;
  render();
}
$("files").addEventListener("change", ({ target }) => { attach(target.files); target.value = ""; });
body.addEventListener("paste", ({ clipboardData }) => attach(clipboardData.files));
$("chat").addEventListener("dragover", (event) => event.preventDefault());
$("chat").addEventListener("drop", (event) => { event.preventDefault(); attach(event.dataTransfer.files); });

const smile = (wanted) => { $("emoji").hidden = !wanted; $("smile").setAttribute("aria-expanded", wanted); if (wanted) $("emoji").firstElementChild.focus(); };
$("emoji").append(...EMOJI.map((sign) => Object.assign(document.createElement("button"), { type: "button", textContent: sign })));
$("smile").addEventListener("click", () => smile($("emoji").hidden));
$("emoji").addEventListener("click", ({ target }) => {
  if (target.localName !== "button") return;
  body.setRangeText(target.textContent, body.selectionStart, body.selectionEnd, "end");
  kept.draft = body.value;
  smile(false);
  body.focus();
});

$("launcher").addEventListener("click", () => show(!open));
$("close").addEventListener("click", () => show(false));
addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !open) return;
  if (!$("emoji").hidden) { smile(false); $("smile").focus(); } else show(false);
});
$("sound").addEventListener("click", () => { kept.mute = !kept.mute; line.keep(); render(); });
$("scroll").addEventListener("scroll", async ({ target }) => {
  atFoot = target.scrollHeight - target.scrollTop - target.clientHeight < 40;
  if (atFoot) $("newest").hidden = true;
  if (target.scrollTop >= 40) return;
  const below = target.scrollHeight - target.scrollTop;
  if (await line.older()) target.scrollTop = target.scrollHeight - below; // what one reads stays where it is
});
new ResizeObserver(() => { if (atFoot) $("scroll").scrollTop = $("scroll").scrollHeight; }).observe($("messages")); // pictures come later
$("newest").addEventListener("click", () => { $("scroll").scrollTop = $("scroll").scrollHeight; body.focus(); });

const doing = (form, act) => $(form).addEventListener("submit", async (event) => {
  event.preventDefault();
  line.notice = null;
  try { await act(Object.fromEntries(new FormData($(form)))); } catch (problem) { line.notice = problem instanceof Problem && !problem.passing ? say(problem.code) : t.failing; }
  render();
});
doing("questions", async (given) => {
  const { name = "", email = "", ...answers } = given;
  Object.assign(kept, { answered: true, about: { name, email, answers }, email: email || kept.email });
  line.keep();
  if (kept.token) await line.describe(kept.about);
  setTimeout(() => body.focus());
});
doing("email", async ({ email }) => {
  await line.describe({ email });
  kept.email = email;
  line.keep();
  line.notice = t.thanks;
  if (asksWhere) await mail();
});
$("no-email").addEventListener("click", () => {
  if (asksWhere) asksWhere = false;
  else { kept.noEmail = true; line.keep(); }
  render();
});
$("end").addEventListener("click", async () => { await line.act("end", {}).catch(() => {}); render(); });
doing("rating", async ({ rating, comment }) => { if (rating) { await line.act("rating", { rating: Number(rating), comment }); line.notice = t.thanks; } });
let asksWhere = false; // to whom the transcript shall go
async function mail() {
  await line.act("transcript", {});
  asksWhere = false;
  kept.mailed = line.chat.id;
  line.keep();
  line.notice = t.mailed;
}
$("transcript").addEventListener("click", async () => {
  if (kept.email) try { await mail(); } catch (problem) { line.notice = say(problem.code); }
  else { asksWhere = true; setTimeout(() => $("email").elements.email.focus()); }
  render();
});

// --- begin ----------------------------------------------------------------------------------------------------------

addEventListener("online", () => line.flush());
addEventListener("offline", render);
if (config.accent) document.documentElement.style.setProperty("--accent", config.accent);
if (["light", "dark"].includes(asked.get("theme"))) document.documentElement.dataset.theme = asked.get("theme");
clock(render);
if (asked.has("back")) history.replaceState(null, "", location.pathname + location.search); // nobody copies it along with the address
if (alone) { document.body.dataset.alone = ""; $("site").hidden = $("launcher").hidden = false; show(true, { focus: false }); }
paint();
line.begin();
document.documentElement.dataset.ready = "";
