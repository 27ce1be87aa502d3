"""What admins do with subscriptions: make, change, switch on and off, give another secret, try out, remove."""

from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import urlsplit
from uuid import UUID

from django.db.models import F, Min
from django.utils import timezone

from config.live import events
from config.live.unit import unit_of_work
from crm import feed
from crm.access import check
from crm.actors import Actor, Member
from crm.models import Workspace
from crm.roles import Action
from crm.services import audit
from jobs.queue import enqueue_many
from webhooks.models import Call, CallState, Subscription
from webhooks.outgoing import signing
from webhooks.outgoing.access import call_for, subscription_for
from webhooks.outgoing.bodies import TEST_TYPE, of_test
from webhooks.outgoing.errors import NothingToCall, SwitchedOff, TooManySubscriptions
from webhooks.outgoing.targets import check_target
from webhooks.services.fanout import job_for, order_dispatch

MOST = 20  # of a workspace: each is a call for every event
BY_ADMIN = "Switched off by an administrator."
LEFT_OUT = "Left out: the subscription was switched on to begin anew."
Resume = Literal["catch_up", "now"]


def create_subscription(
    *, actor: Actor, url: str, description: str = "", event_types: list[str] | None = None
) -> tuple[Subscription, str]:
    """The subscription, and its secret, which is shown this once. Without a url it is for pulling only."""
    check(actor, Action.MANAGE)
    target = check_target(url) if url else ""
    return _create(actor, target, description, event_types or [])


@unit_of_work
def _create(actor: Actor, url: str, description: str, event_types: list[str]) -> tuple[Subscription, str]:
    workspace = _locked_workspace(actor.workspace_id)
    if Subscription.objects.filter(workspace=workspace, deleted_at=None).count() >= MOST:
        raise TooManySubscriptions(limit=MOST)
    secret = signing.new_secret()
    subscription = Subscription.objects.create(
        workspace=workspace,
        url=url,
        description=description,
        event_types=event_types,
        secrets=signing.first(secret),
        cursor=events.head(feed.topic(workspace.slug)),
        created_by_id=actor.user_id if isinstance(actor, Member) else None,
    )
    _open_or_close_feed(workspace)
    _record(actor, "webhook.created", subscription, {"event_types": subscription.event_types})
    return subscription, secret


def update_subscription(
    *,
    actor: Actor,
    subscription_id: UUID,
    url: str | None = None,
    description: str | None = None,
    event_types: list[str] | None = None,
    is_active: bool | None = None,
    resume: Resume = "catch_up",
) -> Subscription:
    """`resume` says where one that is switched on goes on: with what it missed, or with what comes."""
    subscription = subscription_for(actor, subscription_id)
    target = check_target(url) if url and url != subscription.url else url
    return _update(actor, subscription_id, target, description, event_types, is_active, resume)


def _standing(subscription: Subscription) -> dict[str, Any]:
    """What is written down of it. Of the address its host alone: the rest may be a secret of its own."""
    return {
        "host": urlsplit(subscription.url).netloc,
        "event_types": list(subscription.event_types),
        "is_active": subscription.is_active,
    }


def _record(actor: Actor, action: str, subscription: Subscription, detail: Mapping[str, Any]) -> None:
    told = {"name": subscription.description or urlsplit(subscription.url).netloc, **detail}
    audit.record(actor=actor, action=action, target_kind="webhook", target_id=subscription.pk, detail=told)


@unit_of_work
def _update(
    actor: Actor,
    subscription_id: UUID,
    url: str | None,
    description: str | None,
    event_types: list[str] | None,
    is_active: bool | None,
    resume: Resume,
) -> Subscription:
    subscription = subscription_for(actor, subscription_id, for_update=True)
    before = _standing(subscription)
    if url is not None:
        if url and not subscription.url:
            subscription.cursor = _head(subscription)  # so far its events were pulled
        subscription.url = url
    if description is not None:
        subscription.description = description
    if event_types is not None:
        subscription.event_types = event_types
    if is_active is not None and is_active != subscription.is_active:
        _switch_on(subscription, resume) if is_active else _switch_off(subscription)
    subscription.save()
    after = _standing(subscription)
    changed = {name: [before[name], value] for name, value in after.items() if before[name] != value}
    if changed:
        _record(actor, "webhook.changed", subscription, changed)
    return subscription


