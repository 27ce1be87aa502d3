"""Subscriptions and their log belong to those who manage the workspace."""

from uuid import UUID

from django.db.models import QuerySet

from config.errors import NotFound
from crm.access import check
from crm.actors import Actor
from crm.roles import Action
from webhooks.models import Call, Subscription


def visible_subscriptions(actor: Actor) -> QuerySet[Subscription]:
    check(actor, Action.MANAGE)
    return Subscription.objects.filter(workspace_id=actor.workspace_id, deleted_at=None)


def subscription_for(actor: Actor, subscription_id: UUID, *, for_update: bool = False) -> Subscription:
    rows = visible_subscriptions(actor)
    if for_update:
        rows = rows.select_for_update(no_key=True)
    subscription = rows.filter(pk=subscription_id).first()
    if subscription is None:
        raise NotFound
    return subscription


def visible_calls(actor: Actor, subscription_id: UUID) -> QuerySet[Call]:
    subscription = subscription_for(actor, subscription_id)
    return Call.objects.filter(workspace_id=actor.workspace_id, subscription=subscription)


def call_for(actor: Actor, subscription_id: UUID, call_id: UUID, *, for_update: bool = False) -> Call:
    rows = visible_calls(actor, subscription_id)
    if for_update:
        rows = rows.select_for_update(no_key=True)
    call = rows.filter(pk=call_id).first()
    if call is None:
        raise NotFound
    return call
