"""Reads for the outbox. A page of any list takes a fixed number of queries, however many rows it has."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

from django.db.models import F, Func, IntegerField, Q, QuerySet
from django.db.models.fields.json import KeyTextTransform
from django.utils import timezone

from config.errors import Invalid, NotFound
from crm.paging import DEFAULT_LIMIT, Page, page
from inbox.models import Channel, Message
from inbox.states import Scope
from jobs import crons, tasks
from jobs.models import Job, JobAttempt
from jobs.states import Status
from webhooks.models import Call, CallState, Delivery
from webhooks.outbox import payloads, words
from webhooks.outbox.access import Manager, delivery_for, job_for, visible_calls, visible_deliveries, visible_jobs
from webhooks.outbox.payloads import (
    AttemptPayload,
    CallDetailPayload,
    CallRowPayload,
    ChannelPayload,
    CronPayload,
    DeliveryDetailPayload,
    DeliveryPayload,
    ItemPayload,
    JobDetailPayload,
    JobPayload,
    MadeOf,
)

# Beside the states of the table: pending ones that failed before, and those that did not.
RETRYING, WAITING = "retrying", "waiting"
JOB_STATUSES = (*Status.values, RETRYING, WAITING)
HISTORY = 100  # newest attempts shown


@dataclass(frozen=True, slots=True)
class JobFilter:
    statuses: tuple[str, ...] = ()
    type: str = ""
    lane: str = ""
    search: str = ""
    of_platform: bool = False


@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    provider: str = ""
    state: str = ""
    channel: str = ""
    event: str = ""
    search: str = ""
    of_platform: bool = False


@dataclass(frozen=True, slots=True)
class CallFilter:
    state: str = ""
    search: str = ""


# --- Jobs -----------------------------------------------------------------------------------------------------


def list_jobs(
    who: Manager, wanted: JobFilter, *, cursor: str | None = None, limit: int = DEFAULT_LIMIT
) -> tuple[list[JobPayload], Page[Job]]:
    found = page(wanted_jobs(who, wanted), ("-id",), cursor=cursor, limit=limit)
    return job_payloads(who, found.rows), found


def wanted_jobs(who: Manager, wanted: JobFilter) -> QuerySet[Job]:
    rows = visible_jobs(who, of_platform=wanted.of_platform)
    if wanted.statuses:
        rows = rows.filter(_of_statuses(wanted.statuses))
    if wanted.type:
        rows = rows.filter(type=wanted.type)
    if wanted.lane:
        rows = rows.filter(lane=wanted.lane)
    if wanted.search:
        text = wanted.search
        rows = rows.filter(Q(key__icontains=text) | Q(last_error__icontains=text) | Q(error_code__iexact=text))
    return rows


def _of_statuses(statuses: Iterable[str]) -> Q:
    plain = [status for status in statuses if status in Status.values]
    condition = Q(status__in=plain)
    if RETRYING in statuses:
        condition |= Q(status=Status.PENDING) & ~Q(last_error="")
    if WAITING in statuses:
        condition |= Q(status=Status.PENDING, last_error="")
    return condition


def read_statuses(raw: str) -> tuple[str, ...]:
    statuses = tuple(word for word in raw.split(",") if word)
    if any(status not in JOB_STATUSES for status in statuses):
        raise Invalid(errors={"status": f"Some of {', '.join(JOB_STATUSES)}, with commas between."})
    return statuses


def job_payloads(who: Manager, jobs: Sequence[Job]) -> list[JobPayload]:
    messages = _Messages(who, jobs)
    return [payloads.job_payload(job, messages.of(job), messages.channel_of(job)) for job in jobs]


def get_job(who: Manager, job_id: int) -> JobDetailPayload:
    job = job_for(who, job_id)
    (payload,) = job_payloads(who, [job])
    return {**payload, "history": _history(job.pk)}


def _history(job_id: int) -> list[AttemptPayload]:
    newest = list(JobAttempt.objects.filter(job_id=job_id).order_by("-id")[:HISTORY])
    return [payloads.attempt_payload(row) for row in reversed(newest)]


def job_types() -> list[tuple[str, str]]:
    """Every type there is, with its words."""
    return sorted(((name, words.job_title(name)) for name in tasks.registered()), key=lambda pair: (pair[1], pair[0]))


class _Messages:
    """The messages that jobs are about, in one query: where a person can read what it was."""

    def __init__(self, who: Manager, jobs: Iterable[Job]) -> None:
        ids = {job.pk: found for job in jobs if (found := payloads.message_id_of(job))}
        self._of_job = ids
        rows = (
            Message.objects.filter(pk__in=set(ids.values()), workspace_id=who.workspace_id, deleted_at=None)
            .filter(conversation__scope=Scope.SUPPORT, conversation__deleted_at=None)
            .values_list("pk", "conversation_id", "channel__kind")
            if ids
            else []
        )
        self._rows = {message: (conversation, kind) for message, conversation, kind in rows}

    def of(self, job: Job) -> MadeOf | None:
        message = self._of_job.get(job.pk)
        found = self._rows.get(message) if message else None
        return {"id": message, "conversation": found[0]} if message and found else None

    def channel_of(self, job: Job) -> str:
        message = self._of_job.get(job.pk)
        return self._rows[message][1] if message in self._rows else ""


# --- Deliveries -----------------------------------------------------------------------------------------------


def list_deliveries(
    who: Manager, wanted: DeliveryFilter, *, cursor: str | None = None, limit: int = DEFAULT_LIMIT
) -> tuple[list[DeliveryPayload], Page[Delivery]]:
    rows = visible_deliveries(who, of_platform=wanted.of_platform)
    for name in ("provider", "state", "event"):
        if value := getattr(wanted, name):
            rows = rows.filter(**{name: value})
    if wanted.channel:
        rows = rows.filter(channel_id__in=_channel_ids(who, wanted.channel))
    if wanted.search:
        text = wanted.search
        rows = rows.annotate(reason=KeyTextTransform("reason", "outcome")).filter(
            Q(event_key__icontains=text) | Q(event__icontains=text) | Q(reason__icontains=text)
        )
    found = page(_sized(rows), ("-id",), cursor=cursor, limit=limit)
    return delivery_payloads(who, found.rows), found


def _sized(rows: QuerySet[Delivery]) -> QuerySet[Delivery]:
    """Without the bodies, which may be megabytes; their length is read without reading them."""
    return rows.defer("body", "headers").annotate(
        size=Func(F("body"), function="octet_length", output_field=IntegerField())
    )


def _channel_ids(who: Manager, channel: str) -> QuerySet[Channel, UUID]:
    condition = Q(slug=channel.lower())
    with suppress(ValueError):
        condition |= Q(pk=UUID(channel))
    return Channel.objects.filter(condition, workspace_id=who.workspace_id).values_list("pk", flat=True)


def get_delivery(who: Manager, delivery_id: int) -> DeliveryDetailPayload:
    delivery = delivery_for(who, delivery_id)
    delivery.size = len(delivery.body)  # type: ignore[attr-defined]
    (payload,) = delivery_payloads(who, [delivery])
    return payloads.delivery_detail(payload, delivery)


def delivery_payloads(who: Manager, deliveries: Sequence[Delivery]) -> list[DeliveryPayload]:
    keys = {key for delivery in deliveries for key in (unpack_key(delivery), *item_keys(delivery))}
    jobs = {job.key: job for job in Job.objects.filter(key__in=keys)} if keys else {}
    messages = _Messages(who, jobs.values())
    channels = _channels(delivery.channel_id for delivery in deliveries)

    def item(key: str) -> ItemPayload:
        job = jobs.get(key)
        return payloads.item_payload(key, job, messages.of(job) if job else None)

    return [
        payloads.delivery_payload(
            delivery,
            size=delivery.size,  # type: ignore[attr-defined]
            channel=channels.get(delivery.channel_id),
            items=[item(key) for key in item_keys(delivery)],
            unpacking=item(unpack_key(delivery)) if unpack_key(delivery) in jobs else None,
        )
        for delivery in deliveries
    ]


def unpack_key(delivery: Delivery) -> str:
    """Of the job that reads it, for the last time it was asked for."""
    return f"delivery:{delivery.pk}:{delivery.replays}" if delivery.replays else f"delivery:{delivery.pk}"


def item_keys(delivery: Delivery) -> list[str]:
    found = delivery.outcome.get("items", [])
    return [key for key in found if isinstance(key, str)]


def _channels(ids: Iterable[UUID | None]) -> dict[UUID | None, ChannelPayload]:
    rows = Channel.objects.filter(pk__in={one for one in ids if one}).values_list("pk", "slug", "name")
    return {pk: {"id": pk, "slug": slug, "name": name} for pk, slug, name in rows}


# --- Calls out and crons --------------------------------------------------------------------------------------


def list_calls(
    who: Manager, wanted: CallFilter, *, cursor: str | None = None, limit: int = DEFAULT_LIMIT
) -> tuple[list[CallRowPayload], Page[Call]]:
    rows = visible_calls(who).select_related("subscription").defer("subscription__secrets", "body")
    if wanted.state:
        rows = rows.filter(state=wanted.state)
    if wanted.search:
        text = wanted.search
        rows = rows.filter(
            Q(event_type__icontains=text) | Q(error__icontains=text) | Q(subscription__url__icontains=text)
        )
    found = page(rows, ("-id",), cursor=cursor, limit=limit)
    open_keys = {
        f"call:{call.pk}:{call.redeliveries}": call.pk for call in found.rows if call.state != CallState.DELIVERED
    }
    jobs = {open_keys[job.key]: job for job in Job.objects.filter(key__in=open_keys)} if open_keys else {}
    return [payloads.call_row(call, jobs.get(call.pk)) for call in found.rows], found


def call_for(who: Manager, call_id: UUID) -> Call:
    call = visible_calls(who).select_related("subscription").defer("subscription__secrets").filter(pk=call_id).first()
    if call is None:
        raise NotFound
    return call


def get_call(who: Manager, call_id: UUID) -> CallDetailPayload:
    call = call_for(who, call_id)
    job = Job.objects.filter(key=f"call:{call.pk}:{call.redeliveries}").first()
    history = _history(job.pk) if job else []
    return {**payloads.call_row(call, job), "body": call.body, "history": history}


def list_crons() -> list[CronPayload]:
    now, rows = timezone.now(), crons.last_runs()

    def payload(known: crons.Cron) -> CronPayload:
        row = rows.get(known.name)
        return payloads.cron_payload(known, row, overdue=known.is_overdue(row.last_run_at if row else None, now))

    return [payload(known) for _, known in sorted(crons.registered().items())]
