// What an agent does to a conversation or a message: shown at once, settled silently, undone with a word when it fails.
import { announce } from "../ui/js/dom.js";
import { toast } from "../ui/js/toast.js";
import { t } from "../ui/js/words.js";

export const failed = (word, problem) => toast(t(word, { reason: problem.message }), { tone: "danger" });

export class Actions {
  #store; #api; #outbox; #sync; #composer; #last = {};

  constructor(parts) {
    [this.#store, this.#api, this.#outbox, this.#sync, this.#composer] = [parts.store, parts.api, parts.outbox, parts.sync, parts.composer];
    this.#outbox.addEventListener("held", ({ detail }) => {
      for (const message of detail.arrived) this.#store.hear(detail.item.conversation, message);
      announce(t("said.held"));
    });
  }

  send({ body, direction, attachments, replyTo, mentions }) {
    const { open, me } = this.#store;
    const thread = this.#store.thread(open);
    this.#outbox.add(open, { body, direction, attachments, replyTo, mentions, seenSeq: this.#sync.seenSeq(), sender: { kind: "member", id: me.id, name: me.name } });
    thread.line = null; // answered: nothing above is new any more
  }

  async assign(id, agentId) {
    const agent = agentId ? [this.#store.me, ...this.#store.agents].find((one) => one.id === agentId) : null;
    const before = this.#store.conversations.get(id);
    if ((before.assignee?.id ?? null) === (agent?.id ?? null)) return;
    // Nobody's, and I take it: of two at once one wins, and the other is told who.
    const ask = agent?.id === this.#store.me.id && !before.assignee ? () => this.#api.claim(id) : () => this.#api.assign(id, agent?.id ?? null);
    await this.change(id, { assignee: agent && { id: agent.id, name: agent.name } }, "failed.assign", ask);
  }

  async setStatus(id, status, { said, back } = {}) {
    const before = this.#store.conversations.get(id).status;
    if (before === status) return;
    const done = await this.change(id, { status }, "failed.status", () => this.#api.status(id, status));
    if (done && said) toast(said, { action: t("undo"), act: () => { this.setStatus(id, before); back?.(); } });
  }

  /** At once on screen; true when the server took it. Asked when the one before is over: of two under way the first may arrive last. */
  async change(id, change, word, ask) {
    const undo = this.#store.guess(id, change);
    try {
      this.#store.learn(await (this.#last[id] = Promise.allSettled([this.#last[id]]).then(ask)));
      return true;
    } catch (problem) {
      undo();
      if (problem.code === "already_claimed") toast(t("claimed", { name: problem.data.assignee.name }), { tone: "info" });
      else failed(word, problem);
      return false;
    }
  }

  edit(clientId) {
    const item = this.#outbox.take(clientId);
    if (item) this.#composer.putBack(item);
  }
}
