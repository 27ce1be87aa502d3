"""Deliveries, jobs and crons as admins get them, from REST and on the page alike."""

import base64
import re
from datetime import datetime
from typing import Any, TypedDict
from uuid import UUID

from jobs.crons import Cron
from jobs.models import Job, JobAttempt, JobMeta
from jobs.states import Status
from webhooks.models import Call, Delivery
from webhooks.outbox import words

LONGEST_VALUE = 80
_ID = re.compile(r"(?i)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{1,19}|\d{4}-\d\d-\d\d[ T][\d:.+Z-]+")
# Names under which a job keeps a word that is no person's: what kind, how far, which attempt of which job.
_PLAIN = re.compile(
    r"^(status|state|kind|type|event|provider|source|reason_code|replaced_by|key|.*_id|.*_key|.*_status)$"
)


class MadeOf(TypedDict):
    """The message that a job is about, where there is one that the reader may open."""

    id: UUID
    conversation: UUID


class JobPayload(TypedDict):
    id: int
    key: str
    type: str
    title: str
    lane: str
    status: str
    retrying: bool
    attempts: int
    max_attempts: int
    next_attempt: datetime | None
    last_error: str
    error_code: str
    error: str
    result: Any
    payload: dict[str, Any]
    message: MadeOf | None
    delivery: int | None
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    duration_ms: int | None
    actions: list[str]


class AttemptPayload(TypedDict):
    attempt: int
    at: datetime
    took_ms: int | None
    error_code: str
    error: str
    detail: str


class JobDetailPayload(JobPayload):
    history: list[AttemptPayload]


class ItemPayload(TypedDict):
    key: str
    job: int | None
    title: str
    status: str | None
    error: str
    message: MadeOf | None


class OutcomePayload(TypedDict):
    items: list[ItemPayload]
    unhandled: list[dict[str, str]]
    reason: str


class ChannelPayload(TypedDict):
    id: UUID
    slug: str
    name: str


class DeliveryPayload(TypedDict):
    id: int
    provider: str
    provider_name: str
    channel: ChannelPayload | None
    event: str
    event_key: str
    state: str
    received_at: datetime
    size: int
    outcome: OutcomePayload
    summary: str
    unpacking: ItemPayload | None
    replays: int
    replayed_at: datetime | None
    actions: list[str]


class DeliveryDetailPayload(DeliveryPayload):
    headers: dict[str, str]
    body: str
    body_encoding: str


class CallRowPayload(TypedDict):
    id: UUID
    subscription: UUID
    url: str
    type: str
    seq: int
    state: str
    attempts: int
    status_code: int | None
    error: str
    took_ms: int | None
    created_at: datetime
    delivered_at: datetime | None
    job: int | None
    next_attempt: datetime | None
    actions: list[str]


class CallDetailPayload(CallRowPayload):
    body: str
    history: list[AttemptPayload]


class CronPayload(TypedDict):
    name: str
    title: str
    every: str
    every_seconds: float
    last_run_at: datetime | None
    duration_ms: int | None
    status: str
    error: str
    stats: dict[str, Any]
    running_since: datetime | None
    overdue: bool


# --- Jobs -----------------------------------------------------------------------------------------------------


def job_payload(job: Job, message: MadeOf | None, channel_kind: str = "") -> JobPayload:
    waits = job.status == Status.PENDING
    return {
        "id": job.pk,
        "key": job.key,
        "type": job.type,
        "title": words.job_title(job.type, channel_kind),
        "lane": job.lane,
        "status": job.status,
        "retrying": waits and bool(job.last_error),
        "attempts": job.attempts,
        "max_attempts": job.max_attempts,
        "next_attempt": job.next_attempt if waits else None,
        "last_error": job.last_error,
        "error_code": job.error_code,
        "error": words.error_sentence(job.error_code, job.last_error),
        "result": _shown(job.result),
        "payload": _shown(job.payload),
        "message": message,
        "delivery": _delivery_of(job),
        "created_at": job.created_at,
        "started_at": job.started_at,
        "completed_at": job.completed_at,
        "duration_ms": _took(job),
        "actions": actions_of(job),
    }


def actions_of(job: Job) -> list[str]:
    if job.status == Status.FAILED:
        return ["retry", "dismiss"]
    if job.status == Status.DISMISSED:
        return [] if _replaced(job) else ["retry"]
    if job.status == Status.PENDING:
        return ["retry", "dismiss"] if job.last_error else ["dismiss"]
    return []


def attempt_payload(row: JobAttempt) -> AttemptPayload:
    return {
        "attempt": row.attempt,
        "at": row.at,
        "took_ms": None if row.took is None else round(row.took.total_seconds() * 1000),
        "error_code": row.error_code,
        "error": words.error_sentence(row.error_code, row.error),
        "detail": row.error,
    }


