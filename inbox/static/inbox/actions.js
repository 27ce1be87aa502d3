// What an agent does to a conversation or a message: shown at once, settled silently, undone with a word when it fails.
import { announce } from "../ui/js/dom.js";
import { toast } from "../ui/js/toast.js";
import { t } from "../ui/js/words.js";

export const failed = (word, problem) => toast(t(word, { reason: problem.message }), { tone: "danger" });

export class Actions {
  #store; #api; #outbox; #sync; #composer;

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

  async giveTeam(id, teamId) {
    const team = this.#store.teams.find((one) => one.id === teamId) ?? null;
    if ((this.#store.conversations.get(id).team?.id ?? null) === (team?.id ?? null)) return;
    await this.change(id, { team }, "failed.assign", () => this.#api.team(id, team?.id ?? null));
  }

  async setStatus(id, status, { said, back } = {}) {
    const before = this.#store.conversations.get(id).status;
    if (before === status) return;
    const done = await this.change(id, { status }, "failed.status", () => this.#api.status(id, status));
    if (done && said) toast(said, { action: t("undo"), act: () => { this.setStatus(id, before); back?.(); } });
  }

  /** At once on screen; true when the server took it. */
  async change(id, change, word, ask) {
    const undo = this.#store.guess(id, change);
    try {
      this.#store.learn(await ask());
      return true;
    } catch (problem) {
      undo();
      if (problem.code === "already_claimed") toast(t("claimed", { name: problem.data.assignee.name }), { tone: "info" });
      else failed(word, problem);
      return false;
    }
  }

  /** One more try: of ours to reach the server, or of the server's to reach the provider. */
  async retry(messageId, clientId) {
    if (!messageId) { this.#outbox.again(clientId); return; }
    const { messages, id } = this.#store.thread(this.#store.open);
    const before = messages.get(messageId);
    const guess = { ...before, status: "queued", error: null };
    const settle = (message) => { if (messages.get(messageId) === guess) { messages.set(messageId, message); this.#store.changed("thread"); } };
    messages.set(messageId, guess);
    this.#store.changed("thread");
    try {
      settle(await this.#api.retry(id, messageId));
    } catch (problem) {
      settle(before);
      failed("failed.retry", problem);
    }
  }

  /** A file that could not be fetched from the provider, once more. */
  async refetch(button, messageId, attachmentId) {
    const id = this.#store.open;
    button.disabled = true;
    try {
      this.#store.hear(id, await this.#api.refetch(id, messageId, attachmentId));
    } catch (problem) {
      button.disabled = false;
      failed("failed.refetch", problem);
    }
  }

  async react(id, { id: replyTo }, emoji) {
    try {
      this.#store.hearAnswer(id, await this.#api.send(id, { client_id: crypto.randomUUID(), type: "reaction", body: emoji, reply_to: replyTo }));
    } catch (problem) {
      failed("failed.react", problem);
    }
  }

  force(clientId) {
    this.#outbox.again(clientId, { force: true });
  }

  edit(clientId) {
    const item = this.#outbox.take(clientId);
    if (item) this.#composer.putBack(item);
  }
}
