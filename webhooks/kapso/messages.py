"""WhatsApp's own message and status objects, which Kapso and Meta wrap differently."""

from typing import Any

from webhooks.fields import Fields, fields, first, identifier, moment, name_or_id, objects
from webhooks.kapso import changes
from webhooks.kapso.items import Deleted, Edited, Inbound, Other, Receipt, Sent, WhoIs
from webhooks.kapso.people import bsuid
from webhooks.kapso.words import body_of, text

STATUSES = ("sent", "delivered", "read", "failed")
_KIND_LIMIT = 100


class Odd(Exception):
    """Why one item cannot be read, in a sentence."""


def unreadable(raw: Any, odd: Odd, phone_number_id: str | None = None) -> Other:
    return Other("unreadable_item", raw, str(odd), phone_number_id)


def unhandled(kind: str, raw: Any, phone_number_id: str | None = None, peer_key: str = "", reason: str = "") -> Other:
    return Other(kind[:_KIND_LIMIT], raw, reason, phone_number_id, peer_key)


def inbound(message: Fields, sender: WhoIs, phone_number_id: str | None, origin: str) -> Inbound | Edited | Deleted:
    if not sender.key:
        raise Odd("The message names no sender.")
    kind = _type_of(message)
    change = changes.change(message, kind)
    if change is not None:
        return _changed(message, change, sender, phone_number_id, origin, by_us=False)
    return Inbound(
        provider_id=id_of(message),
        at=moment(message.get("timestamp")),
        sender=sender,
        type=kind,
        body=body_of(message, kind),
        reply_to=_reply_to(message),
        phone_number_id=phone_number_id,
        origin=origin,
        detail=message,
    )


def sent(message: Fields, recipient: WhoIs, phone_number_id: str | None, origin: str) -> Sent | Edited | Deleted:
    if not recipient.key:
        raise Odd("The message names no recipient.")
    kind = _type_of(message)
    change = changes.change(message, kind)
    if change is not None:
        return _changed(message, change, recipient, phone_number_id, origin, by_us=True)
    return Sent(
        provider_id=id_of(message),
        at=moment(message.get("timestamp")),
        recipient=recipient,
        type=kind,
        body=body_of(message, kind),
        reply_to=_reply_to(message),
        phone_number_id=phone_number_id,
        origin=origin,
        callback_data=callback_data(message),
        detail=message,
    )


def _changed(
    message: Fields, change: changes.Change, person: WhoIs, phone_number_id: str | None, origin: str, *, by_us: bool
) -> Edited | Deleted:
    at = moment(message.get("timestamp"))
    if change.deleted:
        return Deleted(id_of(message), change.target, at, person, phone_number_id, by_us)
    kind = changes.kind_of(change.now)
    return Edited(
        provider_id=id_of(message),
        target=change.target,
        at=at,
        person=person,
        type=kind,
        body=body_of(change.now, kind) if kind else None,
        phone_number_id=phone_number_id,
        origin=origin,
        by_us=by_us,
        detail=change.now,
    )


def receipt(
    status: Fields, message: Fields, state: str, recipient: WhoIs, phone_number_id: str | None, callback: str | None
) -> Receipt:
    """`status` is Meta's status object, `message` what else is known of the message it speaks about."""
    fault: Fields = next(objects(status.get("errors")), {}) if state == "failed" else {}
    details = first(name_or_id(fields(fault.get("error_data")).get("details")), name_or_id(fault.get("message")))
    return Receipt(
        provider_id=id_of(message) if message else id_of(status),
        status=state,
        at=moment(status.get("timestamp")) or moment(message.get("timestamp")),
        recipient=recipient,
        phone_number_id=phone_number_id,
        callback_data=callback,
        body=body_of(message, _type_of(message)),
        error_code=identifier(fault.get("code")) or "",
        error_title=name_or_id(fault.get("title")) or "",
        error_details=details or "",
    )


def id_of(thing: Fields) -> str:
    found = identifier(thing.get("id"))
    if found is None:
        raise Odd("The message has no id.")
    return found


def callback_data(thing: Fields) -> str | None:
    return identifier(thing.get("biz_opaque_callback_data"))


def recipient_id(status: Fields) -> str | None:
    return bsuid(status.get("recipient_user_id"))


def _type_of(message: Fields) -> str:
    return text(message.get("type"))[:_KIND_LIMIT] or "unsupported"


def _reply_to(message: Fields) -> str | None:
    return identifier(fields(message.get("context")).get("id"))