def _switch_off(subscription: Subscription) -> None:
    subscription.is_active = False
    subscription.disabled_reason = BY_ADMIN


def _switch_on(subscription: Subscription, resume: Resume) -> None:
    subscription.is_active = True
    subscription.disabled_reason = ""
    subscription.failing_since = None
    waiting = Call.objects.filter(subscription=subscription, state=CallState.PENDING)
    if resume == "now":
        subscription.cursor = _head(subscription)
        waiting.update(state=CallState.FAILED, error=LEFT_OUT)
        return
    # What came back from a switched-off subscription has no job any more; where one is left, the new number stops it.
    waiting.update(redeliveries=F("redeliveries") + 1, error="")
    enqueue_many([job_for(call) for call in waiting.order_by("seq")])
    order_dispatch(subscription.workspace_id)


@unit_of_work
def delete_subscription(*, actor: Actor, subscription_id: UUID) -> None:
    """Its log stays until it is old; its secrets go at once."""
    check(actor, Action.MANAGE)
    workspace = _locked_workspace(actor.workspace_id)
    subscription = subscription_for(actor, subscription_id, for_update=True)
    subscription.deleted_at = timezone.now()
    subscription.is_active = False
    subscription.secrets = {}
    subscription.save(update_fields=["deleted_at", "is_active", "secrets"])
    _open_or_close_feed(workspace)
    _record(actor, "webhook.removed", subscription, {})


@unit_of_work
def rotate_secret(*, actor: Actor, subscription_id: UUID) -> tuple[Subscription, str]:
    """The old one signs beside the new one for a day."""
    subscription = subscription_for(actor, subscription_id, for_update=True)
    secret = signing.new_secret()
    subscription.secrets = signing.rotated(subscription.secrets, secret, timezone.now())
    subscription.save(update_fields=["secrets"])
    _record(actor, "webhook.changed", subscription, {"secrets": ["secret"]})
    return subscription, secret


@unit_of_work
def send_test(*, actor: Actor, subscription_id: UUID) -> Call:
    """Also to one that is switched off: trying it out comes before switching it on. Tests count below zero."""
    subscription = subscription_for(actor, subscription_id, for_update=True)
    if not subscription.url:
        raise NothingToCall
    lowest = Call.objects.filter(subscription=subscription).aggregate(lowest=Min("seq"))["lowest"] or 0
    slug = Workspace.objects.values_list("slug", flat=True).get(pk=subscription.workspace_id)
    call = Call.objects.create(
        workspace_id=subscription.workspace_id,
        subscription=subscription,
        seq=min(lowest, 0) - 1,
        event_type=TEST_TYPE,
        body=of_test(subscription.pk, timezone.now(), slug),
    )
    enqueue_many([job_for(call)])
    return call


@unit_of_work
def redeliver(*, actor: Actor, subscription_id: UUID, call_id: UUID) -> Call:
    """Once more and now, whatever became of it; under the same webhook-id, so that the receiver knows it again."""
    subscription = subscription_for(actor, subscription_id, for_update=True)
    call = call_for(actor, subscription_id, call_id, for_update=True)
    if not subscription.url:
        raise NothingToCall
    if not subscription.is_active and call.event_type != TEST_TYPE:
        raise SwitchedOff
    call.redeliveries += 1
    call.state = CallState.PENDING
    call.delivered_at = None
    call.save(update_fields=["redeliveries", "state", "delivered_at"])
    enqueue_many([job_for(call)])
    return call


def _locked_workspace(workspace_id: UUID) -> Workspace:
    """One change of who subscribes at a time. no_key: whatever is written in the workspace does not wait."""
    return Workspace.objects.select_for_update(no_key=True).get(pk=workspace_id)


def _open_or_close_feed(workspace: Workspace) -> None:
    """One that is switched off keeps the feed open: it may want to catch up."""
    wanted = Subscription.objects.filter(workspace=workspace, deleted_at=None).exists()
    if wanted != workspace.is_feed_open:
        workspace.is_feed_open = wanted
        workspace.save(update_fields=["is_feed_open"])


def _head(subscription: Subscription) -> int:
    slug = Workspace.objects.values_list("slug", flat=True).get(pk=subscription.workspace_id)
    return events.head(feed.topic(slug))
