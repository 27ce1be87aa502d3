// Many conversations at once: ticked in the list, changed with one action, taken back with Undo.
import { $, $$, announce, attribute, fields, show, soon, text } from "../ui/js/dom.js";
import { call } from "../ui/js/http.js";
import { toast } from "../ui/js/toast.js";
import { t } from "../ui/js/words.js";
import { query } from "./api.js";
import { failed } from "./actions.js";
import { menuEntry } from "./standing.js";
import { PRIORITIES } from "./store.js";

export function start({ store, api, sync, list, slug }) {
  const address = `/api/v1/workspaces/${slug}/conversations/bulk`;
  const bar = $('[data-part="bulk"]'), parts = fields(bar), pane = $(".list");
  const chosen = new Set();
  let picking = false, everything = false, last = null, told = -1;

  const boxes = () => $$(".pick", list.rows);
  const idOf = (box) => box.parentElement.dataset.key;

  const render = soon(() => {
    for (const id of chosen) if (!store.conversations.has(id)) chosen.delete(id);
    for (const box of boxes()) box.checked = everything || chosen.has(idOf(box));
    attribute(pane, "data-picking", picking);
    show(bar, picking);
    const count = everything ? null : chosen.size;
    text(parts.count, everything ? t("bulk.everything") : t("bulk.count", { n: count }));
    attribute(parts.all, "aria-pressed", String(everything));
    for (const button of $$("[data-needs]", bar)) button.disabled = !everything && !chosen.size;
    if (told !== count && picking) announce(parts.count.textContent);
    told = count;
  });
  store.addEventListener("change", ({ detail }) => { if (picking && detail.includes("list")) render(); });

  function pick(box, on, through) {
    const all = boxes(), [from, to] = [all.indexOf(last), all.indexOf(box)].sort((one, other) => one - other);
    everything = false;
    for (const one of through && from >= 0 ? all.slice(from, to + 1) : [box]) {
      if (on) chosen.add(idOf(one));
      else chosen.delete(idOf(one));
    }
    last = box;
    picking = true;
    render();
  }

  /** The key ticks the row that has the focus, else the open conversation. */
  function toggle(focused) {
    const row = focused?.closest?.("[data-key]") ?? list.rows.querySelector("[aria-current]")?.parentElement;
    const box = row && $(".pick", row);
    if (box) pick(box, !box.checked);
    else { picking = true; render(); }
  }

  function stop() {
    chosen.clear();
    picking = everything = false;
    render();
    list.rows.querySelector('[data-item][tabindex="0"]')?.focus();
  }

  let through = false;
  list.rows.addEventListener("click", (event) => { through = event.shiftKey; }, { capture: true });
  list.rows.addEventListener("keydown", (event) => {
    if (!picking || event.key !== "Escape") return;
    event.preventDefault();
    stop();
  });

  const whom = () => (everything ? { filter: Object.fromEntries(new URLSearchParams(query(store.filter))) } : { ids: [...chosen] });

  async function act(change) {
    $("#menu-bulk").hidePopover();
    attribute(bar, "aria-busy", "true");
    try {
      const { results, changed, undo } = await call("POST", address, { ...whom(), action: change });
      const refused = results.filter(({ result }) => result === "refused");
      const words = refused.length ? t("bulk.some", { n: changed, m: refused.length }) : t("bulk.done", { n: changed });
      toast(words, { tone: refused.length ? "danger" : undefined, ...(undo && changed ? { action: t("undo"), act: () => back(undo) } : {}) });
      stop();
      sync.loadList().catch(() => {}); // events have told most of it
    } catch (problem) {
      failed("failed.bulk", problem);
    } finally {
      attribute(bar, "aria-busy", null);
    }
  }

  async function back(undo) {
    try {
      const { changed } = await call("POST", `${address}/undo`, { undo });
      toast(t("bulk.back", { n: changed }));
      sync.loadList().catch(() => {});
    } catch (problem) {
      failed("failed.bulk", problem);
    }
  }

  // --- what is chosen for all of them --------------------------------------------------------------------------------

  const entry = (title, value, more = {}) => menuEntry({ act: "bulk-do", value: JSON.stringify(value), title, ...more });

  const menus = {
    async assign() {
      const { results: teams } = await api.teams();
      const people = [store.me, ...store.agents.filter(({ id }) => id !== store.me.id)];
      return [
        ...people.map(({ id, name }) => entry(name, { do: "assign", value: id })), entry(t("nobody"), { do: "assign", value: null }),
        ...teams.map(({ id, name }) => entry(t("team", { name }), { do: "team", value: id })),
      ];
    },
    async label() {
      const { results } = await api.labels();
      return [...results.map(({ name, hue }) => entry(name, { do: "label", value: name }, { hue })), ...results.map(({ name }) => entry(t("bulk.unlabel", { name }), { do: "unlabel", value: name }))];
    },
    async snooze() {
      return (await api.presets()).results.map(({ name, until }) => entry(name, { do: "snooze", value: until }));
    },
    async more() {
      return [
        ...["open", "pending", "resolved"].map((value) => entry(t(`state.${value}`), { do: "status", value })),
        ...PRIORITIES.toReversed().map((value) => entry(t("do.priority", { name: t(`priority.${value}`) }), { do: "priority", value })),
        entry(t("bulk.read"), { do: "read", value: true }), entry(t("do.unread"), { do: "unread", value: true }),
        entry(t(store.filter.status === "spam" ? "do.not-spam" : "do.spam"), { do: "spam", value: store.filter.status !== "spam" }),
      ];
    },
  };

  async function menu(button) {
    const element = $("#menu-bulk");
    try {
      $('[data-part="entries"]', element).replaceChildren(...await menus[button.dataset.value]());
      element.setAttribute("aria-label", button.textContent.trim());
      element.showPopover({ source: button });
    } catch (problem) {
      failed("failed.bulk", problem);
    }
  }

  return {
    "bulk-toggle": toggle,
    "bulk-start": () => { picking = true; render(); (list.rows.querySelector('[data-item][tabindex="0"]'))?.focus(); },
    "bulk-picked": (box) => pick(box, box.checked, through),
    "bulk-all": () => { everything = !everything; chosen.clear(); render(); },
    "bulk-clear": stop,
    "bulk-menu": menu,
    "bulk-do": ({ dataset }) => act(JSON.parse(dataset.value)),
    "bulk-resolve": () => act({ do: "status", value: "resolved" }),
  };
}
