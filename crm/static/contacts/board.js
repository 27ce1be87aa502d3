// The board: a card goes to another column by pointer or by the arrow keys, at once; the server hears of it after.
import { $, $$, announce, attribute, text } from "../ui/js/dom.js";
import { call } from "../ui/js/http.js";
import { focusItem, settle } from "../ui/js/roving.js";
import { toast } from "../ui/js/toast.js";
import { t } from "../ui/js/words.js";
import { base, look, lookSoon, page, quietly, state } from "./page.js";

const FAR = 6; // px before a press becomes a drag
const EDGE = 48; // px from the board's side where it scrolls along

export function startBoard() {
  const board = $("[data-board]");
  if (!board) return null;
  const may = state.workspace.can.includes("edit_contacts");
  const columns = () => $$("[data-column]", board);
  const waiting = new Map(); // contact id to its newest wish: keys are quicker than the network

  function counted(column, by) {
    const place = $("[data-count]", column);
    if (/^\d+$/.test(place.textContent)) text(place, String(Number(place.textContent) + by));
  }

  function put(card, column, before = $("ul", column).firstElementChild) {
    counted(card.closest("[data-column]"), -1);
    $("ul", column).insertBefore(card, before);
    counted(column, 1);
    card.dataset.lead = column.dataset.column;
  }

  async function move(card, column) {
    const from = card.closest("[data-column]"), link = $("[data-item]", card);
    if (from === column) return;
    const focused = card.contains(document.activeElement);
    const { contactId: id, name } = card.dataset;
    page.setAttribute("data-moving", "");
    put(card, column);
    if (focused) focusItem($("ul", column), link);
    for (const list of $$("[data-roving]", board)) settle(list);
    announce(t("moved", { name, column: column.dataset.title }));
    const first = waiting.get(id)?.first ?? from.dataset.column;
    const wish = { first, to: column.dataset.column };
    const busy = waiting.has(id);
    waiting.set(id, wish);
    if (busy) return; // whoever is under way sends this one next
    await send(id, name);
  }

  /** One after the other; of several wishes only the last is sent. */
  async function send(id, name) {
    try {
      for (let sent = null; sent !== waiting.get(id); ) {
        sent = waiting.get(id);
        await call("PATCH", `${base}contacts/${id}/`, { lead_status: sent.to });
        sent.first = sent.to;
      }
    } catch (problem) {
      const { first } = waiting.get(id);
      const column = columns().find((one) => one.dataset.column === first);
      const card = $(`[data-contact-id="${id}"]`, board);
      if (card && column) put(card, column);
      toast(t("moved.failed", { name, column: column?.dataset.title ?? "", reason: problem.message }), { tone: "danger" });
    } finally {
      waiting.delete(id);
      if (!waiting.size) page.removeAttribute("data-moving");
      await quietly(look());
      const card = $(`[data-contact-id="${id}"] [data-item]`, board);
      if (card && document.activeElement === document.body) card.focus({ preventScroll: true });
    }
  }

  if (may) {
    board.addEventListener("keydown", (event) => {
      const card = event.target.closest("[data-item]")?.closest("[data-contact-id]");
      if (!card || event.ctrlKey || event.metaKey || event.altKey) return;
      const forward = document.documentElement.dir === "rtl" ? "ArrowLeft" : "ArrowRight";
      if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
      event.preventDefault();
      const all = columns(), at = all.indexOf(card.closest("[data-column]"));
      const to = all[at + (event.key === forward ? 1 : -1)];
      if (to) move(card, to);
      else announce(t("moved.end"));
    });
    startDrag(board, move);
  }
  return { drawn() { if (waiting.size) lookSoon(); } };
}

function swallow(event) {
  event.preventDefault();
  event.stopPropagation();
}

function startDrag(board, move) {
  let held = null; // {card, x, y, ghost, over}

  const columnAt = (x, y) => document.elementFromPoint(x, y)?.closest("[data-column]");

  function end() {
    if (!held) return;
    held.ghost?.remove();
    attribute(held.card, "data-dragged", null);
    attribute(held.over ?? held.card, "data-over", null);
    removeEventListener("keydown", escape, true);
    held = null;
  }

  function escape(event) {
    if (event.key !== "Escape") return;
    event.preventDefault();
    end();
  }

  function begin() {
    const { card } = held, box = card.getBoundingClientRect();
    held.ghost = card.cloneNode(true);
    held.ghost.removeAttribute("data-contact-id");
    held.ghost.classList.add("board-ghost");
    held.ghost.setAttribute("aria-hidden", "true");
    Object.assign(held.ghost.style, { inlineSize: `${box.width}px`, left: `${box.left}px`, top: `${box.top}px` });
    document.body.append(held.ghost);
    attribute(card, "data-dragged", true);
    addEventListener("keydown", escape, true);
  }

  board.addEventListener("pointerdown", (event) => {
    const card = event.target.closest("[data-contact-id]");
    if (!card || event.button !== 0 || event.pointerType === "touch") return; // a finger scrolls; it opens the card
    held = { card, x: event.clientX, y: event.clientY, pointer: event.pointerId };
  });
  addEventListener("pointermove", (event) => {
    if (!held || event.pointerId !== held.pointer) return;
    const [x, y] = [event.clientX - held.x, event.clientY - held.y];
    if (!held.ghost) {
      if (Math.hypot(x, y) < FAR) return;
      begin();
    }
    held.ghost.style.translate = `${x}px ${y}px`;
    const side = board.getBoundingClientRect();
    if (event.clientX < side.left + EDGE) board.scrollLeft -= 12;
    else if (event.clientX > side.right - EDGE) board.scrollLeft += 12;
    const over = columnAt(event.clientX, event.clientY);
    if (over === held.over) return;
    if (held.over) attribute(held.over, "data-over", null);
    held.over = over;
    if (over) attribute(over, "data-over", true);
  });
  addEventListener("pointerup", (event) => {
    if (!held || event.pointerId !== held.pointer) return;
    const { card, over, ghost } = held;
    if (ghost) {
      addEventListener("click", swallow, true); // letting go is no click on the link underneath
      setTimeout(() => removeEventListener("click", swallow, true));
    }
    end();
    if (ghost && over) move(card, over);
  });
  addEventListener("pointercancel", end);
  board.addEventListener("dragstart", (event) => event.preventDefault());
}
