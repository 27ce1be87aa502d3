"""The bodies of Kapso's webhooks as it writes them, version 2, and Meta's raw form of a received message."""

from datetime import UTC, datetime
from typing import Any

from webhooks.simulator.files import Files
from webhooks.simulator.state import JSON, Ledger, Message, Number, conversation_id

EVENT = "whatsapp.message."
BATCH_WINDOW_MS = 5000
MEDIA = {"image", "video", "audio", "document", "sticker"}
TITLES = {
    131047: ("Re-engagement message", "More than 24 hours have passed since the recipient last replied"),
    131053: ("Media upload error", "The media could not be loaded from its address."),
    131026: ("Message undeliverable", "Message Undeliverable."),
}


def received(ledger: Ledger, message: Message, files: Files) -> JSON:
    """Also for what staff typed on the phone, which comes as sent."""
    return envelope(ledger, message, "received" if message.direction == "inbound" else "sent", files)


def state(ledger: Ledger, message: Message, status: str, at: float, *, echo: bool) -> JSON:
    body = envelope(ledger, message, status)
    past = [*(pair for pair in ledger.states_of(message) if pair[0] != status and pair[1] <= at), (status, at)]
    body["message"]["timestamp"] = stamp(at)
    body["message"]["kapso"]["statuses"] = [meta_status(message, name, when, echo=echo) for name, when in past]
    return body


def batch(bodies: list[JSON], first_sequence: int) -> JSON:
    return {
        "type": f"{EVENT}received",
        "batch": True,
        "data": bodies,
        "batch_info": {
            "size": len(bodies),
            "window_ms": BATCH_WINDOW_MS,
            "first_sequence": first_sequence,
            "last_sequence": first_sequence + len(bodies) - 1,
            "conversation_id": bodies[0]["conversation"]["id"],
        },
    }


def raw(number: Number, messages: list[Message]) -> JSON:
    """As Meta itself would post them."""
    contacts = [_without_nothing(_contact(message)) for message in messages]
    value: JSON = {
        "messaging_product": "whatsapp",
        "metadata": {
            "display_phone_number": number.phone.lstrip("+"),
            "phone_number_id": number.phone_number_id,
        },
        "contacts": contacts,
        "messages": [meta_message(message) for message in messages],
    }
    change = {"field": "messages", "value": value}
    return {"object": "whatsapp_business_account", "entry": [{"id": "100000000000000", "changes": [change]}]}


def envelope(ledger: Ledger, message: Message, status: str, files: Files | None = None) -> JSON:
    thread = ledger.thread(message.phone_number_id, message.peer)
    return {
        "message": {**meta_message(message), "kapso": extension(message, status, files)},
        "conversation": _conversation(message, thread),
        "is_new_conversation": bool(thread) and thread[0].id == message.id,
        "phone_number_id": message.phone_number_id,
    }


def meta_message(message: Message) -> JSON:
    peer = message.peer
    if message.direction == "inbound":
        person: JSON = {"from": peer.wa_id, "from_user_id": peer.bsuid, "username": peer.username}
    else:
        person = {"to": peer.wa_id, "recipient": "" if peer.wa_id else peer.bsuid}
    return {"id": message.id, "timestamp": stamp(message.at), **_without_nothing(person), **message.content}


def meta_status(message: Message, status: str, at: float, *, echo: bool) -> JSON:
    told: JSON = {
        "id": message.id,
        "status": status,
        "timestamp": stamp(at),
        "recipient_id": message.peer.wa_id,
        "recipient_user_id": message.peer.bsuid,
        "biz_opaque_callback_data": message.callback_data if echo else "",
    }
    if status == "failed":
        told["errors"] = [_fault(message.code)]
    return _without_nothing(told)


def extension(message: Message, status: str, files: Files | None = None) -> JSON:
    inbound = message.direction == "inbound"
    told: JSON = {
        "direction": message.direction,
        "status": status,
        "processing_status": "pending" if inbound else "completed",
        "origin": message.origin,
        "has_media": message.content["type"] in MEDIA,
        "content": message.body,
    }
    return told | (_media(message, files) if inbound and files else {})


def _media(message: Message, files: Files) -> JSON:
    """Kapso's own copy of what was sent, at an address that anybody may open who knows it."""
    kind = message.content["type"]
    part = message.content[kind] if kind in MEDIA else {}
    file = files.ledger.files.get(part.get("id", ""))
    if file is None:
        return {}
    url, caption = files.blob_url(file), part.get("caption", "")
    what = (
        f"{caption} {kind.title()} attached ({file.name}) [Size: {file.size} B | Type: {file.content_type}] URL: {url}"
    )
    data = {"url": url, "filename": file.name, "content_type": file.content_type, "byte_size": file.size}
    more: JSON = {"content": what.strip(), "media_url": url, "media_data": data}
    return more | ({"message_type_data": {"caption": caption}} if caption else {})


def stamp(at: float) -> str:
    return str(int(at))


def iso(at: float) -> str:
    return datetime.fromtimestamp(int(at), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _conversation(message: Message, thread: list[Message]) -> JSON:
    first, last = (thread[0], thread[-1]) if thread else (message, message)
    peer = message.peer
    return {
        "id": conversation_id(message.phone_number_id, peer),
        "phone_number": f"+{peer.wa_id}" if peer.wa_id else None,
        **({"business_scoped_user_id": peer.bsuid} if peer.bsuid else {}),
        "status": "active",
        "last_active_at": iso(last.at),
        "created_at": iso(first.at),
        "updated_at": iso(last.at),
        "metadata": {},
        "phone_number_id": message.phone_number_id,
        "kapso": {
            "contact_name": peer.name or None,
            "messages_count": len(thread),
            "last_message_id": last.id,
            "last_message_type": last.content["type"],
            "last_message_timestamp": iso(last.at),
            "last_message_text": last.body,
            "last_inbound_at": _last(thread, "inbound"),
            "last_outbound_at": _last(thread, "outbound"),
        },
    }


def _last(thread: list[Message], direction: str) -> str | None:
    return next((iso(message.at) for message in reversed(thread) if message.direction == direction), None)


def _contact(message: Message) -> JSON:
    peer = message.peer
    return {"profile": {"name": peer.name or peer.username}, "wa_id": peer.wa_id, "user_id": peer.bsuid}


def _fault(code: int) -> JSON:
    title, details = TITLES.get(code, ("Message failed to send", f"The message failed with code {code}."))
    return {"code": code, "title": title, "message": title, "error_data": {"details": details}}


def _without_nothing(fields: dict[str, Any]) -> JSON:
    return {name: value for name, value in fields.items() if value}
