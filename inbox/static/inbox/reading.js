// Tells the server how far this reader came: at once, and in a busy thread once a second, not once a message.

const PAUSE = 1_000; // ms between two tellings
const AGAIN = 5_000; // ms after one that did not get through

export class Reading {
  #tell; #untold = new Map(); #underway = new Map(); #timer = null; #told = 0;

  /** `tell(id, count)` answers a promise; a passing failure is told again, any other is let go. */
  constructor(tell) {
    this.#tell = tell;
    addEventListener("pagehide", () => this.flush());
  }

  saw(id, count) {
    if ((this.#untold.get(id) ?? -1) >= count) return;
    this.#untold.set(id, count);
    this.#later(this.#told + PAUSE - performance.now());
  }

  /** What the server does not know yet. */
  waiting(id) {
    return this.#untold.get(id) ?? 0;
  }

  /** What was said to be read has arrived, and nothing of it is told any more: what comes next is the last word. */
  async settled(id) {
    this.#untold.delete(id);
    await this.#underway.get(id);
    this.#untold.delete(id);
  }

  flush() {
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#told = performance.now();
    for (const [id, count] of this.#untold) this.#underway.set(id, this.#one(id, count));
  }

  #later(wait) {
    this.#timer ??= setTimeout(() => this.flush(), Math.max(0, wait));
  }

  async #one(id, count) {
    try {
      await this.#tell(id, count);
    } catch (problem) {
      if (problem.passing) { this.#later(AGAIN); return; }
    }
    if (this.#untold.get(id) === count) this.#untold.delete(id);
  }
}
