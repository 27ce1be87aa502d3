"""Hands what Kapso said to the inbox: customers' messages, what staff typed on the phone, and receipts."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from django.utils import timezone

from crm.actors import System
from crm.phones import from_international
from crm.services.contacts import Sender
from inbox.clients.kapso import explain
from inbox.models import Channel, Message
from inbox.services import changes, inbound, outbox
from inbox.states import MessageStatus
from jobs.queue import NewJob
from webhooks.fields import fields, first, identifier, name_or_id
from webhooks.kapso import payload
from webhooks.kapso.items import IN, RECEIPT
from webhooks.kapso.payload import Deleted, Edited, IdentityChanged, Inbound, Receipt, Sent, WhoIs
from webhooks.kapso.people import bsuid, digits, phone
from webhooks.models import Delivery
from webhooks.services.late import lateness
from webhooks.services.reading import Reading, Unusable

Item = TypeVar("Item", Inbound, Edited, Deleted, IdentityChanged, Sent, Receipt)

ITEM_TASKS = {
    Inbound: "webhooks.receive_kapso_message",
    Edited: "webhooks.edit_kapso_message",
    Deleted: "webhooks.delete_kapso_message",
    IdentityChanged: "webhooks.record_kapso_identity",
    Sent: "webhooks.record_kapso_echo",
    Receipt: "webhooks.record_kapso_receipt",
}
SOURCE = "kapso"
# What is kept of a file's own part.
OF_A_FILE = ("id", "mime_type", "sha256", "caption", "filename", "voice", "animated")
LONGEST_ADDRESS = 2_000
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
        lane=payload.Turn(RECEIPT if isinstance(item, Receipt) else IN, item.peer_key).lane(delivery.channel_id),
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
    message = _take_in(item, channel=channel, incoming=_incoming(item, delivery))
    return {"message_id": str(message.pk)} if message else inbound.why_not(channel, item.provider_id)


def _take_in(item: Inbound, *, channel: Channel, incoming: inbound.Incoming) -> Message | None:
    """Most are messages; some only say something of one, or of the person."""
    actor = System(channel.workspace_id, SOURCE)
    part = item.detail.get(item.type)
    if item.type == "reaction" and isinstance(part, Mapping):
        return changes.record_reaction(
            actor=actor,
            channel=channel,
            incoming=replace(incoming, reply_to_provider_id=identifier(part.get("message_id")) or ""),
        )
    if item.type == "system" and isinstance(part, Mapping):
        new = _new_number(part)
        if new.known_as():
            return changes.record_new_number(actor=actor, channel=channel, incoming=incoming, new=new)
    return inbound.receive_message(actor=actor, channel=channel, incoming=incoming)


def _new_number(part: Mapping[str, Any]) -> Sender:
    number = digits(part.get("wa_id")) or digits(part.get("new_wa_id"))
    known = (bsuid(part.get(name)) for name in ("user_id", "new_user_id", "wa_id"))
    return _sender(WhoIs(phone=phone(number), wa_id=number, bsuid=first(*known)))


def edit(*, delivery_id: int, position: int) -> dict[str, Any]:
    delivery, item = _item(delivery_id, position, Edited)
    channel = _channel(delivery)
    changed = changes.edit_message(
        actor=System(channel.workspace_id, SOURCE),
        channel=channel,
        change=_change(item, delivery),
        body=item.body,
        unseen=_unseen(item, delivery),
    )
    return {"changed": changed}


def _unseen(item: Edited, delivery: Delivery) -> inbound.Incoming | None:
    """The message as it is now, under its own id: what comes of it when the edit is quicker."""
    if item.by_us or item.type is None or item.body is None:
        return None
    now = Inbound(
        provider_id=item.target,
        at=item.at,
        sender=item.person,
        type=item.type,
        body=item.body,
        reply_to=None,
        phone_number_id=item.phone_number_id,
        origin=item.origin,
        detail=item.detail,
    )
    return replace(_incoming(now, delivery), edited_at=item.at or delivery.received_at)


def delete(*, delivery_id: int, position: int) -> dict[str, Any]:
    delivery, item = _item(delivery_id, position, Deleted)
    channel = _channel(delivery)
    changed = changes.delete_message(
        actor=System(channel.workspace_id, SOURCE),
        channel=channel,
        change=_change(item, delivery),
        person=_sender(item.person),
    )
    return {"changed": changed}


def _change(item: Edited | Deleted, delivery: Delivery) -> changes.Change:
    at: datetime = item.at or delivery.received_at
    return changes.Change(provider_id=item.target, at=at, by_us=item.by_us)


def record_identity(*, delivery_id: int, position: int) -> dict[str, Any]:
    delivery, item = _item(delivery_id, position, IdentityChanged)
    channel = _channel(delivery)
    return changes.record_new_identity(
        actor=System(channel.workspace_id, SOURCE), channel=channel, old=_sender(item.old), new=_sender(item.new)
    )


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
            is_history=item.origin == HISTORY or lateness(delivery).is_history,
            place_at=_place(item, delivery),
        ),
    )
    return {"message_id": str(message.pk)} if message else inbound.why_not(channel, item.provider_id)


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
    return Channel.objects.select_related("workspace").defer("credentials").get(pk=delivery.channel_id)


def _incoming(item: Inbound, delivery: Delivery) -> inbound.Incoming:
    return inbound.Incoming(
        sender=_sender(item.sender),
        provider_id=item.provider_id,
        at=item.at or delivery.received_at,
        received_at=delivery.received_at,
        is_history=item.origin == HISTORY or lateness(delivery).is_history,
        place_at=_place(item, delivery),
        type=item.type,
        body=item.body,
        peer_address=_address(item.sender),
        reply_to_provider_id=item.reply_to or "",
        detail=_detail(item),
        media=_media(item),
    )


def _place(item: Inbound | Sent, delivery: Delivery) -> datetime | None:
    """By time instead of at the thread's end: for what a back-fill found, and for the history Kapso hands over."""
    return lateness(delivery).place_at or (item.at if item.origin == HISTORY else None)


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


def _detail(item: Inbound | Sent) -> dict[str, Any]:
    """The provider's own object for what is not plain text, less where a file is kept; never `kapso`: it tells that."""
    part = item.detail.get(item.type)
    if item.type == "text" or part is None:
        return {}
    if item.type in inbound.MEDIA and isinstance(part, Mapping):
        return {item.type: {name: part[name] for name in OF_A_FILE if name in part}}
    return {item.type: part}


def _media(item: Inbound | Sent) -> tuple[inbound.IncomingMedia, ...]:
    """Kapso keeps a copy, whose address opens without any password; the id is for asking where it is now."""
    part = item.detail.get(item.type)
    if item.type not in inbound.MEDIA or not isinstance(part, Mapping):
        return ()
    kapso = fields(item.detail.get("kapso"))
    copy = fields(kapso.get("media_data"))
    return (
        inbound.IncomingMedia(
            kind=item.type,
            provider_media_id=identifier(part.get("id")) or "",
            name=first(name_or_id(part.get("filename")), name_or_id(copy.get("filename"))) or "",
            content_type=first(name_or_id(part.get("mime_type")), name_or_id(copy.get("content_type"))) or "",
            url=first(
                *(
                    _address_of(place)
                    for place in (kapso.get("media_url"), copy.get("url"), part.get("url"), part.get("link"))
                )
            )
            or "",
        ),
    )


def _address_of(value: Any) -> str | None:
    found = name_or_id(value)
    return found if found and found.startswith(("https://", "http://")) and len(found) <= LONGEST_ADDRESS else None
