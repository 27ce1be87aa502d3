"""Kapso's proxy to the Cloud API, as far as we use it: takes and checks sends, lists messages, names the number."""

import base64
import re
import secrets
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from webhooks.simulator.behaviour import WINDOW_CLOSED, Behaviour
from webhooks.simulator.files import Files
from webhooks.simulator.kapso_events import extension, meta_message, meta_status
from webhooks.simulator.replies import Reply, graph_refusal, kapso_refusal
from webhooks.simulator.state import JSON, File, Ledger, Message, Number, Peer
from webhooks.simulator.templates import check_template

Row = tuple[int, Message]  # with its place in the ledger, which is what cursors point at

TEXT_LIMIT = 4096
CALLBACK_LIMIT = 512
PAGE, PAGE_LIMIT = 20, 100
# What each type must carry; the rest of Meta's checks are not repeated here.
REQUIRED: Mapping[str, tuple[str, ...]] = {
    "text": ("body",),
    "image": (),
    "video": (),
    "audio": (),
    "document": (),
    "sticker": (),
    "location": ("latitude", "longitude"),
    "reaction": ("message_id",),
    "interactive": ("type", "action"),
    "template": ("name", "language"),
    "contacts": (),
}
MEDIA = {"image", "video", "audio", "document", "sticker"}
MEDIA_NOT_LOADED = 131053
MEBIBYTE = 1024 * 1024
UPLOADS: tuple[tuple[frozenset[str], int], ...] = (
    (frozenset({"image/jpeg", "image/png"}), 5 * MEBIBYTE),
    (frozenset({"image/webp"}), 500 * 1024),
    (frozenset({"video/mp4", "video/3gpp"}), 16 * MEBIBYTE),
    (frozenset({"audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"}), 16 * MEBIBYTE),
)
_BSUID = re.compile(r"[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}", re.ASCII)
_DRESS = re.compile(r"[\s().-]+")
_NUMBER = re.compile(r"\+?[0-9]{7,15}", re.ASCII)


def authorised(ledger: Ledger, headers: Mapping[str, str]) -> None:
    key = headers.get("x-api-key") or headers.get("authorization", "").removeprefix("Bearer ")
    if not key or key not in {number.api_key for number in ledger.numbers.values()}:
        raise kapso_refusal(401, "Unauthorized", "Invalid or missing API key.")


def number_of(ledger: Ledger, phone_number_id: str, method: str) -> Number:
    number = ledger.numbers.get(phone_number_id)
    if number is None:
        raise no_object(phone_number_id, method)
    return number


def no_object(id_: str, method: str) -> Exception:
    what = f"Object with ID '{id_}' does not exist, cannot be loaded due to missing permissions."
    return graph_refusal(100, f"Unsupported {method.lower()} request. {what}", subcode=33)


def describe(number: Number) -> Reply:
    return Reply(
        {
            "id": number.phone_number_id,
            "display_phone_number": number.phone,
            "verified_name": "Switchboard Demo",
            "quality_rating": "GREEN",
        }
    )


# --- Sends ------------------------------------------------------------------------------------------------


def checked(ledger: Ledger, number: Number, raw: bytes, behaviour: Behaviour) -> Message | None:
    """The message that this request asks to send; None when it only marks something as read or typing."""
    request = _object(raw)
    if request.get("messaging_product") != "whatsapp":
        raise graph_refusal(100, "The parameter messaging_product is required.")
    if request.get("status") == "read":
        if not isinstance(request.get("message_id"), str):
            raise graph_refusal(100, "The parameter message_id is required.")
        return None
    peer, to = _recipient(request, number)
    content = _content(ledger, request)
    return Message(
        id=outbound_id(peer),
        phone_number_id=number.phone_number_id,
        direction="outbound",
        peer=peer,
        content=content,
        at=time.time(),
        to=to,
        callback_data=_callback_data(request),
        plan=_plan(behaviour, content),
        code=behaviour.code,
    )


def accepted(message: Message) -> Reply:
    contact: JSON = {"input": message.to}
    contact |= {"wa_id": message.peer.wa_id} if message.peer.wa_id else {"user_id": message.peer.bsuid}
    return Reply({"messaging_product": "whatsapp", "contacts": [contact], "messages": [{"id": message.id}]})


def refuse(fail: str, behaviour: Behaviour) -> None:
    """Raises what the provider was told to answer, when it is a refusal."""
    if fail == "409":
        raise kapso_refusal(
            409, "Conflict", "Another message is being sent in this conversation. Please retry shortly."
        )
    if fail == "429":
        headers = {"Retry-After": str(behaviour.retry_after), "X-RateLimit-Limit": "100", "X-RateLimit-Remaining": "0"}
        raise kapso_refusal(429, "Rate limit exceeded", "You have exceeded the rate limit.", headers)
    if fail == "500":
        raise kapso_refusal(500, "Internal server error", "Something went wrong.")
    if fail == "window":
        raise graph_refusal(
            WINDOW_CLOSED,
            "Re-engagement message",
            "Message failed to send because more than 24 hours have passed since the customer last replied.",
        )
    if fail == "code":
        raise graph_refusal(behaviour.code, "Message failed to send", "As the simulator was told.")


