"""From a request's parameters to what they say. Pure: no database, no settings, no clock. Odd shapes never raise."""

import hashlib
import re
from functools import lru_cache
from typing import Any

from webhooks.fields import ID_LIMIT, NAME_LIMIT
from webhooks.kapso.people import bsuid
from webhooks.twilio.form import Parameters
from webhooks.twilio.items import Inbound, Item, Media, Other, Receipt

MOST_MEDIA = 20  # Twilio allows ten
KIND_LIMIT = 40
ADDRESS_LIMIT = 80
# What a message that comes in is called; everything else is the state of one that went out.
_INCOMING = {"received", "receiving"}
_NO_STATUS = "It tells no status."
_NO_SID = "It names no message."
_NO_SENDER = "It names no sender."
_STRANGE = re.compile(r"[^a-z0-9_.-]", re.ASCII)


# The road needs it for the journal's key, and the reader right after it for the job.
@lru_cache(maxsize=16)
def read_item(given: Parameters) -> Item:
    """By what it says and not by the road it came: both addresses may have been set to the same."""
    sid = given.first("MessageSid", "SmsMessageSid", "SmsSid")[:ID_LIMIT]
    status = _word(given.first("MessageStatus", "SmsStatus"))
    if not sid:
        return Other(_kind(given), _NO_SID)
    if status in _INCOMING or (not status and _says_something(given)):
        return _inbound(given, sid)
    if not status:
        return Other(_kind(given), _NO_STATUS)
    return _receipt(given, sid, status)


def event_of(item: Item) -> str:
    match item:
        case Inbound():
            return "message.received"
        case Receipt():
            return f"message.{item.status}"
        case Other():
            return item.kind


def event_key(item: Item, token: str, body: bytes) -> str:
    """The message's id and what is said of it. Twilio's own token is only a hint, so it serves where there is no id."""
    if isinstance(item, Inbound | Receipt):
        return item.item_key
    return f"token:{token}"[:200] if token else digest_key(body)


def digest_key(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def _inbound(given: Parameters, sid: str) -> Item:
    sender = given.first("From")[:ADDRESS_LIMIT]
    if not sender:
        return Other(_kind(given), _NO_SENDER)
    media = _media(given)
    kind = _type_of(given, media)
    return Inbound(
        sid=sid,
        sender=sender,
        recipient=given.first("To")[:ADDRESS_LIMIT],
        service=given.first("MessagingServiceSid")[:ADDRESS_LIMIT],
        name=given.first("ProfileName").strip()[:NAME_LIMIT],
        wa_id=_wa_id(given, sender),
        bsuid=bsuid(given.first("ExternalUserId")) or bsuid(sender.partition(":")[2]) or "",
        type=kind,
        body=_body_of(given, kind),
        reply_to=given.first("OriginalRepliedMessageSid")[:ID_LIMIT],
        opt_out=given.first("OptOutType").strip().upper(),
        detail=_detail(given, kind),
        media=media,
    )


def _receipt(given: Parameters, sid: str, status: str) -> Receipt:
    code = given.first("ErrorCode", "ChannelStatusCode")
    return Receipt(
        sid=sid,
        status=status,
        recipient=given.first("To", "ChannelToAddress")[:ADDRESS_LIMIT],
        error_code=code[:60] if code != "0" else "",
        error_title=given.first("ErrorMessage", "ChannelStatusMessage")[:300],
    )


def _says_something(given: Parameters) -> bool:
    return "Body" in set(given) or _count(given) > 0


def _kind(given: Parameters) -> str:
    name = _word(given.first("EventType", "StatusCallbackEvent", "Level"))
    return f"other.{name}" if name else "other"


def _word(value: str) -> str:
    return _STRANGE.sub("", value.strip().lower())[:KIND_LIMIT]


def _wa_id(given: Parameters, sender: str) -> str:
    """Digits, as WhatsApp knows the person; only what came by WhatsApp has them."""
    if not sender.lower().startswith("whatsapp:") or bsuid(sender.partition(":")[2]):
        return ""
    digits = re.sub(r"[^0-9]", "", given.first("WaId") or sender)
    return digits if 0 < len(digits) <= 32 else ""


# --- What was written ---------------------------------------------------------------------------------------


def _type_of(given: Parameters, media: tuple[Media, ...]) -> str:
    """WhatsApp names it; of an SMS the first file tells."""
    named = _word(given.first("MessageType"))
    if media and named in ("", "text", "media", "unknown"):
        return media[0].kind
    if named and named != "text":
        return named[:24]
    if given.first("ListId", "ListTitle", "InteractiveData"):
        return "interactive"
    if given.first("ButtonText", "ButtonPayload"):
        return "button"
    if given.first("Latitude") and given.first("Longitude"):
        return "location"
    return "text"


def _body_of(given: Parameters, kind: str) -> str:
    body = given.first("Body")
    if body:
        return body
    if kind == "location":
        named = [part for part in (given.first("Label"), given.first("Address")) if part]
        return ", ".join(named or [part for part in (given.first("Latitude"), given.first("Longitude")) if part])
    return given.first("ButtonText", "ListTitle")


def _detail(given: Parameters, kind: str) -> dict[str, Any]:
    """In the form in which WhatsApp itself tells it, so that every reader knows one form."""
    if kind == "location":
        place = {"latitude": _number(given, "Latitude"), "longitude": _number(given, "Longitude")}
        return {"location": place | _named(given, name="Label", address="Address")}
    if kind == "button":
        return {"button": _named(given, text="ButtonText", payload="ButtonPayload")}
    if kind == "interactive":
        return {"interactive": _interactive(given)}
    return {}


def _interactive(given: Parameters) -> dict[str, Any]:
    if given.first("ListId", "ListTitle"):
        return {"type": "list_reply", "list_reply": _named(given, id="ListId", title="ListTitle")}
    if given.first("ButtonText", "ButtonPayload"):
        return {"type": "button_reply", "button_reply": _named(given, id="ButtonPayload", title="ButtonText")}
    return {"type": "nfm_reply", "nfm_reply": _named(given, response_json="InteractiveData")}


def _named(given: Parameters, **names: str) -> dict[str, str]:
    return {ours: value for ours, theirs in names.items() if (value := given.first(theirs))}


def _number(given: Parameters, name: str) -> float | str:
    text = given.first(name)[:40]
    return float(text) if re.fullmatch(r"-?[0-9]{1,3}(\.[0-9]{1,20})?", text, re.ASCII) else text


def _count(given: Parameters) -> int:
    text = given.first("NumMedia").strip()
    return min(int(text), MOST_MEDIA) if re.fullmatch(r"[0-9]{1,4}", text, re.ASCII) else 0


def _media(given: Parameters) -> tuple[Media, ...]:
    """As many as are announced, and those that stand there beyond it: a count may be missing."""
    sticker = _word(given.first("MessageType")) == "sticker"
    found = []
    for number in range(MOST_MEDIA):
        url = given.first(f"MediaUrl{number}")
        if url:
            content_type = given.first(f"MediaContentType{number}")[:120].lower()
            found.append(Media(url, content_type, "sticker" if sticker else _kind_of(content_type)))
    return tuple(found)


def _kind_of(content_type: str) -> str:
    family = content_type.partition("/")[0]
    return family if family in ("image", "audio", "video") else "document"
