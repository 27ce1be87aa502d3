// The public board comes alive: the server has drawn it; from its number on, every score changes what has changed.
import { $ } from "../ui/js/dom.js";
import { tellConnection } from "../ui/js/connection.js";
import { recall, remember } from "../ui/js/memory.js";
import { Live } from "../live/live.js";
import { Board } from "./board.js";
import { startFinding } from "./finding.js";
import { View } from "./view.js";

const AGAIN = 600, SPREAD = 1_800; // ms: a whole school must not ask in the same instant
const state = JSON.parse($("#board-state").textContent);
const address = `/api/v1/leaderboards/${encodeURIComponent(state.quiz_code)}`;
const keptAs = `board.${state.quiz_code}.me`;
const most = state.top * 3;
const board = new Board(most);
const view = new View();
let { is_open: isOpen, name: boardName } = state;
let quiet = true;

let due = false;
/** Once for all that came in one frame, and at once: the server has gathered what comes close together. */
function draw() {
  if (due) return;
  due = true;
  queueMicrotask(() => {
    due = false;
    view.draw(board, { top: state.top, isOpen, boardName, quiet });
    quiet = false;
  });
}

let turn = 0, underWay = 0, since = [];

/** What was heard while the answer was under way is put on top of it: it may be older. `anew`, after a hole, is the truth,
 *  and what was asked before it no longer is. */
async function load(anew = false) {
  const mine = anew ? turn += 1 : turn;
  underWay += 1;
  try {
    return await take(() => mine === turn);
  } finally {
    underWay -= 1;
    if (!underWay) since = [];
  }
}

async function take(isWanted) {
  const query = new URLSearchParams({ limit: most });
  if (board.nickname) query.set("me", board.nickname);
  if (state.key) query.set("key", state.key);
  const answer = await fetch(`${address}?${query}`, { headers: { Accept: "application/json" }, signal: AbortSignal.timeout(10_000), credentials: "omit" });
  if (answer.status === 404 || answer.status === 403) { view.gone(); if (answer.status === 403) location.reload(); return null; }
  if (!answer.ok) throw new Error(`the board answered ${answer.status}`);
  const snapshot = await answer.json();
  if (!isWanted()) return snapshot.live.seq;
  board.load(snapshot);
  for (const { seq, data } of since) if (seq > snapshot.live.seq && board.hear(data)) loadSoon();
  ({ is_open: isOpen, name: boardName } = snapshot);
  draw();
  return snapshot.live.seq;
}

let asked = null;
/** What events alone do not tell is asked for in a moment, once for however many asked. */
function loadSoon() {
  asked ??= setTimeout(async () => {
    asked = null;
    await load().catch(loadSoon);
  }, AGAIN + Math.random() * SPREAD);
}

function hear({ type, data, seq }) {
  if (type === "entry.set") {
    if (underWay) since.push({ seq, data });
    const wanted = board.hear(data);
    if (wanted || board.short) loadSoon();
  } else {
    if (type === "board.updated") ({ is_open: isOpen, name: boardName } = data);
    loadSoon();
  }
  draw();
}

function call(nickname, { keep = true } = {}) {
  board.nickname = nickname;
  board.near = null;
  if (keep) remember(keptAs, nickname || null);
  if (nickname) load().catch(loadSoon);
  draw();
}

board.load(state);
board.nickname = state.nickname || recall(keptAs) || "";
if (state.nickname) remember(keptAs, state.nickname);
const live = new Live({ renew: async () => true });
tellConnection(live);
live.subscribe(state.live.topic, { after: state.live.seq, gather: true, event: hear, reload: () => { quiet = true; return load(true); }, refused: () => view.gone() });
live.start();
draw();
if (board.nickname && !state.me) load().catch(loadSoon);
if (!state.embedded) startFinding({ address, key: state.key, board, call });
else new ResizeObserver(() => parent.postMessage({ switchboard: "leaderboard", code: state.quiz_code, height: document.documentElement.scrollHeight }, "*")).observe(document.body);
