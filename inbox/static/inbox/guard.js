// Somebody wrote while one wrote: what arrived is shown before the reply leaves, and one decides.
import { $, clone, fields, text } from "../ui/js/dom.js";
import { nameOf } from "../ui/js/people.js";
import { paint } from "../ui/js/time.js";
import { t } from "../ui/js/words.js";
import { preview } from "./list.js";

export function start({ store, actions, composer, outbox }) {
  const dialog = $("#dialog-guard"), parts = fields(dialog);
  const force = (id) => outbox.again(id, { force: true });
  let held = null;

  dialog.addEventListener("click", (event) => {
    const choice = event.target.closest("[data-choice]")?.dataset.choice;
    if (!choice) return;
    const id = held.client_id;
    dialog.close();
    if (choice === "send") force(id);
    else actions.edit(id);
  });
  dialog.addEventListener("close", () => composer.focus("reply")); // Escape leaves it held in the thread, with the same choices

  return {
    force: (button) => force(button.closest(".message").dataset.clientId),
    held({ item, arrived }) {
      if (item.conversation !== store.open || dialog.open) return; // it stands in its thread
      held = item;
      text(parts.who, nameOf(store.conversations.get(item.conversation)?.contact) || t("nameless"));
      text(parts.reply, item.body);
      parts.arrived.replaceChildren(...arrived.map((message) => {
        const row = clone("guard-line"), part = fields(row);
        text(part.who, message.sender?.name || t("nameless"));
        text(part.words, preview(message));
        paint(part.at, message.created_at);
        return row;
      }));
      dialog.showModal();
    },
  };
}
