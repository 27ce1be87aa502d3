// What did not arrive, once more: a message at the provider, a customer's file from there.
import { failed } from "./actions.js";

export function start({ store, api }) {
  return {
    async retry(messageId) {
      const { messages, id } = store.thread(store.open);
      const before = messages.get(messageId);
      const guess = { ...before, status: "queued", error: null };
      const settle = (message) => { if (messages.get(messageId) === guess) { messages.set(messageId, message); store.changed("thread"); } };
      messages.set(messageId, guess);
      store.changed("thread");
      try {
        settle(await api.retry(id, messageId));
      } catch (problem) {
        settle(before);
        failed("failed.retry", problem);
      }
    },

    async refetch(button) {
      const id = store.open;
      button.disabled = true;
      try {
        store.hear(id, await api.refetch(id, button.closest(".message").dataset.messageId, button.closest("[data-attachment-id]").dataset.attachmentId));
      } catch (problem) {
        button.disabled = false;
        failed("failed.refetch", problem);
      }
    },
  };
}
