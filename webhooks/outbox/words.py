"""Plain words for types of job, providers, errors and crons. What is not listed is said by its name, spelled out."""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext

from jobs.states import Status
from webhooks.models import DeliveryState, Provider

JOBS: dict[str, Promise] = {
    "crm.export_contact": lazy("Make an archive of a contact"),
    "crm.forget_events": lazy("Take an erased contact out of the event log"),
    "crm.import_contacts": lazy("Import contacts"),
    "crm.remove_files": lazy("Remove files"),
    "crm.revoke_tokens": lazy("End a sign-in"),
    "inbox.deliver_message": lazy("Send a message"),
    "inbox.fetch_attachment": lazy("Fetch a file from the provider"),
    "inbox.mark_read_at_provider": lazy("Show the customer that it was read"),
    "inbox.show_typing": lazy("Show the customer that somebody is writing"),
    "inbox.sync_templates": lazy("Fetch the message templates"),
    "webhooks.apply_identity_event": lazy("Apply a change of a user"),
    "webhooks.apply_score": lazy("Store a score"),
    "webhooks.apply_stripe_event": lazy("Apply a payment event"),
    "webhooks.backfill_channel": lazy("Fetch what may have been missed"),
    "webhooks.blank_journal": lazy("Take an erased contact out of the journal"),
    "webhooks.call_subscription": lazy("Tell another system"),
    "webhooks.delete_kapso_message": lazy("Take back a message that its customer deleted"),
    "webhooks.dispatch_feed": lazy("Prepare calls to other systems"),
    "webhooks.edit_kapso_message": lazy("Change a message that its customer edited"),
    "webhooks.fetch_stripe_subscription": lazy("Look up a subscription at Stripe"),
    "webhooks.receive_kapso_message": lazy("Take in a WhatsApp message"),
    "webhooks.receive_twilio_message": lazy("Take in a message from Twilio"),
    "webhooks.record_kapso_echo": lazy("Note what was sent from the phone"),
    "webhooks.record_kapso_identity": lazy("Note how a customer is known"),
    "webhooks.record_kapso_receipt": lazy("Note what became of a sent message"),
    "webhooks.record_twilio_receipt": lazy("Note what became of a sent message"),
    "webhooks.unpack_delivery": lazy("Read a delivery"),
}
SENDS: dict[str, Promise] = {
    "kapso": lazy("Send a WhatsApp message"),
    "twilio": lazy("Send a message through Twilio"),
    "widget": lazy("Send a web chat message"),
}
PROVIDERS: dict[str, Promise] = {
    Provider.KAPSO: lazy("WhatsApp (Kapso)"),
    Provider.TWILIO: lazy("Twilio"),
    Provider.STRIPE: lazy("Stripe"),
    Provider.IDENTITY: lazy("Identity provider"),
    Provider.SCORES: lazy("Score push"),
}
CRONS: dict[str, Promise] = {
    "crm.clear_imports": lazy("Clear files of imports"),
    "crm.prune_sessions": lazy("Clear ended sign-ins"),
    "inbox.clear_unsent_uploads": lazy("Clear files that were never sent"),
    "inbox.sync_templates": lazy("Fetch message templates"),
    "jobs.cleanup": lazy("Clear jobs that are done"),
    "jobs.sweep": lazy("Wake workers for what is due"),
    "live.prune": lazy("Shorten the event log"),
    "proctoring.board_retention": lazy("Clear old scores"),
    "proctoring.clean_stale_sessions": lazy("End sittings that nobody sits any more"),
    "proctoring.expire_presence": lazy("Look who is not there any more"),
    "proctoring.remind": lazy("Remind of exams"),
    "proctoring.retention": lazy("Clear what was kept of exams for its days"),
    "webhooks.notice_gaps": lazy("Look for channels that may have missed something"),
    "webhooks.prune_journal": lazy("Clear old deliveries"),
    "webhooks.remove_calls": lazy("Clear old calls to other systems"),
    "webhooks.sweep_feeds": lazy("Look for events not yet told to other systems"),
}
REFUSED_RETRY: dict[str, Promise] = {
    Status.COMPLETED: lazy("This job is done. There is nothing to try again."),
    Status.PROCESSING: lazy("It is running right now. Wait for how it ends."),
    Status.PENDING: lazy("It is due already and runs as soon as a worker is free."),
}
REFUSED_DISMISSAL: dict[str, Promise] = {
    Status.COMPLETED: lazy("This job is done. There is nothing to dismiss."),
    Status.PROCESSING: lazy("It is running right now. Wait for how it ends."),
    Status.DISMISSED: lazy("It is dismissed already."),
}
_ERRORS: dict[str, Promise] = {
    "worker_died": lazy("The worker that ran it was stopped in the middle of it."),
    "unknown_task": lazy("This release does not know this kind of job any more."),
    "error": lazy("Something of ours broke while doing it. The place in the code stands with the attempts."),
}
# jobs.errors.describe: the type and our own sentence, or the type and a place in the code.
_AUTHORED = re.compile(r"^[A-Za-z_]\w*: (.+)$", re.DOTALL)


