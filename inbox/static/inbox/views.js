// Saved views: choosing one, and building its conditions with all, any or none of them, groups within groups.
import { $, fields, show, text } from "../ui/js/dom.js";
import { call } from "../ui/js/http.js";
import { whileBusy } from "../ui/js/once.js";
import { toast } from "../ui/js/toast.js";
import { t } from "../ui/js/words.js";
import { failed } from "./actions.js";
import { NARROWING } from "./api.js";
import { Builder } from "./conditions.js";
import { menuEntry } from "./standing.js";

const FRESH = 60_000; // ms for which a list of them is good
const AGES = 60_000; // ms: who waits longer than an hour, or whose window shuts soon, no event tells

export function start({ store, sync, setFilter, later, open, slug }) {
  const base = `/api/v1/workspaces/${slug}/views/`;
  const dialog = $("#dialog-view"), form = $("form", dialog), parts = fields(dialog);
  let views = [], asked = 0, edited = null, builder = null;

  store.addEventListener("setting", () => { asked = 0; });
  setInterval(() => { if (store.filter.view && !document.hidden) sync.loadList().catch(() => {}); }, AGES);

  async function all() {
    if (Date.now() - asked > FRESH) {
      views = (await call("GET", `${base}?scope=conversations`)).results;
      asked = Date.now();
    }
    return views;
  }

  const changed = () => { asked = 0; };
  const current = () => views.find(({ id }) => id === store.filter.view);

  async function menu() {
    try {
      await all();
    } catch (problem) {
      return failed("failed.view", problem);
    }
    const here = current(), button = (act, title, value = "") => menuEntry({ act, title, value });
    const element = $("#menu-views");
    $('[data-part="entries"]', element).replaceChildren(
      ...views.map(({ id, name }) => menuEntry({ act: "views-choose", value: id, title: name, role: "menuitemradio", checked: id === store.filter.view })),
      ...(views.length ? [document.createElement("hr")] : []),
      ...(store.filter.view ? [button("views-choose", t("view.leave"))] : []),
      button("views-new", t("do.view.new")), button("bulk-start", t("do.select")),
      ...(here ? [button("views-edit", t("view.edit", { name: here.name })), button("views-delete", t("view.delete", { name: here.name }))] : []),
    );
    const source = $('[data-act="views-menu"]');
    if (!source.checkVisibility()) open(null); // on a phone the list stands alone
    return element.showPopover({ source });
  }

  /** A view says all by itself: status, tab and filters of before do not narrow it. */
  function choose(id) {
    const view = views.find((one) => one.id === id);
    const nothing = Object.fromEntries(NARROWING.map((name) => [name, ""]));
    setFilter({ ...nothing, unread: false, assignee: "", status: view ? "" : "open", order: view?.sort || "newest", view: view?.id ?? "" });
  }

  async function edit(view, tree) {
    try {
      const { results: teams } = await call("GET", `/api/v1/workspaces/${slug}/teams/`);
      const { choices } = await later("filters");
      builder = new Builder(parts.tree, await choices());
      builder.draw(view?.filters ?? tree ?? { all: [{ field: "status", is: "is", value: "open" }] });
      const { audience } = form.elements;
      audience.replaceChildren(new Option(t("audience.mine"), "mine"), ...(store.can.has("edit_contacts") ? [...teams.map(({ id, name }) => new Option(t("team", { name }), id)), new Option(t("audience.everyone"), "everyone")] : []));
      edited = view ?? null;
      form.elements.name.value = view?.name ?? "";
      audience.value = view?.audience === "team" ? view.team.id : view?.audience ?? "mine";
      form.elements.sort.value = view?.sort || "newest";
      text(parts.title, view ? t("view.edit", { name: view.name }) : t("view.new"));
      complain(null);
      dialog.showModal();
      form.elements.name.focus();
    } catch (problem) {
      if (problem.beyond) toast(t("view.beyond"), { tone: "danger" });
      else failed("failed.view", problem);
    }
  }

  function complain(problem) {
    show(parts.problem, problem);
    const said = Object.values(problem?.data?.errors ?? {}).flat().join(" ");
    text(parts.problem, said || problem?.message);
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    whileBusy($('[type="submit"]', form), save);
  });

  async function save() {
    const { name, audience, sort } = Object.fromEntries(new FormData(form));
    const shared = ["mine", "everyone"].includes(audience) ? { audience } : { audience: "team", team: audience };
    const body = { name: name.trim(), sort, filters: builder.read(), ...shared };
    try {
      const saved = edited ? await call("PATCH", base + edited.id, body) : await call("POST", base, { scope: "conversations", ...body });
      changed();
      await all();
      dialog.close();
      choose(saved.id);
      toast(t("view.saved", { name: saved.name }));
    } catch (problem) {
      complain(problem);
    }
  }

  form.addEventListener("click", (event) => {
    const button = event.target.closest("[data-part-act]");
    if (button) builder.act(button);
  });
  form.addEventListener("change", (event) => builder.changed(event.target));

  async function remove() {
    const view = current();
    try {
      await call("DELETE", base + view.id);
      changed();
      await all();
      choose("");
      const { name, audience, team, filters, sort, columns, position } = view;
      const again = { scope: "conversations", name, audience, filters, sort, columns, position, ...(team ? { team: team.id } : {}) };
      const back = async () => { const made = await call("POST", base, again); changed(); await all(); choose(made.id); };
      toast(t("view.deleted", { name }), { action: t("undo"), act: () => back().catch((problem) => failed("failed.view", problem)) });
    } catch (problem) {
      failed("failed.view", problem);
    }
  }

  /** What the filter dialog says, as conditions. */
  function fromFilter({ channel, assignee, team, label, priority }) {
    const { status, unread } = store.filter;
    const one = (field, value, is = "is") => (value ? [{ field, is, value }] : []);
    return { all: [...one("status", status === "spam" ? "" : status), ...one("channel", channel), ...one("assignee", assignee), ...one("team", team), ...(label ? [{ field: "labels", is: "any", value: [label] }] : []), ...one("priority", priority), ...one("unread", unread)] };
  }

  return {
    "views-menu": menu,
    "views-choose": ({ dataset }) => choose(dataset.value),
    "views-new": () => edit(null),
    "views-edit": () => edit(current()),
    "views-delete": remove,
    "views-from": (given) => edit(null, fromFilter(given)),
    named: async () => new Map((await all()).map(({ id, name }) => [id, name])),
    commands: async () => (await all()).map(({ id, name }) => ({ title: t("do.tab", { name }), icon: "filter", group: t("group.list"), run: () => choose(id) })),
  };
}