def message_id_of(job: Job) -> UUID | None:
    for part in (job.payload, job.result):
        value = part.get("message_id") if isinstance(part, dict) else None
        try:
            if value:
                return UUID(str(value))
        except ValueError:
            continue
    return None


def _delivery_of(job: Job) -> int | None:
    found = job.payload.get("delivery_id") if isinstance(job.payload, dict) else None
    return found if isinstance(found, int) else None


def _replaced(job: Job) -> bool:
    return isinstance(job.result, dict) and "replaced_by" in job.result


def _took(job: Job) -> int | None:
    if job.started_at is None or job.completed_at is None or job.completed_at < job.started_at:
        return None
    return round((job.completed_at - job.started_at).total_seconds() * 1000)


def _shown(value: Any, name: str = "") -> Any:
    """Ids, numbers and known words. Payloads carry nothing else by rule; this keeps a slip from being shown."""
    if isinstance(value, dict):
        return {key: _shown(part, str(key)) for key, part in value.items()}
    if isinstance(value, list):
        return [_shown(part, name) for part in value]
    if not isinstance(value, str) or not value or _ID.fullmatch(value):
        return value
    return value[:LONGEST_VALUE] if _PLAIN.fullmatch(name) else "…"


# --- Deliveries -----------------------------------------------------------------------------------------------


def delivery_payload(
    delivery: Delivery,
    *,
    size: int,
    channel: ChannelPayload | None,
    items: list[ItemPayload],
    unpacking: ItemPayload | None,
) -> DeliveryPayload:
    reading = unpacking is not None and unpacking["status"] in {Status.PENDING, Status.PROCESSING}
    return {
        "id": delivery.pk,
        "provider": delivery.provider,
        "provider_name": words.provider_name(delivery.provider),
        "channel": channel,
        "event": delivery.event,
        "event_key": delivery.event_key,
        "state": delivery.state,
        "received_at": delivery.received_at,
        "size": size,
        "outcome": {
            "items": items,
            "unhandled": delivery.outcome.get("unhandled", []),
            "reason": delivery.outcome.get("reason", ""),
        },
        "summary": words.delivery_summary(
            delivery.state,
            reason=delivery.outcome.get("reason", ""),
            unhandled=delivery.outcome.get("unhandled", []),
            items=[(item["status"], item["error"]) for item in items],
            unread=unpacking["error"] if unpacking else "",
        ),
        "unpacking": unpacking,
        "replays": delivery.replays,
        "replayed_at": delivery.replayed_at,
        "actions": [] if reading else ["retry"],
    }


def item_payload(key: str, job: Job | None, message: MadeOf | None = None) -> ItemPayload:
    """Without a job: it was done and cleared away."""
    return {
        "key": key,
        "job": job.pk if job else None,
        "title": words.job_title(job.type) if job else "",
        "status": job.status if job else None,
        "error": words.error_sentence(job.error_code, job.last_error) if job else "",
        "message": message,
    }


def delivery_detail(payload: DeliveryPayload, delivery: Delivery) -> DeliveryDetailPayload:
    body, encoding = _body(bytes(delivery.body))
    return {**payload, "headers": delivery.headers, "body": body, "body_encoding": encoding}


def _body(raw: bytes) -> tuple[str, str]:
    try:
        return raw.decode(), "text"
    except UnicodeDecodeError:
        return base64.b64encode(raw).decode(), "base64"


# --- Calls and crons ------------------------------------------------------------------------------------------


def call_row(call: Call, job: Job | None) -> CallRowPayload:
    waits = job is not None and job.status == Status.PENDING
    return {
        "id": call.pk,
        "subscription": call.subscription_id,
        "url": call.subscription.url,
        "type": call.event_type,
        "seq": call.seq,
        "state": call.state,
        "attempts": call.attempts,
        "status_code": call.status_code,
        "error": words.sentence(call.error) if call.error else "",
        "took_ms": call.took_ms,
        "created_at": call.created_at,
        "delivered_at": call.delivered_at,
        "job": job.pk if job else None,
        "next_attempt": job.next_attempt if job is not None and waits else None,
        "actions": ["redeliver"] if call.subscription.deleted_at is None and call.subscription.url else [],
    }


def cron_payload(cron: Cron, row: JobMeta | None, *, overdue: bool) -> CronPayload:
    return {
        "name": cron.name,
        "title": words.cron_title(cron.name),
        "every": words.every(cron.every),
        "every_seconds": cron.every.total_seconds(),
        "last_run_at": row.last_run_at if row else None,
        "duration_ms": round(row.last_duration.total_seconds() * 1000) if row and row.last_duration else None,
        "status": row.last_status if row else "",
        "error": words.error_sentence("", row.last_error) if row else "",
        "stats": row.stats if row else {},
        "running_since": row.running_since if row else None,
        "overdue": overdue,
    }