def job_title(type_: str, channel_kind: str = "") -> str:
    if type_ == "inbox.deliver_message" and channel_kind in SENDS:
        return str(SENDS[channel_kind])
    return str(JOBS.get(type_) or _spelled(type_))


def cron_title(name: str) -> str:
    return str(CRONS.get(name) or _spelled(name))


def provider_name(provider: str) -> str:
    return str(PROVIDERS.get(provider, provider))


def error_sentence(code: str, described: str) -> str:
    """What a person reads; "" where nothing went wrong."""
    if not described:
        return ""
    if code in _ERRORS:
        return str(_ERRORS[code])
    said = _AUTHORED.match(described)
    return sentence(said[1]) if said else str(_ERRORS["error"])


def delivery_summary(
    state: str,
    *,
    reason: str,
    unhandled: Sequence[Mapping[str, str]],
    items: Sequence[tuple[str | None, str]],
    unread: str,
) -> str:
    """What became of it, in a line. An item without a status was done and cleared away."""
    if state == DeliveryState.KEPT:
        return unread or _("Waits to be read")
    if state == DeliveryState.FAILED:
        return reason
    if not items:
        kinds = ", ".join(dict.fromkeys(one.get("kind", "") for one in unhandled if one.get("kind")))
        return _("Kept, not acted on: {kinds}").format(kinds=kinds) if kinds else _("Kept, not acted on")
    broken = [error for status, error in items if status == Status.FAILED]
    waiting = sum(status in {Status.PENDING, Status.PROCESSING} for status, _error in items)
    if broken:
        if len(items) == 1:
            return broken[0]
        return _("{n} of {all} failed: {error}").format(n=len(broken), all=len(items), error=broken[0])
    if waiting:
        return _("{n} of {all} still to do").format(n=waiting, all=len(items))
    return ngettext("1 item done", "{n} items done", len(items)).format(n=len(items))


def every(span: timedelta) -> str:
    seconds = round(span.total_seconds())
    if seconds % 86_400 == 0:
        return _count(ngettext("every day", "every %(n)d days", seconds // 86_400), seconds // 86_400)
    if seconds % 3_600 == 0:
        return _count(ngettext("every hour", "every %(n)d hours", seconds // 3_600), seconds // 3_600)
    if seconds % 60 == 0:
        return _count(ngettext("every minute", "every %(n)d minutes", seconds // 60), seconds // 60)
    return _count(ngettext("every second", "every %(n)d seconds", seconds), seconds)


def _count(text: str, n: int) -> str:
    return text.replace("%(n)d", str(n))


def sentence(text: str) -> str:
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."


def _spelled(name: str) -> str:
    words = name.rpartition(".")[2].replace("_", " ")
    return words[:1].upper() + words[1:]
