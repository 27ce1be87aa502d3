// Saved views: keep the list as it stands, name a view and choose its columns, delete it.
import { $, show, text } from "../ui/js/dom.js";
import { call } from "../ui/js/http.js";
import { whileBusy } from "../ui/js/once.js";
import { toast } from "../ui/js/toast.js";
import { t } from "../ui/js/words.js";
import { complain } from "./new.js";
import { base, failed, go, look, quietly } from "./page.js";

export function startViews() {
  const form = $('[data-form="view"]'), dialog = form.closest("dialog");
  const menu = () => $("#menu-views");
  let renamed = null; // the view whose name and columns the dialog changes; null makes a new one

  function open(view) {
    renamed = view;
    form.reset();
    complain(form, null);
    form.elements.name.value = view?.name ?? "";
    const columns = JSON.parse(menu().dataset.columns);
    for (const box of form.elements.columns) box.checked = columns.includes(box.value);
    show($("[data-audience]", form), !view);
    text($("h2", dialog), t(view ? "view.rename" : "view.save"));
    dialog.showModal();
  }

  const shown = () => ({ id: menu().dataset.view, name: menu().dataset.viewName });

  const to = (view) => {
    const now = new URLSearchParams(location.search);
    const next = new URLSearchParams(["workspace", "layout"].filter((name) => now.has(name)).map((name) => [name, now.get(name)]));
    if (view) next.set("view", view);
    return go(`?${next}`);
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    whileBusy($("[type=submit]", form), save);
  });

  async function save() {
    const name = form.elements.name.value.trim();
    const audience = form.elements.audience.selectedOptions[0];
    // The name always shows; it stands among them so that nothing else chosen is not the same as nothing said.
    const columns = ["name", ...[...form.elements.columns].filter(({ checked }) => checked).map(({ value }) => value)];
    try {
      if (renamed) {
        await call("PATCH", `${base}views/${renamed.id}`, { name, columns });
        await quietly(look());
      } else {
        const team = audience.dataset.team ? { team: audience.dataset.team } : {};
        const made = await call("POST", `${base}views/`, { scope: "contacts", name, columns, audience: audience.value, ...team, ...JSON.parse(menu().dataset.keep) });
        await to(made.id);
      }
      dialog.close();
      toast(t(renamed ? "view.renamed" : "view.saved"));
    } catch (problem) {
      complain(form, problem);
    }
  }

  const acts = {
    "keep-view": () => open(null),
    "rename-view": () => open(shown()),
    async "update-view"() {
      const { id } = shown();
      await call("PATCH", `${base}views/${id}`, JSON.parse(menu().dataset.keep));
      await to(id);
      toast(t("view.saved"));
    },
    async "delete-view"() {
      const { id } = shown();
      const { name, scope, audience, team, filters, sort, columns, position } = await call("GET", `${base}views/${id}`);
      await call("DELETE", `${base}views/${id}`);
      await to("");
      const back = { name, scope, audience, filters, sort, columns, position, ...(team ? { team: team.id } : {}) };
      const undo = () => call("POST", `${base}views/`, back).then((made) => to(made.id)).catch(failed);
      toast(t("view.deleted"), { action: t("undo"), act: undo });
    },
  };
  document.addEventListener("click", (event) => {
    const name = event.target.closest("button[data-act]")?.dataset.act;
    if (acts[name]) Promise.resolve(acts[name]()).catch(failed);
  });
}
