// What the tutors' pages ask of the server.
import { call } from "../ui/js/http.js";

export function proctorApi(slug, exam) {
  const base = `/api/v1/workspaces/${slug}/exams/${exam}/`;
  const of = (session, rest = "") => `${base}sessions/${session}/${rest}`;
  return {
    base,
    exam: () => call("GET", base),
    /** All sessions, page by page; `page` gets each as it comes. */
    async sessions(page) {
      let next = `${base}sessions/?limit=200`;
      while (next) {
        const answer = await call("GET", next);
        page(answer.results);
        const url = answer.next && new URL(answer.next, location.href);
        next = url && url.pathname + url.search;
      }
    },
    waiting: () => call("GET", `${base}violations/?review=not_reviewed&merged=true&severity=medium&severity=high&severity=critical&limit=200`),
    detail: (session) => call("GET", of(session)),
    entries: (session) => call("GET", of(session, "violations/?limit=100")),
    commands: (session) => call("GET", of(session, "commands/?limit=50")),
    chat: (session) => call("GET", of(session, "chat?limit=50")),
    write: (session, message) => call("POST", of(session, "chat"), message),
    read: (session) => call("POST", of(session, "chat/read"), {}),
    typing: (session) => call("POST", of(session, "chat/typing"), {}),
    note: (session, body) => call("POST", of(session, "violations/"), body),
    review: (violation, review, reason) => call("PATCH", `${base}violations/${violation}/`, { review, reason }),
    command: (order, { all, sessions }) => call("POST", `${base}commands/`, { ...order, ...(all ? { all: true } : { sessions }) }),
    announcements: () => call("GET", `${base}announcements/?limit=200`),
    allow: (session, device) => call("POST", of(session, `devices/${device}/allow`), {}),
    compensate: (session) => call("POST", of(session, "compensate"), {}),
    compensateAll: () => call("POST", `${base}compensate`, {}),
    close: () => call("POST", `${base}close`, {}),
  };
}
