// What the inbox offers to the command palette; the same actions as its buttons and keys. Comes with the palette.
import { $, $$ } from "../ui/js/dom.js";
import { lookup } from "../ui/js/commands.js";
import { nameOf } from "../ui/js/people.js";
import { t } from "../ui/js/words.js";

export function start({ store, acts, actions, composer, api, open, later, run }) {
  const conversation = (title, icon, run, keys) => ({ title, icon, run, keys, group: t("group.conversation") });

  const here = () => {
    const row = store.conversations.get(store.open);
    if (!row) return [];
    const can = (action) => store.can.has(action);
    const is = (...states) => states.includes(row.status);
    return [
      can("reply") && conversation(t("do.reply"), "reply", () => composer.focus("reply"), ["R"]),
      can("note") && conversation(t("do.note"), "lock", () => composer.focus("note"), ["N"]),
      can("resolve") && !is("resolved") && conversation(t("do.resolve"), "check", acts["resolve-next"], ["E"]),
      can("resolve") && is("open", "snoozed") && conversation(t("do.pending"), "status-queued", acts.pending),
      can("resolve") && !is("open") && conversation(t("do.reopen"), "retry", acts.reopen),
      ...(can("assign") ? assigning(row) : []),
      can("reply") && $('[data-act="templates"]') && conversation(t("do.templates"), "template", acts.templates),
      conversation(t("do.back"), "back", acts.back),
    ].filter(Boolean);
  };

  function assigning(row) {
    const now = row.assignee?.id;
    const to = (id, title, icon = "user", keys = undefined) => id !== now && conversation(title, icon, () => actions.assign(row.id, id ?? null), keys);
    return [to(store.me.id, t("do.assign-me"), "user", ["I"]), ...store.agents.filter(({ id }) => id !== store.me.id).map(({ id, name }) => to(id, t("do.assign", { name }))), now && to(undefined, t("do.assign-nobody"), "x")];
  }

  const around = () => [
    { title: t("do.search"), icon: "search", keys: ["/"], group: t("group.list"), run: acts.search },
    ...$$(".tabs [data-assignee], .list-tools [data-filter][data-value]").map((choice) => ({ title: t("do.tab", { name: label(choice) }), icon: "filter", group: t("group.list"), run: () => choice.click() })),
    ...(store.can.has("reply") ? [{ title: t("do.begin"), icon: "edit", keys: ["C"], group: t("group.list"), run: () => run("begin", "begin-open") }] : []),
    { title: t("do.filter"), icon: "filter", keys: ["F"], group: t("group.list"), run: () => run("filters", "filters-open") },
    { title: t("do.select"), icon: "check", keys: ["X"], group: t("group.list"), run: () => run("bulk", "bulk-start") },
    { title: t("do.view.new"), icon: "plus", group: t("group.list"), run: () => run("views", "views-new") },
  ];

  /** The conversation's, the saved texts and views of this workspace, and those of the list. */
  async function commands() {
    const from = async (module) => (await later(module)).commands();
    const [standing, further, planned, macros, views] = await Promise.all(["standing", "further", "planned", "macros", "views"].map((name) => from(name).catch(() => [])));
    return [...here(), ...standing, ...further, ...planned, ...macros, ...around(), ...views];
  }

  lookup(async (words, signal) => {
    const { results } = await api.search(words, signal);
    return results.map((row) => ({ title: nameOf(row.contact) || t("nameless"), more: row.contact.name ? row.contact.phone : "", icon: `channel-${row.channel.kind}`, run: () => open(row.id) }));
  });
  return { commands };
}

const label = (element) => [...element.childNodes].filter(({ nodeType }) => nodeType === Node.TEXT_NODE).map(({ data }) => data.trim()).join(" ").trim();
