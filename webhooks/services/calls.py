"""One signed call to a subscriber, tried again as Standard Webhooks has it; what never works switches itself off."""

import logging
import random
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from config.live.unit import unit_of_work
from crm.features import Feature, is_on
from jobs import http
from jobs.errors import ProviderError, RetryLater
from jobs.tasks import RunningJob
from webhooks.models import Call, CallState, Subscription
from webhooks.outgoing import signing
from webhooks.outgoing.bodies import TEST_TYPE

logger = logging.getLogger(__name__)

SECONDS = 15.0
MOST_ANSWER = 256 * 1024  # bytes that are read, to keep the connection; none are kept
_MINUTE, _HOUR = 60.0, 3600.0
# Seconds to the next try, after the first, second, …
SCHEDULE = (
    5.0,
    5 * _MINUTE,
    30 * _MINUTE,
    2 * _HOUR,
    5 * _HOUR,
    10 * _HOUR,
    14 * _HOUR,
    20 * _HOUR,
    24 * _HOUR,
)
TRIES = len(SCHEDULE) + 1
JITTER = 0.1
GONE = 410
# Without a single success for so long, nobody is there any more.
PATIENCE = timedelta(days=5)
KEEP = timedelta(days=30)
CLEANUP_BATCH = 2_000

FEATURE_OFF = "Waits: outgoing webhooks are switched off in this workspace."
OFF_PAUSE = 60.0  # seconds until it looks again
WAITS = "Waits: the subscription is switched off."
REMOVED = "The subscription was removed."
SAID_GONE = "Its server answered 410: it wants no more."


@dataclass(frozen=True, slots=True)
class Plan:
    call_id: UUID
    subscription_id: UUID
    redelivery: int
    is_test: bool
    url: str
    body: str = field(repr=False)
    secrets: list[str] = field(repr=False)


def deliver(*, job: RunningJob, call_id: UUID, redelivery: int) -> None:
    """May run twice: a call that was made is found so, and the receiver knows a repeat by its webhook-id."""
    plan = _plan(call_id, redelivery)
    if plan is None:
        return
    began = time.monotonic()
    try:
        response = _post(plan)
    except ProviderError as error:
        note_failure(plan, error=error.message, took=time.monotonic() - began)
        if error.permanent:
            raise
        raise RetryLater(error.message, after=_pause(job), counts=True) from None
    took = time.monotonic() - began
    if 200 <= response.status < 300:
        with job.completing(result={"status": response.status}):
            mark_delivered(plan, status=response.status, took=took)
        return
    reason = f"answered {response.status}"
    note_failure(plan, error=reason, took=took, status=response.status)
    if response.status == GONE:
        disable(plan.subscription_id, SAID_GONE)
        raise ProviderError(reason, permanent=True, code="gone")
    raise RetryLater(reason, after=max(_pause(job), response.retry_after or 0.0), counts=True)


@transaction.atomic
def _plan(call_id: UUID, redelivery: int) -> Plan | None:
    """None when there is nothing to do for this job."""
    call = Call.objects.select_related("subscription", "workspace").filter(pk=call_id).first()
    if call is None or call.redeliveries != redelivery or call.state == CallState.DELIVERED:
        return None
    subscription, is_test = call.subscription, call.event_type == TEST_TYPE
    if subscription.deleted_at is not None or not subscription.url:
        _mark(call_id, redelivery, state=CallState.FAILED, error=REMOVED)
        return None
    if not subscription.is_active and not is_test:
        _mark(call_id, redelivery, state=CallState.PENDING, error=WAITS)
        return None
    if not is_on(call.workspace, Feature.OUTGOING_WEBHOOKS):
        raise RetryLater(FEATURE_OFF, after=OFF_PAUSE, counts=False)
    secrets = signing.signing_secrets(subscription.secrets, timezone.now())
    return Plan(call_id, subscription.pk, redelivery, is_test, subscription.url, call.body, secrets)


def _post(plan: Plan) -> http.Response:
    """Signed anew at every try: receivers refuse times that are minutes old."""
    headers = signing.headers(
        secrets=plan.secrets, message_id=f"msg_{plan.call_id}", body=plan.body, now=timezone.now()
    )
    return http.request(
        "POST", plan.url, headers=headers, content=plan.body.encode(), timeout=SECONDS, max_bytes=MOST_ANSWER
    )


def _pause(job: RunningJob) -> float:
    """Shifted a little, so that those who failed together don't come back together."""
    seconds = SCHEDULE[min(job.attempt, len(SCHEDULE)) - 1]
    return seconds * random.uniform(1.0 - JITTER, 1.0 + JITTER)  # noqa: S311 - no secret


@unit_of_work
def mark_delivered(plan: Plan, *, status: int, took: float) -> None:
    _mark(
        plan.call_id,
        plan.redelivery,
        state=CallState.DELIVERED,
        status_code=status,
        error="",
        took_ms=_ms(took),
        attempts=F("attempts") + 1,
        delivered_at=timezone.now(),
    )
    if not plan.is_test:
        Subscription.objects.filter(pk=plan.subscription_id).exclude(failing_since=None).update(failing_since=None)


@unit_of_work
def note_failure(plan: Plan, *, error: str, took: float, status: int | None = None) -> None:
    _mark(
        plan.call_id,
        plan.redelivery,
        state=CallState.PENDING,
        status_code=status,
        error=error[:300],
        took_ms=_ms(took),
        attempts=F("attempts") + 1,
    )
    if plan.is_test:
        return
    now = timezone.now()
    rows = Subscription.objects.filter(pk=plan.subscription_id)
    rows.filter(failing_since=None).update(failing_since=now)
    since = rows.values_list("failing_since", flat=True).first()
    if since is not None and since < now - PATIENCE:
        disable(plan.subscription_id, f"Nothing was delivered since {_day(since)}; the last try: {error}"[:200])


@unit_of_work
def disable(subscription_id: UUID, reason: str) -> None:
    """Its cursor stays where it is: switched on again, it can catch up."""
    if Subscription.objects.filter(pk=subscription_id, is_active=True).update(is_active=False, disabled_reason=reason):
        what = {"action": "subscription_disabled", "subscription_id": str(subscription_id)}
        logger.warning("subscription disabled", extra=what)


def mark_failed(*, call_id: UUID, redelivery: int) -> None:
    """The job is given up. What went wrong last stands there already, unless its worker died."""
    Call.objects.filter(pk=call_id, redeliveries=redelivery, state=CallState.PENDING).update(state=CallState.FAILED)


def _mark(call_id: UUID, redelivery: int, **fields: object) -> None:
    """A redelivery that a person asked for meanwhile has begun a new count."""
    Call.objects.filter(pk=call_id, redeliveries=redelivery).update(**fields)


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"


def remove_old() -> int:
    """Calls that are older than the feed they came from."""
    removed = 0
    while batch := _remove_batch():
        removed += batch
    return removed


def _remove_batch() -> int:
    old = Call.objects.filter(created_at__lt=timezone.now() - KEEP).values_list("pk", flat=True)[:CLEANUP_BATCH]
    return Call.objects.filter(pk__in=list(old)).delete()[0]
