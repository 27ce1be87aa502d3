// One way to ask our own API: CSRF, time limit, problem+json as an error with a code, a renewed session where it ended.
import { clockFrom, renew, signIn } from "./session.js";
import { t } from "./words.js";

const LIMIT = 10_000; // ms

export class Problem extends Error {
  constructor(status, code, message, data = {}) {
    super(message);
    Object.assign(this, { status, code, data });
  }

  /** Whether the same request may work later: nobody answered, too many, or the server stumbled. */
  get passing() {
    return this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500;
  }
}

export async function call(method, path, body, { again = true, signal, keepalive = false } = {}) {
  const headers = { Accept: "application/json", "Accept-Language": document.documentElement.lang || "en" }; // the page's, not the browser's
  if (method !== "GET") headers["X-CSRFToken"] = document.querySelector('meta[name="csrf-token"]').content;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const limit = AbortSignal.timeout(LIMIT);
  let response, answer;
  try {
    response = await fetch(path, {
      method, headers, keepalive, body: body === undefined ? undefined : JSON.stringify(body),
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
    });
    answer = response.status === 204 ? null : await response.json().catch(() => null);
  } catch (error) {
    if (signal?.aborted) throw error;
    const code = error.name === "TimeoutError" ? "timeout" : "network";
    throw new Problem(0, code, t(`problem.${code}`));
  }
  clockFrom(response);
  if (response.ok) return answer;
  if (response.status === 401 && again) {
    const until = await renew();
    if (until) return call(method, path, body, { again: false, signal, keepalive });
    if (until === false) signIn();
  }
  const problem = new Problem(response.status, answer?.code ?? "unknown", answer?.detail || answer?.title || t("problem.unknown"), answer ?? {});
  problem.wait = Number(response.headers.get("Retry-After")) * 1000 || 0;
  throw problem;
}
