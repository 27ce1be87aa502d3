// Replies that go out later: when, what waits above the composer, and taking them back.
import { $, attribute, clone, fields, reconcile, show, text } from "../ui/js/dom.js";
import { call } from "../ui/js/http.js";
import { moment, timeAhead } from "../ui/js/time.js";
import { toast } from "../ui/js/toast.js";
import { has, t } from "../ui/js/words.js";
import { failed } from "./actions.js";
import { menuEntry } from "./standing.js";

export function start({ store, api, composer, slug }) {
  const base = (id) => `/api/v1/workspaces/${slug}/conversations/${id}/planned/`;
  const writing = document.forms.composer, place = $('[data-part="planned"]'), menu = $("#menu-planned"), form = $("#dialog-planned form");
  const can = store.can.has("reply");
  let times = [];

  /** Of the presets those at which one may still write. */
  async function choose(button) {
    const { body, mode } = writing.elements;
    if ($(".composer-files > *", writing)) return toast(t("planned.files"), { tone: "info" });
    if (mode.value !== "reply" || !body.value.trim() || $('[type="submit"]', writing).disabled) return toast(t("planned.nothing"), { tone: "info" });
    try {
      times = (await api.presets()).results.filter(({ until }) => until);
    } catch (problem) {
      return failed("failed.planned", problem);
    }
    const shuts = moment(store.conversations.get(store.open)?.window?.closes_at) ?? Infinity;
    const entries = times.filter(({ until }) => moment(until) < shuts).map(({ key, name, until }) => menuEntry({ act: "planned-at", value: key, title: name, more: timeAhead(moment(until)) }));
    $('[data-part="entries"]', menu).replaceChildren(...entries, menuEntry({ act: "planned-ask", title: t("snooze.at") }));
    menu.showPopover({ source: button?.matches?.(".button") ? button : $('[data-act="planned-menu"]') });
  }

  function ask() {
    const { at } = form.elements, local = (time) => new Date(time - time.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
    const now = new Date();
    [at.min, at.value] = [local(now), local(new Date(now.getFullYear(), now.getMonth(), now.getDate() + 1, 9))];
    form.closest("dialog").showModal();
  }

  /** The words leave the composer at once, and come back where the server does not take them. */
  async function plan(sendAt) {
    const id = store.open, field = writing.elements.body, body = field.value.trim();
    if (!body) return;
    field.value = "";
    field.dispatchEvent(new Event("input")); // the draft goes with it
    try {
      const planned = await call("POST", base(id), { client_id: crypto.randomUUID(), body, send_at: sendAt });
      store.plan(id, planned);
      toast(t("planned.done", { at: timeAhead(moment(planned.send_at)) }), { action: t("undo"), act: () => back(planned) });
    } catch (problem) {
      if (store.open === id) composer.putBack({ body, direction: "out" });
      failed("failed.planned", problem);
    }
  }

  const of = (button) => store.thread(store.open).planned.get(button.closest("[data-key]").dataset.key);

  async function settle(planned, ask) {
    try {
      await ask();
      store.plan(planned.conversation, { id: planned.id, deleted: true });
      return true;
    } catch (problem) {
      return void failed("failed.planned", problem);
    }
  }

  const send = (planned) => settle(planned, () => call("POST", `${base(planned.conversation)}${planned.id}/send`, {}));
  const back = async (planned) => {
    if (await settle(planned, () => call("DELETE", `${base(planned.conversation)}${planned.id}/`)) && store.open === planned.conversation) composer.putBack({ body: planned.body, direction: "out" });
  };

  function render() {
    const planned = [...store.threads.get(store.open)?.planned.values() ?? []].sort((a, b) => moment(a.send_at) - moment(b.send_at));
    show(place, planned.length);
    reconcile(place, planned, {
      key: ({ id }) => id,
      make: () => clone("planned"),
      fill(element, { body, send_at: at, state, error, author }) {
        const parts = fields(element), held = state === "held";
        attribute(element, "data-tone", held ? "warning" : null);
        text(parts.when, held ? t("planned.held", { reason: reason(error) }) : t("planned.at", { at: timeAhead(moment(at)) }));
        text(parts.author, author && author.id !== store.me.id ? author.name : "");
        text(parts.body, body);
        show(parts.acts, can);
      },
    });
  }

  form?.addEventListener("submit", () => plan(new Date(form.elements.at.value).toISOString()));
  const able = (run) => (given) => (can && store.open ? run(given) : null);
  return {
    render,
    "planned-menu": able(choose),
    "planned-at": able(({ dataset }) => plan(times.find(({ key }) => key === dataset.value).until)),
    "planned-ask": able(ask),
    "planned-send": able((button) => send(of(button))),
    "planned-back": able((button) => back(of(button))),
    commands: () => (can && store.open ? [{ title: t("do.plan"), icon: "clock", run: () => choose(), group: t("group.conversation") }] : []),
  };
}

const reason = ({ code, message }) => (has(`planned.${code}`) ? t(`planned.${code}`) : message);