def outbound_id(peer: Peer) -> str:
    return _wamid(peer, kind=0x11, entropy=9)


def inbound_id(peer: Peer) -> str:
    return _wamid(peer, kind=0x12, entropy=10)


def _wamid(peer: Peer, *, kind: int, entropy: int) -> str:
    """Shaped like the real ones, which carry the peer's number in base64."""
    person, unique = peer.key.encode()[:200], secrets.token_hex(entropy).upper().encode()
    head = bytes((0x1C, 0x18, len(person))) + person + bytes((0x15, 0x02, 0x00, kind, 0x18, len(unique)))
    return f"wamid.{base64.b64encode(head + unique + bytes(1)).decode()}"


def _object(raw: bytes) -> JSON:
    try:
        request = orjson.loads(raw)
    except orjson.JSONDecodeError:
        request = None
    if not isinstance(request, dict):
        raise graph_refusal(100, "Invalid parameter", "The body is not a JSON object.")
    return request


def _recipient(request: JSON, number: Number) -> tuple[Peer, str]:
    to, recipient = request.get("to"), request.get("recipient")
    if isinstance(recipient, str) and _BSUID.fullmatch(recipient):
        return Peer(bsuid=recipient), recipient
    if not isinstance(to, str) or not to:
        raise graph_refusal(100, "The parameter to is required.")
    bare = _DRESS.sub("", to)
    if not _NUMBER.fullmatch(bare):
        raise graph_refusal(131009, "Parameter value is not valid", "The to parameter is not a phone number.")
    digits = bare.lstrip("+")
    if digits == number.phone.lstrip("+"):
        raise graph_refusal(131021, "Recipient cannot be sender", "Sender and recipient are the same.")
    return Peer(wa_id=_known_as(digits)), to


def _known_as(digits: str) -> str:
    """WhatsApp keeps Mexican mobiles under their old form; answers and statuses carry that, whatever was dialled."""
    return f"521{digits[2:]}" if len(digits) == 12 and digits.startswith("52") else digits


def _content(ledger: Ledger, request: JSON) -> JSON:
    kind = request.get("type", "text")
    if not isinstance(kind, str) or kind not in REQUIRED:
        raise graph_refusal(100, "Param type must be one of " + ", ".join(sorted(REQUIRED)))
    content: Any = request.get(kind)
    if not content or not isinstance(content, list if kind == "contacts" else dict):
        raise graph_refusal(131008, "Required parameter is missing", f"The {kind} parameter is required.")
    _check_content(kind, content)
    if isinstance(content, dict):
        _check_known(ledger, kind, content)
    found: JSON = {"type": kind, kind: content}
    context = request.get("context")
    if isinstance(context, dict) and isinstance(context.get("message_id"), str):
        found["context"] = {"id": context["message_id"]}
    return found


def _check_known(ledger: Ledger, kind: str, content: JSON) -> None:
    id_ = content.get("id")
    if kind in MEDIA and id_ and id_ not in ledger.files:
        raise graph_refusal(100, "Invalid parameter", f"The media id {id_} was not uploaded here.")
    if kind == "template":
        check_template(content)


def _check_content(kind: str, content: Any) -> None:
    missing = [name for name in REQUIRED[kind] if content.get(name) in (None, "")]
    if missing:
        raise graph_refusal(131008, "Required parameter is missing", f"{kind}.{missing[0]} is required.")
    if kind in MEDIA and not (content.get("id") or content.get("link")):
        raise graph_refusal(131008, "Required parameter is missing", f"{kind} needs an id or a link.")
    if kind == "text":
        if not isinstance(content["body"], str):
            raise graph_refusal(100, "Param text['body'] must be a string.")
        if len(content["body"]) > TEXT_LIMIT:
            raise graph_refusal(100, f"Param text['body'] must be at most {TEXT_LIMIT} characters long.")


def _callback_data(request: JSON) -> str:
    data = request.get("biz_opaque_callback_data", "")
    if not isinstance(data, str) or len(data) > CALLBACK_LIMIT:
        raise graph_refusal(100, f"Param biz_opaque_callback_data must be a string of {CALLBACK_LIMIT} at most.")
    return data


def _plan(behaviour: Behaviour, content: JSON) -> str:
    """A reaction is only ever sent: nobody is told that it was read."""
    return "sent_only" if content["type"] == "reaction" and behaviour.statuses == "on" else behaviour.statuses


# --- Media ------------------------------------------------------------------------------------------------


def media_id() -> str:
    return "".join(secrets.choice("123456789") for _ in range(16))


