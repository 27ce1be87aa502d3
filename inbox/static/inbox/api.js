// What the inbox asks of the server. Paths are those of the REST API; `next` addresses are taken as given.
import { call } from "../ui/js/http.js";

export function inboxApi(slug) {
  const workspace = `/api/v1/workspaces/${slug}/`;
  const base = `${workspace}conversations/`;
  const own = (id, rest = "") => `${base}${id}/${rest}`;
  return {
    list: (filter, limit) => call("GET", `${base}?${query(filter, limit)}`),
    counts: () => call("GET", `${base}?limit=1`),
    page: (next, signal) => call("GET", local(next), undefined, { signal }),
    ofContact: (contact) => call("GET", `${base}?contact=${contact}&limit=10`),
    search: (words, signal) => call("GET", `${base}?search=${encodeURIComponent(words)}&limit=8`, undefined, { signal }),
    conversation: (id, signal) => call("GET", own(id), undefined, { signal }),
    messages: (id, limit, signal) => call("GET", own(id, limit ? `messages/?limit=${limit}` : "messages/"), undefined, { signal }),
    send: (id, message) => call("POST", own(id, "messages/"), message),
    typing: (id) => call("POST", own(id, "typing"), {}),
    retry: (id, message) => call("POST", own(id, `messages/${message}/retry`), {}),
    refetch: (id, message, file) => call("POST", own(id, `messages/${message}/attachments/${file}/retry`), {}),
    read: (id, seen) => call("POST", own(id, "read"), { seen_count: seen }, { keepalive: true }), // also as the page goes
    assign: (id, assignee) => call("POST", own(id, "assign"), { assignee }),
    team: (id, team) => call("POST", own(id, "team"), { team }),
    claim: (id) => call("POST", own(id, "claim"), {}),
    presets: () => call("GET", `${workspace}snooze-presets`),
    labels: () => call("GET", `${workspace}labels/`),
    teams: () => call("GET", `${workspace}teams/`),
    channels: () => call("GET", `${workspace}channels/`),
    drafts: () => call("GET", `${workspace}drafts/`),
    draft: (id, draft, options) => call("PUT", own(id, "draft"), draft, options),
    snooze: (id, until) => call("POST", own(id, "snooze"), until), // { preset } or { until }
    priority: (id, priority) => call("POST", own(id, "priority"), { priority }),
    label: (id, change) => call("POST", own(id, "labels"), change),
    spam: (id, spam) => call("POST", own(id, "spam"), { spam }),
    unread: (id) => call("POST", own(id, "unread"), {}),
    status: (id, status) => call("POST", own(id, "status"), { status }),
  };
}

const TABS = { me: "mine", none: "unassigned" };
export const NARROWING = ["channel", "label", "team", "priority", "view"];

/** Where the page itself stands with this filter: a reload, a link and a bookmark come back to it. */
export function address(filter, id) {
  const { assignee } = filter;
  const words = new URLSearchParams({ tab: TABS[assignee] ?? "all" });
  if (assignee && !TABS[assignee]) words.set("assignee", assignee);
  if (filter.status !== "open") words.set("status", filter.status);
  narrow(words, filter);
  if (filter.order !== "newest") words.set("order", filter.order);
  const workspace = new URLSearchParams(location.search).get("workspace");
  if (workspace) words.set("workspace", workspace);
  return `/inbox${id ? `/${id}` : ""}?${words}`;
}

/** The filter as the list's query; what is at its default is left out. */
export function query(filter, limit) {
  const words = new URLSearchParams();
  if (filter.assignee) words.set("assignee", filter.assignee);
  if (filter.status === "spam") words.set("spam", "true");
  else if (filter.status) words.set("status", filter.status);
  narrow(words, filter);
  if (filter.order && (filter.view || filter.order !== "newest")) words.set("order", filter.order);
  if (limit) words.set("limit", limit);
  return words.toString();
}

function narrow(words, filter) {
  if (filter.unread) words.set("unread", "true");
  for (const name of NARROWING) if (filter[name]) words.set(name, filter[name]);
}

function local(address) {
  const url = new URL(address, location.href);
  return url.pathname + url.search;
}
