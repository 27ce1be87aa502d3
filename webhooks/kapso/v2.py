"""Kapso's own envelope, version 2: one message with its conversation.

Which way it went is decided by `kapso.direction`, never by a status.
"""

from typing import Any

from webhooks.fields import Fields, fields, first, identifier, objects
from webhooks.kapso.identity import read_identity
from webhooks.kapso.items import IN, RECEIPT, Item, Other, Receipt, Turn, WhoIs
from webhooks.kapso.messages import (
    STATUSES,
    Odd,
    callback_data,
    inbound,
    receipt,
    recipient_id,
    sent,
    unhandled,
    unreadable,
)
from webhooks.kapso.people import key_of, who
from webhooks.kapso.words import text

RECEIVED = "received"
IDENTITY_CHANGED = "whatsapp.contact.identity_changed"
CONVERSATION_EVENTS = "whatsapp.conversation."
CONVERSATION_REASON = "Nothing to do: conversations here open and close by what is written and by the team."
IDENTITY_REASON = "It does not tell both who it was and who it is now."
LEGACY_REASON = "Kapso's payload version 1 is not read. Set the webhook to version 2."
_MESSAGE_EVENTS = {f"whatsapp.message.{tail}" for tail in (RECEIVED, *STATUSES)}
# Whoever wrote these, it was not this product: they are news to it.
_ORIGINS_OF_OTHERS = {"business_app", "history_sync"}


def items_of(envelope: Any, event: str) -> list[Item]:
    """Mostly one; two when somebody else's message and its state come in one envelope. Never raises."""
    try:
        return _items_of(envelope, event)
    except Odd as odd:
        return [unreadable(envelope, odd, _phone_number_id(fields(envelope)))]


def turn_of(envelope: Any, event: str) -> Turn | None:
    """Goes the ways of `_items_of`. None for what is not one item, or has a form that is seldom seen."""
    message = fields(envelope).get("message")
    if not isinstance(message, dict) or (event and event not in _MESSAGE_EVENTS):
        return None
    if _is_inbound(message, event):
        numbers, ids = _senders_names(envelope, message)
        return Turn(IN, key_of(numbers=numbers, ids=ids))
    statuses = list(objects(fields(message.get("kapso")).get("statuses")))
    way = RECEIPT
    if _origin(message) in _ORIGINS_OF_OTHERS:
        if _state(message, statuses, event) not in (None, "sent"):
            return None  # the message and its state
        way = IN
    numbers, ids = _recipients_names(envelope, message, statuses)
    return Turn(way, key_of(numbers=numbers, ids=ids))


def _items_of(envelope: Any, event: str) -> list[Item]:
    if not isinstance(envelope, dict):
        raise Odd("The item is not an object.")
    message = envelope.get("message")
    if event == IDENTITY_CHANGED:
        return [read_identity(envelope, _phone_number_id(envelope)) or _other(envelope, event, IDENTITY_REASON)]
    if event and event not in _MESSAGE_EVENTS:
        reason = CONVERSATION_REASON if event.startswith(CONVERSATION_EVENTS) else ""
        return [_other(envelope, event, reason)]
    if message is None and not event:
        return [_other(envelope, "unknown")]
    if not isinstance(message, dict):
        raise Odd("The message is not an object.")
    if _is_legacy(envelope, message):
        return [unhandled("legacy", envelope, _phone_number_id(envelope), reason=LEGACY_REASON)]
    if _is_inbound(message, event):
        return [inbound(message, _sender(envelope, message), _phone_number_id(envelope), _origin(message))]
    return _outbound(envelope, message, event)


def _other(envelope: Fields, event: str, reason: str = "") -> Other:
    person = who(
        numbers=(fields(envelope.get("conversation")).get("phone_number"),), ids=_ids(envelope), usernames=(), names=()
    )
    return unhandled(event, envelope, _phone_number_id(envelope), person.key, reason)


def _outbound(envelope: Fields, message: Fields, event: str) -> list[Item]:
    statuses = list(objects(fields(message.get("kapso")).get("statuses")))
    recipient = _recipient(envelope, message, statuses)
    origin = _origin(message)
    state = _state(message, statuses, event)
    found: list[Item] = []
    if origin in _ORIGINS_OF_OTHERS:
        found.append(sent(message, recipient, _phone_number_id(envelope), origin))
    if state and not (found and state == "sent"):
        found.append(_receipt(envelope, message, statuses, state, recipient))
    return found or [_unknown_state(envelope, message, recipient)]


