"""Events of a workspace's feed become calls, one for each subscription that wants them, in order and once."""

from typing import Any
from uuid import UUID

from django.db import connection

from config.live import events
from config.live.log import Logged
from config.live.unit import unit_of_work
from crm import feed
from crm.features import Feature, is_on
from crm.ids import uuid7
from crm.models import Workspace
from jobs.models import Job
from jobs.queue import NewJob, enqueue, enqueue_many, wake
from jobs.states import Status
from webhooks.models import Call, Subscription
from webhooks.outgoing.bodies import of_event, wants

BATCH = 200  # events of one subscription in one transaction
DISPATCH = "webhooks.dispatch_feed"
CALL = "webhooks.call_subscription"

_BEHIND = f"""
select distinct s.workspace_id
from webhooks_subscription s
join crm_workspace w on w.id = s.workspace_id
join live_topic t on t.name = %(prefix)s || w.slug
where s.is_active and s.deleted_at is null and s.url <> '' and s.cursor < t.seq
    and coalesce((w.features ->> '{Feature.OUTGOING_WEBHOOKS.value}')::bool, true)
"""  # noqa: S608  # a constant of ours


@unit_of_work
def order_dispatch(workspace_id: UUID) -> None:
    """A dispatch that is still waiting will see what has been committed by now; one that runs may not."""
    lane = _lane(workspace_id)
    if Job.objects.filter(lane=lane, status=Status.PENDING).exists():
        wake(outgoing=False)
        return
    enqueue(
        DISPATCH,
        key=f"{lane}:{uuid7()}",
        lane=lane,
        workspace_id=workspace_id,
        payload={"workspace_id": str(workspace_id)},
    )


@unit_of_work
def dispatch(*, workspace_id: UUID) -> dict[str, Any]:
    """Calls, their jobs and the cursor commit together: killed before, it begins anew; run twice, it finds nothing."""
    workspace = Workspace.objects.filter(pk=workspace_id).first()
    # While it is off, cursors stay where they are: nothing is missed.
    if workspace is None or not is_on(workspace, Feature.OUTGOING_WEBHOOKS):
        return {"calls": 0}
    made, more = 0, False
    subscriptions = Subscription.objects.filter(workspace=workspace, is_active=True, deleted_at=None).exclude(url="")
    for subscription in subscriptions.select_for_update(no_key=True).order_by("pk"):
        found = _advance(subscription, workspace.slug)
        made += found.calls
        more |= found.more
    if more:
        order_dispatch(workspace_id)
    return {"calls": made}


class _Advance:
    __slots__ = ("calls", "more")

    def __init__(self, calls: int, more: bool) -> None:
        self.calls = calls
        self.more = more


def _advance(subscription: Subscription, slug: str) -> _Advance:
    topic = feed.topic(slug)
    head = events.head(topic)  # before the events: with none after the cursor, those up to here are no longer kept
    found = events.events_after(topic, subscription.cursor, BATCH)
    calls = [_call(subscription, event, slug) for event in found if wants(subscription.event_types, event.type)]
    Call.objects.bulk_create(calls, ignore_conflicts=True)
    enqueue_many([job_for(call) for call in calls])
    reached = found[-1].seq if found else max(head, subscription.cursor)
    if reached != subscription.cursor:
        subscription.cursor = reached
        subscription.save(update_fields=["cursor"])
    return _Advance(len(calls), len(found) == BATCH)


def _call(subscription: Subscription, event: Logged, slug: str) -> Call:
    return Call(
        workspace_id=subscription.workspace_id,
        subscription=subscription,
        seq=event.seq,
        event_type=event.type[:60],
        body=of_event(event, slug),
    )


def job_for(call: Call) -> NewJob:
    """In the subscription's own lane: in order, and nobody waits for somebody else's slow server."""
    return NewJob(
        type=CALL,
        key=f"call:{call.pk}:{call.redeliveries}",
        lane=f"hook:{call.subscription_id}",
        payload={"call_id": str(call.pk), "redelivery": call.redeliveries},
        workspace_id=call.workspace_id,
    )


def sweep() -> int:
    """Feeds whose subscribers are behind, whatever the reason: a process may have died between commit and job."""
    with connection.cursor() as cursor:
        cursor.execute(_BEHIND, {"prefix": f"{feed.PREFIX}."})
        behind = [row[0] for row in cursor.fetchall()]
    for workspace_id in behind:
        order_dispatch(workspace_id)
    return len(behind)


def _lane(workspace_id: UUID) -> str:
    return f"feed:{workspace_id}"
