"""Hands what Kapso said to the inbox: customers' messages, what staff typed on the phone, and receipts."""

from typing import Any, TypeVar

from django.utils import timezone

from crm.actors import System
from crm.phones import from_international
from crm.services.contacts import Sender
from inbox.clients.kapso import explain
from inbox.models import Channel
from inbox.services import inbound, outbox
from inbox.states import MessageStatus
from jobs.queue import NewJob
from webhooks.kapso import payload
from webhooks.kapso.payload import Inbound, Receipt, Sent, WhoIs
from webhooks.models import Delivery
from webhooks.services.reading import Reading, Unusable

Item = TypeVar("Item", Inbound, Sent, Receipt)

ITEM_TASKS = {
    Inbound: "webhooks.receive_kapso_message",
    Sent: "webhooks.record_kapso_echo",
    Receipt: "webhooks.record_kapso_receipt",
}
# Where the lane of an item is: what a person writes keeps its order, and never waits for what goes out to them.
LANES = {Inbound: "in", Sent: "in", Receipt: "receipt"}
SOURCE = "kapso"
HISTORY = "history_sync"


def read(delivery: Delivery) -> Reading:
    parsed = _parse(delivery)
    return Reading(
        event=parsed.event,
        jobs=[_job(delivery, position, item) for position, item in enumerate(parsed.items) if type(item) in ITEM_TASKS],
        unhandled=[
            {"kind": item.kind, "reason": item.reason} for item in parsed.items if isinstance(item, payload.Other)
        ],
    )


def _parse(delivery: Delivery) -> payload.Delivery:
    try:
        return payload.parse(
            bytes(delivery.body),
            event=delivery.headers.get("x-webhook-event", ""),
            idempotency_key=delivery.headers.get("x-idempotency-key", ""),
        )
    except payload.Unreadable as error:
        raise Unusable(str(error)) from None


def _job(delivery: Delivery, position: int, item: payload.Item) -> NewJob:
    """Keyed by what the item is, so the same message in another delivery is the same job."""
    return NewJob(
        type=ITEM_TASKS[type(item)],
        key=f"kapso:{delivery.channel_id}:{item.item_key}"[:400],
        lane=f"{LANES[type(item)]}:{delivery.channel_id}:{item.peer_key}"[:200],
        payload={"delivery_id": delivery.pk, "position": position},
        workspace_id=delivery.workspace_id,
    )


def _item(delivery_id: int, position: int, kind: type[Item]) -> tuple[Delivery, Item]:
    """The item that a job was made for. The same body is read the same way every time."""
    delivery = Delivery.objects.get(pk=delivery_id)
    item = _parse(delivery).items[position]
    if not isinstance(item, kind):
        raise TypeError(f"item {position} of delivery {delivery_id} is now {type(item).__name__}")
    return delivery, item


def receive(*, delivery_id: int, position: int) -> dict[str, Any]:
    delivery, item = _item(delivery_id, position, Inbound)
    channel = _channel(delivery)
    message = inbound.receive_message(
        actor=System(channel.workspace_id, SOURCE),
        channel=channel,
        incoming=_incoming(item, delivery),
    )
    return {"message_id": str(message.pk)} if message else {"duplicate": True}


def record_echo(*, delivery_id: int, position: int) -> dict[str, Any]:
    delivery, item = _item(delivery_id, position, Sent)
    channel = _channel(delivery)
    message = inbound.record_echo(
        actor=System(channel.workspace_id, SOURCE),
        channel=channel,
        echo=inbound.Echo(
            recipient=_sender(item.recipient),
            provider_id=item.provider_id,
            at=item.at or timezone.now(),
            type=item.type,
            body=item.body,
            peer_address=_address(item.recipient),
        ),
    )
    return {"message_id": str(message.pk)} if message else {"duplicate": True}


def record_receipt(*, delivery_id: int, position: int) -> dict[str, Any]:
    delivery, item = _item(delivery_id, position, Receipt)
    channel = _channel(delivery)
    recorded = outbox.record_receipt(
        workspace_id=channel.workspace_id,
        channel_id=channel.pk,
        receipt=outbox.Receipt(
            provider_id=item.provider_id,
            status=MessageStatus(item.status),
            at=item.at or timezone.now(),
            error_code=item.error_code,
            error_message=explain(item.error_code, item.error_title) if item.error_code else item.error_title,
            callback_data=item.callback_data or "",
        ),
    )
    return {"status": item.status} if recorded else {"duplicate": True}


def _channel(delivery: Delivery) -> Channel:
    if delivery.channel_id is None:
        raise Channel.DoesNotExist
    return Channel.objects.select_related("workspace").get(pk=delivery.channel_id)


def _incoming(item: Inbound, delivery: Delivery) -> inbound.Incoming:
    return inbound.Incoming(
        sender=_sender(item.sender),
        provider_id=item.provider_id,
        at=item.at or delivery.received_at,
        received_at=delivery.received_at,
        is_history=item.origin == HISTORY,
        type=item.type,
        body=item.body,
        peer_address=_address(item.sender),
        reply_to_provider_id=item.reply_to or "",
        detail=_detail(item),
        media=_media(item),
    )


def _sender(person: WhoIs) -> Sender:
    number = person.phone or person.wa_id or ""
    return Sender(
        name=person.name or person.username or "",
        phone=from_international(number),
        whatsapp=person.wa_id or "",
        bsuid=person.bsuid or "",
    )


def _address(person: WhoIs) -> str:
    """The id as received; someone without a number is reached by the business-scoped id."""
    return person.wa_id or (person.phone or "").lstrip("+") or person.bsuid or ""


def _detail(item: Inbound) -> dict[str, Any]:
    """The provider's own object for what is not plain text; never `kapso`, which carries a secret link to the media."""
    part = item.detail.get(item.type)
    return {item.type: part} if item.type != "text" and part is not None else {}


def _media(item: Inbound) -> tuple[inbound.IncomingMedia, ...]:
    part = item.detail.get(item.type)
    if item.type not in inbound.MEDIA or not isinstance(part, dict):
        return ()
    return (
        inbound.IncomingMedia(
            kind=item.type,
            provider_media_id=str(part.get("id") or ""),
            name=str(part.get("filename") or ""),
            content_type=str(part.get("mime_type") or ""),
        ),
    )
