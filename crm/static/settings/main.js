// /settings works without this: it copies what is shown once, and goes to what went wrong.
import { $, $$ } from "../ui/js/dom.js";
import { keepFresh } from "../ui/js/session.js";
import { toast } from "../ui/js/toast.js";
import { moment } from "../ui/js/time.js";
import { t } from "../ui/js/words.js";

for (const button of $$("[data-copy]"))
  button.addEventListener("click", async () => {
    const field = document.getElementById(button.dataset.copy);
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
      toast(t("copied"));
    } catch {
      toast(t("not-copied"), { tone: "danger" });
    }
  });

$("[aria-invalid=true]")?.focus();
if (!$("[aria-invalid=true]")) $("[data-first]")?.focus();
const end = moment(JSON.parse($("#settings-state").textContent).me.expires_at);
if (end) keepFresh(end);
$("nav .menu-item[aria-current=page]")?.scrollIntoView({ block: "nearest", inline: "center" });