def _receipt(envelope: Fields, message: Fields, statuses: list[Fields], state: str, recipient: WhoIs) -> Receipt:
    status: Fields = next((status for status in reversed(statuses) if status.get("status") == state), {})
    callback = first(
        *(callback_data(thing) for thing in (status, *statuses, message, fields(message.get("kapso")))),
    )
    return receipt(status, message, state, recipient, _phone_number_id(envelope), callback)


def _unknown_state(envelope: Fields, message: Fields, recipient: WhoIs) -> Other:
    state = text(fields(message.get("kapso")).get("status")) or "missing"
    return unhandled(f"status.{state}", envelope, _phone_number_id(envelope), recipient.key)


def _state(message: Fields, statuses: list[Fields], event: str) -> str | None:
    """The new state. What is signed comes first: the header with the event's name is not."""
    last = statuses[-1].get("status") if statuses else None
    claims = (fields(message.get("kapso")).get("status"), event.rpartition(".")[2], last)
    return next((claim for claim in claims if isinstance(claim, str) and claim in STATUSES), None)


def _is_inbound(message: Fields, event: str) -> bool:
    direction = fields(message.get("kapso")).get("direction")
    if direction in ("inbound", "outbound"):
        return bool(direction == "inbound")
    tail = event.rpartition(".")[2]
    if tail:
        return tail == RECEIVED
    return bool(message.get("from") or message.get("from_user_id")) and not message.get("to")


def _is_legacy(envelope: Fields, message: Fields) -> bool:
    of_version_2 = "kapso" in message or "type" in message
    return not of_version_2 and ("message_type" in message or "whatsapp_config" in envelope)


def _origin(message: Fields) -> str:
    return identifier(fields(message.get("kapso")).get("origin")) or "cloud_api"


def _phone_number_id(envelope: Fields) -> str | None:
    """The business number the event belongs to; older captures have it on the conversation only."""
    return first(
        identifier(envelope.get("phone_number_id")),
        identifier(fields(envelope.get("conversation")).get("phone_number_id")),
    )


def _ids(envelope: Fields) -> tuple[Any, ...]:
    conversation = fields(envelope.get("conversation"))
    return (conversation.get("business_scoped_user_id"),)


Names = tuple[tuple[Any, ...], tuple[Any, ...]]  # numbers, ids


def _sender(envelope: Fields, message: Fields) -> WhoIs:
    conversation, kapso = fields(envelope.get("conversation")), fields(message.get("kapso"))
    numbers, ids = _senders_names(envelope, message)
    return who(
        numbers=numbers,
        ids=ids,
        usernames=(message.get("username"), kapso.get("username"), conversation.get("username")),
        names=_names(conversation, kapso),
    )


def _senders_names(envelope: Fields, message: Fields) -> Names:
    conversation, kapso = fields(envelope.get("conversation")), fields(message.get("kapso"))
    return (
        (message.get("from"), kapso.get("phone_number"), conversation.get("phone_number")),
        (message.get("from_user_id"), message.get("business_scoped_user_id"), *_ids(envelope)),
    )


def _recipient(envelope: Fields, message: Fields, statuses: list[Fields]) -> WhoIs:
    conversation, kapso = fields(envelope.get("conversation")), fields(message.get("kapso"))
    numbers, ids = _recipients_names(envelope, message, statuses)
    return who(numbers=numbers, ids=ids, usernames=(conversation.get("username"),), names=_names(conversation, kapso))


def _recipients_names(envelope: Fields, message: Fields, statuses: list[Fields]) -> Names:
    conversation, kapso = fields(envelope.get("conversation")), fields(message.get("kapso"))
    known_as = tuple(status.get("recipient_id") for status in reversed(statuses))
    return (
        (*known_as, message.get("to"), kapso.get("phone_number"), conversation.get("phone_number")),
        (
            *(recipient_id(status) for status in reversed(statuses)),
            message.get("to_user_id"),
            message.get("recipient"),
            *_ids(envelope),
        ),
    )


def _names(conversation: Fields, kapso: Fields) -> tuple[Any, ...]:
    """A contact's name has been seen in three places."""
    places = (fields(conversation.get("kapso")), conversation, kapso)
    return tuple(place.get("contact_name") for place in places)