def check_upload(content_type: str, size: int) -> None:
    """By Meta's limits for each kind; what is no picture, sound or film is a document."""
    main = content_type.partition(";")[0].strip().lower()
    limit = next((limit for types, limit in UPLOADS if main in types), 100 * MEBIBYTE)
    if main.partition("/")[0] in {"image", "audio", "video"} and not any(main in types for types, _ in UPLOADS):
        raise graph_refusal(100, f"Param file must be a file with one of the supported types. Received {main}.")
    if size > limit:
        raise graph_refusal(100, "Param file is too large", f"At most {limit} bytes for {main}.")


def link_of(message: Message) -> str:
    part = message.content.get(message.content["type"])
    return str(part.get("link") or "") if isinstance(part, dict) and message.direction == "outbound" else ""


def base64_sha256(file: File) -> str:
    return base64.b64encode(bytes.fromhex(file.sha256)).decode()


def media(files: Files, file: File) -> Reply:
    """Sizes come as texts, as they do in life."""
    return Reply(
        {
            "messaging_product": "whatsapp",
            "id": file.id,
            "url": files.storage_url(file),
            "download_url": files.storage_url(file),
            "mime_type": file.content_type,
            "sha256": file.sha256,
            "file_size": str(file.size),
        }
    )


# --- The list ---------------------------------------------------------------------------------------------


def listing(ledger: Ledger, files: Files, number: Number, query: Mapping[str, str], *, echo: bool) -> Reply:
    """Newest first; Kapso's own fields only when they are asked for."""
    limit = page_limit(query.get("limit", ""))
    older, newer = _position(query, "after"), _position(query, "before")
    between = (_instant(query, "since") or 0.0, _instant(query, "until") or float("inf"))
    rows: list[Row] = [
        (place, message)
        for place, message in enumerate(ledger.messages)
        if message.phone_number_id == number.phone_number_id and _is_wanted(ledger, message, query, between)
    ]
    rows.reverse()
    within = [row for row in rows if (older is None or row[0] < older) and (newer is None or row[0] > newer)]
    page = within[-limit:] if newer is not None else within[:limit]
    extended = query.get("fields", "kapso()") != "kapso()"
    data = [_row(ledger, files, message, extended=extended, echo=echo) for _, message in page]
    return Reply({"data": data, "paging": _paging(page, rows)})


def _paging(page: list[Row], rows: list[Row]) -> JSON:
    if not page:
        return {"cursors": {"before": None, "after": None}, "next": None, "previous": None}
    before, after = cursor(page[0][0]), cursor(page[-1][0])
    return {
        "cursors": {"before": before, "after": after},
        "next": after if rows[-1] is not page[-1] else None,
        "previous": before if rows[0] is not page[0] else None,
    }


def _row(ledger: Ledger, files: Files, message: Message, *, extended: bool, echo: bool) -> JSON:
    row = meta_message(message)
    if echo and message.callback_data:
        row["biz_opaque_callback_data"] = message.callback_data
    if extended:
        told = [meta_status(message, name, at, echo=echo) for name, at in ledger.states_of(message)]
        numbers = {"phone_number": f"+{message.peer.wa_id}" if message.peer.wa_id else None}
        row["kapso"] = extension(message, _status(ledger, message), files)
        row["kapso"] |= numbers | {"statuses": told, "contact_name": message.peer.name or None}
    return row


def _status(ledger: Ledger, message: Message) -> str:
    if message.direction == "inbound":
        return "delivered"  # as the real list has been seen to say
    told = {name for name, _ in ledger.states_of(message)}
    return next((name for name in ("failed", "read", "delivered", "sent") if name in told), "pending")


def _is_wanted(ledger: Ledger, message: Message, query: Mapping[str, str], between: tuple[float, float]) -> bool:
    return (
        between[0] <= message.at <= between[1]
        and query.get("direction", message.direction) == message.direction
        and ("status" not in query or query["status"] == _status(ledger, message))
    )


def page_limit(text: str) -> int:
    if not text:
        return PAGE
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text) <= PAGE_LIMIT:
        raise kapso_refusal(400, "Bad request", f"limit must be from 1 to {PAGE_LIMIT}.")
    return int(text)


def _instant(query: Mapping[str, str], name: str) -> float | None:
    text = query.get(name, "")
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise kapso_refusal(400, "Bad request", f"{name} must be an ISO 8601 time.") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def cursor(place: int) -> str:
    return base64.b64encode(orjson.dumps({"place": place})).decode()


def place_in(query: Mapping[str, str], name: str, most: int) -> int:
    """For lists that are cut by position."""
    return min(_position(query, name) or 0, most)


def _position(query: Mapping[str, str], name: str) -> int | None:
    text = query.get(name, "")
    if not text:
        return None
    try:
        return int(orjson.loads(base64.b64decode(text, validate=True))["place"])
    except (ValueError, KeyError, TypeError):
        raise kapso_refusal(400, "Bad request", f"{name} is not a cursor of this list.") from None
