"""Hands what Twilio said to the inbox: customers' messages with their wish to stop, and receipts."""

from datetime import datetime
from typing import Any

from config.live.unit import unit_of_work
from crm.actors import System
from crm.phones import from_international
from crm.services.contacts import Sender
from inbox.clients.twilio_errors import explain
from inbox.models import Channel
from inbox.services import inbound, opt_outs, outbox
from inbox.states import MessageStatus
from jobs.queue import NewJob
from webhooks.models import Delivery
from webhooks.services.late import lateness
from webhooks.services.reading import Reading, Unusable
from webhooks.twilio.form import NotAForm, is_form, read_form, read_json
from webhooks.twilio.items import Inbound, Item, Receipt
from webhooks.twilio.payload import event_of, read_item

SOURCE = "twilio"
RECEIVE, RECORD = "webhooks.receive_twilio_message", "webhooks.record_twilio_receipt"
# Twilio's words for our ladder. What is not here comes before a message has left: our own state says as much.
LADDER = {
    "sent": MessageStatus.SENT,
    "partially_delivered": MessageStatus.SENT,
    "delivered": MessageStatus.DELIVERED,
    "read": MessageStatus.READ,
    "undelivered": MessageStatus.FAILED,
    "failed": MessageStatus.FAILED,
    "canceled": MessageStatus.FAILED,
}
BEFORE_LEAVING = frozenset({"accepted", "scheduled", "queued", "sending"})
CANCELED = "The message was cancelled at Twilio before it left."
NOT_DELIVERED = "The network did not deliver the message, and gives no reason."


def read(delivery: Delivery) -> Reading:
    item = _item(delivery)
    match item:
        case Inbound():
            return Reading(event_of(item), [_job(delivery, RECEIVE, item)])
        case Receipt() if item.status in LADDER:
            return Reading(event_of(item), [_job(delivery, RECORD, item)])
        case Receipt():
            return Reading(event_of(item), unhandled=[{"kind": event_of(item), "reason": _idle(item)}])
    return Reading(event_of(item), unhandled=[{"kind": item.kind, "reason": item.reason}])


def _idle(item: Receipt) -> str:
    return "" if item.status not in BEFORE_LEAVING else "It has not left Twilio yet: there is nothing to record."


def _item(delivery: Delivery) -> Item:
    body, content_type = bytes(delivery.body), str(delivery.headers.get("content-type", ""))
    try:
        return read_item(read_form(body, content_type) if is_form(content_type) else read_json(body))
    except NotAForm as error:
        raise Unusable(str(error)) from None


def _job(delivery: Delivery, task: str, item: Inbound | Receipt) -> NewJob:
    """Keyed by what the item is, so the same message in another delivery is the same job."""
    return NewJob(
        type=task,
        key=f"twilio:{delivery.channel_id}:{item.item_key}"[:400],
        lane=item.lane(delivery.channel_id),
        payload={"delivery_id": delivery.pk},
        workspace_id=delivery.workspace_id,
    )


@unit_of_work
def receive(*, delivery_id: int) -> dict[str, Any]:
    delivery = Delivery.objects.get(pk=delivery_id)
    item = _item(delivery)
    if not isinstance(item, Inbound):
        raise TypeError(f"delivery {delivery_id} is now {type(item).__name__}")
    late = lateness(delivery)
    return take_in(
        channel=_channel(delivery),
        item=item,
        at=late.place_at or delivery.received_at,
        received_at=delivery.received_at,
        is_history=late.is_history,
        place_at=late.place_at,
    )


@unit_of_work
def take_in(
    *,
    channel: Channel,
    item: Inbound,
    at: datetime,
    received_at: datetime,
    is_history: bool = False,
    place_at: datetime | None = None,
) -> dict[str, Any]:
    """`at` is when it was written, as near as anybody knows: Twilio's requests carry no time."""
    message = inbound.receive_message(
        actor=System(channel.workspace_id, SOURCE),
        channel=channel,
        incoming=inbound.Incoming(
            sender=sender_of(item),
            provider_id=item.sid,
            at=at,
            received_at=received_at,
            is_history=is_history,
            place_at=place_at,
            type=item.type,
            body=item.body,
            peer_address=item.sender,
            reply_to_provider_id=item.reply_to,
            detail=item.detail,
            media=tuple(
                inbound.IncomingMedia(kind=media.kind, url=media.url, content_type=media.content_type)
                for media in item.media
            ),
        ),
    )
    if message is None:
        return inbound.why_not(channel, item.sid)
    wish = _wish(channel, item, at)
    return {"message_id": str(message.pk), **({"opt_out": wish} if wish else {})}


def _wish(channel: Channel, item: Inbound, at: datetime) -> str:
    """Twilio keeps to STOP and START by itself on plain numbers; on WhatsApp only where it says so."""
    wish = opt_outs.wish_of("" if item.is_whatsapp else item.body, announced=item.opt_out)
    if wish:
        opt_outs.record_wish(
            channel=channel,
            sender=item.service or item.recipient,
            address=item.sender,
            wish=wish,
            keyword=item.body.strip()[:20],
            at=at,
        )
    return wish or ""


def sender_of(item: Inbound) -> Sender:
    number = item.sender.partition(":")[2] if ":" in item.sender else item.sender
    phone = from_international(number) if number.startswith("+") else None
    known = bool(phone or item.wa_id or item.bsuid)
    return Sender(
        name=item.name,
        phone=phone,
        whatsapp=item.wa_id,
        bsuid=item.bsuid,
        code="" if known else item.sender,
    )


def record_receipt(*, delivery_id: int) -> dict[str, Any]:
    delivery = Delivery.objects.get(pk=delivery_id)
    item = _item(delivery)
    if not isinstance(item, Receipt) or delivery.channel_id is None or delivery.workspace_id is None:
        raise TypeError(f"delivery {delivery_id} is now {type(item).__name__}")
    recorded = outbox.record_receipt(
        workspace_id=delivery.workspace_id,
        channel_id=delivery.channel_id,
        receipt=receipt_of(item, lateness(delivery).place_at or delivery.received_at),
    )
    return {"status": item.status} if recorded else {"duplicate": True}


def receipt_of(item: Receipt, at: datetime) -> outbox.Receipt:
    status = LADDER[item.status]
    failed = status == MessageStatus.FAILED
    return outbox.Receipt(
        provider_id=item.sid,
        status=status,
        at=at,
        error_code=(item.error_code or item.status) if failed else "",
        error_message=_reason(item) if failed else "",
    )


def _reason(item: Receipt) -> str:
    otherwise = CANCELED if item.status == "canceled" else item.error_title or NOT_DELIVERED
    return explain(item.error_code, otherwise) if item.error_code else otherwise


def _channel(delivery: Delivery) -> Channel:
    if delivery.channel_id is None:
        raise Channel.DoesNotExist
    return Channel.objects.select_related("workspace").get(pk=delivery.channel_id)
