// The exams on the page, one or several: each session's own API, and one action for the students of all of them.
import { proctorApi } from "./api.js";

export class Exams {
  #apis;
  #examOf;

  /** `lines`: of each its payload, its workspace's name and its topic; `examOf(session)` the name of a session's exam. */
  constructor(lines, examOf) {
    this.all = new Map(lines.map(({ exam }) => [exam.slug, exam]));
    this.#apis = new Map(lines.map(({ exam, workspace }) => [exam.slug, proctorApi(workspace, exam.slug)]));
    this.#examOf = examOf;
  }

  api = (slug) => this.#apis.get(slug);
  of = (session) => this.#apis.get(this.#examOf(session));
  /** Only where there are several. */
  title = (slug) => (this.all.size > 1 ? this.all.get(slug)?.title ?? slug : "");

  note = (session, body) => this.of(session).note(session, body);
  allow = (session, device) => this.of(session).allow(session, device);
  compensate = (session) => this.of(session).compensate(session);
  compensateAll = () => together([...this.#apis.values()].map((api) => api.compensateAll()));

  command(order, { all, sessions }) {
    if (all) return together([...this.#apis.values()].map((api) => api.command(order, { all })));
    const split = Map.groupBy(sessions, this.#examOf);
    return together([...split].map(([slug, own]) => this.api(slug).command(order, { sessions: own })));
  }
}

/** What failed for one exam is refused there, and done in the others. */
async function together(asked) {
  const answers = await Promise.allSettled(asked);
  if (answers.every(({ status }) => status === "rejected")) throw answers[0].reason;
  return { results: answers.flatMap(({ value, reason }) => value?.results ?? [{ status: "refused", message: reason.message, given_back_seconds: 0 }]) };
}
