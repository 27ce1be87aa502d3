"""Meta's raw form: up to a thousand updates in one body, messages and statuses side by side, names apart from both."""

from collections.abc import Iterator
from typing import Any

from webhooks.fields import Fields, fields, identifier, objects
from webhooks.kapso.items import IN, RECEIPT, Item, Turn, WhoIs
from webhooks.kapso.messages import STATUSES, Odd, callback_data, inbound, receipt, sent, unhandled, unreadable
from webhooks.kapso.people import digits, who
from webhooks.kapso.words import text

OBJECT = "whatsapp_business_account"


def items_of(body: Fields) -> list[Item]:
    """Every update in the order it came. Never raises; what cannot be read stands in its place as such."""
    return [item for entry in _members(body, "entry") for change in _changes(entry) for item in _of_change(change)]


def turn_of(body: Fields) -> Turn | None:
    """Of a single message or status, which most bodies are."""
    changes = [change for entry in _members(body, "entry") for change in _changes(entry)]
    value = fields(fields(changes[0]).get("value")) if len(changes) == 1 else {}
    messages, statuses = list(objects(value.get("messages"))), list(objects(value.get("statuses")))
    if len(messages) + len(statuses) != 1:
        return None
    if messages:
        return Turn(IN, _sender(messages[0], value).key)
    return Turn(RECEIPT, _of_status(statuses[0]).key)


def event_of(body: Fields) -> str:
    """A name for the delivery when no header gives one: the first change's field."""
    change = next((change for entry in objects(body.get("entry")) for change in objects(entry.get("changes"))), {})
    return f"meta.{text(change.get('field')) or 'unknown'}"[:100]


def _members(thing: Any, name: str) -> list[Any]:
    members = fields(thing).get(name)
    return members if isinstance(members, list) else [thing]


def _changes(entry: Any) -> list[Any]:
    return _members(entry, "changes")


def _of_change(change: Any) -> Iterator[Item]:
    value = fields(change).get("value")
    if not isinstance(value, dict):
        yield unreadable(change, Odd("The change carries no value."))
        return
    field, number = text(change.get("field")), identifier(fields(value.get("metadata")).get("phone_number_id"))
    if field == "messages":
        yield from _of_messages(change, value, number)
    elif field == "smb_message_echoes":
        yield from (_echo(message, number) for message in _list(value, "message_echoes"))
    else:
        yield unhandled(f"meta.{field or 'unknown'}", change, number)


def _of_messages(change: Any, value: Fields, number: str | None) -> Iterator[Item]:
    messages, statuses = _list(value, "messages"), _list(value, "statuses")
    yield from (_message(message, value, number) for message in messages)
    yield from (_status(status, number) for status in statuses)
    if not messages and not statuses:
        yield unhandled("meta.errors" if value.get("errors") else "meta.messages", change, number)


def _list(value: Fields, name: str) -> list[Any]:
    found = value.get(name)
    return found if isinstance(found, list) else []


def _message(message: Any, value: Fields, number: str | None) -> Item:
    try:
        return inbound(_object(message), _sender(message, value), number, "cloud_api")
    except Odd as odd:
        return unreadable(message, odd, number)


def _echo(message: Any, number: str | None) -> Item:
    """Staff typed it on the phone app."""
    try:
        return sent(_object(message), _addressee(message), number, "business_app")
    except Odd as odd:
        return unreadable(message, odd, number)


def _status(status: Any, number: str | None) -> Item:
    try:
        state = text(_object(status).get("status"))
        person = _of_status(status)
        if state not in STATUSES:
            return unhandled(f"status.{state or 'missing'}", status, number, person.key)
        return receipt(status, {}, state, person, number, callback_data(status))
    except Odd as odd:
        return unreadable(status, odd, number)


def _of_status(status: Fields) -> WhoIs:
    return who(numbers=(status.get("recipient_id"),), ids=(status.get("recipient_user_id"),), usernames=(), names=())


def _object(thing: Any) -> Fields:
    if not isinstance(thing, dict):
        raise Odd("The item is not an object.")
    return thing


def _addressee(message: Fields) -> WhoIs:
    return who(numbers=(message.get("to"),), ids=(message.get("to_user_id"),), usernames=(), names=())


def _sender(message: Fields, value: Fields) -> WhoIs:
    contact = _contact(message, list(objects(value.get("contacts"))))
    profile = fields(contact.get("profile"))
    return who(
        numbers=(message.get("from"), contact.get("wa_id")),
        ids=(message.get("from_user_id"), contact.get("user_id")),
        usernames=(message.get("username"), profile.get("username"), contact.get("username")),
        names=(profile.get("name"),),
    )


def _contact(message: Fields, contacts: list[Fields]) -> Fields:
    """Names come in a list of their own, matched by number or user id; a stranger in it lends nobody a name."""
    number, user = digits(message.get("from")), message.get("from_user_id")
    for contact in contacts:
        if (number and digits(contact.get("wa_id")) == number) or (user and contact.get("user_id") == user):
            return contact
    return {}
