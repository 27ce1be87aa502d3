"""Hands what the identity provider said to crm: who is there, who is gone, who tried to pay."""

from typing import Any

from django.conf import settings

from crm.models import ProviderEvent
from crm.services import billing, payments, provider_users
from jobs.queue import NewJob
from webhooks.bodies import Unreadable
from webhooks.identity import payload
from webhooks.identity.items import CLERK, Event, Item, Other, Payment, UserGone, UserKept
from webhooks.models import Delivery
from webhooks.services.reading import Reading, Unusable

PROVIDER = "identity"
APPLY = "webhooks.apply_identity_event"


def read(delivery: Delivery) -> Reading:
    event = _event(delivery)
    item = payload.item_of(event)
    if isinstance(item, Other):
        return Reading(event.type, unhandled=[{"kind": item.kind, "reason": item.reason}])
    job = NewJob(
        type=APPLY,
        key=f"identity:{delivery.event_key}"[:400],
        lane=payload.lane_of(item),
        payload={"delivery_id": delivery.pk},
        workspace_id=delivery.workspace_id,
    )
    return Reading(event.type, jobs=[job])


def _event(delivery: Delivery) -> Event:
    try:
        return payload.read(bytes(delivery.body))
    except Unreadable as error:
        raise Unusable(str(error)) from None


def apply(*, delivery_id: int) -> dict[str, Any]:
    """Inside the job's unit of work."""
    delivery = Delivery.objects.get(pk=delivery_id)
    if ProviderEvent.objects.filter(provider=PROVIDER, event_id=delivery.event_key).exists():
        return {"duplicate": True}
    event = _event(delivery)
    outcome = _apply(delivery, payload.item_of(event))
    # An event about people belongs to no workspace; without one there is nowhere to remember it, nor any need:
    # the times of what it says make it once.
    if workspace_id := delivery.workspace_id:
        ProviderEvent.objects.bulk_create(
            [ProviderEvent(workspace_id=workspace_id, provider=PROVIDER, event_id=delivery.event_key, type=event.type)],
            ignore_conflicts=True,
        )
    return outcome


def _apply(delivery: Delivery, item: Item) -> dict[str, Any]:
    if isinstance(item, UserKept):
        return provider_users.keep_user(
            told=provider_users.ProviderUser(
                provider=item.provider,
                subject=item.subject,
                at=item.at or delivery.received_at,
                is_new=item.is_new,
                email=item.email,
                phone=item.phone,
                name=item.name,
                is_barred=item.is_barred,
            )
        )
    if isinstance(item, UserGone):
        return provider_users.remove_user(
            provider=item.provider, subject=item.subject, at=item.at or delivery.received_at
        )
    if isinstance(item, Payment):
        return _record(delivery, item)
    return {"unhandled": item.kind}


def _record(delivery: Delivery, item: Payment) -> dict[str, Any]:
    workspace_id = delivery.workspace_id or billing.workspace_by_slug(settings.IDENTITY_WORKSPACE)
    if workspace_id is None:
        raise billing.NoWorkspace
    changed = payments.record_attempt(
        workspace_id=workspace_id,
        user_id=provider_users.user_for(CLERK, item.payer_id),
        attempt=payments.Attempt(
            payment_id=item.payment_id,
            provider=CLERK,
            status=item.status,
            at=item.at or delivery.received_at,
            payer_id=item.payer_id,
            charge_type=item.charge_type,
            currency=item.currency,
            amount=item.amount,
            subtotal=item.subtotal,
            tax=item.tax,
            failure_code=item.failure_code,
            failure_message=item.failure_message,
            paid_at=item.paid_at,
            failed_at=item.failed_at,
            billed_at=item.billed_at,
        ),
    )
    return {"payment": item.payment_id, "changed": changed}
