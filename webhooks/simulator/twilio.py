"""Twilio's REST API as far as we use it: takes and checks messages, lists them, hands out their media and contents."""

import re
import secrets
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

import orjson

from webhooks.simulator.behaviour import WINDOW_CLOSED, Behaviour
from webhooks.simulator.calls import Call
from webhooks.simulator.replies import Reply, twilio_refusal
from webhooks.simulator.state import JSON, Account, File, Ledger, Text
from webhooks.simulator.templates import CONTENTS, Content, filled

VERSION = "2010-04-01"
TEXT_LIMIT = 1600
MEDIA_LIMIT = 10
PAGE, PAGE_LIMIT = 50, 1000
OUTSIDE_WINDOW = 63016
UNDELIVERED = 30008
WINDOW_SECONDS = 86400.0
_E164 = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
_SID = re.compile(r"[A-Z]{2}[0-9a-f]{32}", re.ASCII)
_GSM = re.compile(r"[A-Za-z0-9 \r\n@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ!\"#¤%&'()*+,\-./:;<=>?¡ÄÖÑÜ§¿äöñüà]*")


def new_sid(prefix: str) -> str:
    return prefix + secrets.token_hex(16)


def authorised(ledger: Ledger, call: Call, sid: str = "") -> Account:
    """The account whose key the request carries, which must be the one in the address."""
    user, password = call.basic()
    account = ledger.accounts.get(user)
    if account is None or not secrets.compare_digest(account.auth_token.encode(), password.encode()):
        raise twilio_refusal(20003, "Authenticate", status=401)
    if sid and sid != account.sid:
        raise not_found(call.path)
    return account


def not_found(path: str) -> Exception:
    return twilio_refusal(20404, f"The requested resource {path} was not found", status=404)


# --- Sends ------------------------------------------------------------------------------------------------


def checked(ledger: Ledger, account: Account, form: list[tuple[str, str]], behaviour: Behaviour) -> Text:
    """The message that this request asks to send."""
    given = dict(reversed(form))
    to = _recipient(given.get("To", ""))
    from_, service = _sender(account, given, to)
    media = [value for name, value in form if name == "MediaUrl"]
    body = _body(given, media)
    _check_media(media)
    if (from_, to) in ledger.opted_out:
        raise twilio_refusal(21610, "Attempt to send to unsubscribed recipient")
    callback = given.get("StatusCallback", "")
    if callback and not _is_address(callback):
        raise twilio_refusal(21609, f"The StatusCallback URL {callback} is not a valid URL.")
    return Text(
        id=new_sid("MM" if media else "SM"),
        account=account.sid,
        direction="outbound-api",
        from_=from_,
        to=to,
        body=body,
        at=time.time(),
        service=service,
        callback=callback,
        more={"MediaUrl": media[0]} if media else {},
        **_plan(ledger, behaviour, from_, to, is_template="ContentSid" in given),
    )


def _recipient(to: str) -> str:
    if not to:
        raise twilio_refusal(21604, "A 'To' phone number is required.")
    if not _E164.fullmatch(to.removeprefix("whatsapp:")):
        raise twilio_refusal(21211, f"Invalid 'To' Phone Number: {to}")
    return to


def _sender(account: Account, given: Mapping[str, str], to: str) -> tuple[str, str]:
    from_, service = given.get("From", ""), given.get("MessagingServiceSid", "")
    is_whatsapp = to.startswith("whatsapp:")
    ours = f"whatsapp:{account.phone}" if is_whatsapp else account.phone
    if service:
        if not _SID.fullmatch(service) or not service.startswith("MG"):
            raise twilio_refusal(21705, f"The Messaging Service Sid {service} is invalid.")
        return ours, service
    if not from_:
        raise twilio_refusal(21603, "A 'From' phone number is required.")
    if from_.startswith("whatsapp:") != is_whatsapp:
        raise twilio_refusal(21910, "Invalid From and To pair. From and To should be of the same channel")
    if from_ != ours:
        if is_whatsapp:
            raise twilio_refusal(63007, "Twilio could not find a Channel with the specified From address")
        raise twilio_refusal(21606, f"The 'From' phone number {from_} is not a valid message-capable number.")
    if from_ == to:
        raise twilio_refusal(21266, "'To' and 'From' number cannot be the same")
    return from_, ""


def _body(given: Mapping[str, str], media: list[str]) -> str:
    if given.get("ContentSid"):
        return _from_content(given["ContentSid"], given.get("ContentVariables", ""))
    body = given.get("Body", "")
    if not body and not media:
        raise twilio_refusal(21619, "A text message body or media urls must be specified.")
    if len(body) > TEXT_LIMIT:
        raise twilio_refusal(21617, f"The concatenated message body exceeds the {TEXT_LIMIT} character limit")
    return body


def _from_content(sid: str, variables: str) -> str:
    content = next((content for content in CONTENTS if content.sid == sid), None)
    if content is None:
        raise twilio_refusal(21655, f"The ContentSid {sid} is invalid.")
    try:
        values = orjson.loads(variables or "{}")
    except orjson.JSONDecodeError:
        values = None
    if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
        raise twilio_refusal(21656, "The ContentVariables parameter is invalid.")
    return filled(content.body, content.variables | values)


def _check_media(media: list[str]) -> None:
    if len(media) > MEDIA_LIMIT:
        raise twilio_refusal(21623, "Number of media files exceeds allowed limit.")
    if not all(_is_address(address) for address in media):
        raise twilio_refusal(21620, "Invalid media URL(s)")


def _is_address(text: str) -> bool:
    parts = urlsplit(text)
    return parts.scheme in {"http", "https"} and bool(parts.hostname)


def _plan(ledger: Ledger, behaviour: Behaviour, from_: str, to: str, *, is_template: bool) -> dict[str, Any]:
    """Which statuses will be told. Words outside the window are taken, and fail a moment later."""
    if to.startswith("whatsapp:") and not is_template and _is_window_closed(ledger, from_, to):
        return {"plan": "failed", "code": OUTSIDE_WINDOW}
    code = UNDELIVERED if behaviour.code == WINDOW_CLOSED else behaviour.code
    return {"plan": behaviour.statuses, "code": code}


def _is_window_closed(ledger: Ledger, ours: str, theirs: str) -> bool:
    """Somebody who never wrote to the simulator may have written to the demo before it: they are taken at our word."""
    times = [text.at for text in ledger.texts.values() if text.direction == "inbound" and text.from_ == theirs]
    return bool(times) and max(times) < time.time() - WINDOW_SECONDS


def refuse(fail: str, behaviour: Behaviour) -> None:
    """Raises what the provider was told to answer, when it is a refusal. A closed window shows only later."""
    if fail in {"429", "409"}:
        raise twilio_refusal(
            20429, "Too Many Requests", status=429, headers={"Retry-After": str(behaviour.retry_after)}
        )
    if fail == "500":
        raise twilio_refusal(20500, "Internal Server Error", status=500)
    if fail == "code":
        raise twilio_refusal(behaviour.code, "As the simulator was told.")


# --- What it tells of a message -----------------------------------------------------------------------------


def status_of(ledger: Ledger, text: Text) -> str:
    if text.direction == "inbound":
        return "received"
    told = {name for name, _ in ledger.states_of(text)}
    ladder = ("failed", "undelivered", "read", "delivered", "sent")
    first = "accepted" if text.service else "queued"
    return next((name for name in ladder if name in told), first)


def resource(ledger: Ledger, text: Text, *, fresh: bool = False) -> JSON:
    """`fresh` is the answer to the send itself, before anything happened."""
    status = ("accepted" if text.service else "queued") if fresh else status_of(ledger, text)
    failed = status in {"failed", "undelivered"}
    uri = f"/{VERSION}/Accounts/{text.account}/Messages/{text.id}"
    times = [at for _, at in ledger.states_of(text)]
    sent_at = text.at if text.direction == "inbound" else next(iter(times), None)
    waits = bool(text.service) and status == "accepted"
    return {
        "account_sid": text.account,
        "api_version": VERSION,
        "body": text.body,
        "date_created": _date(text.at),
        "date_sent": None if fresh or sent_at is None else _date(sent_at),
        "date_updated": _date(max([text.at, *times])),
        "direction": text.direction,
        "error_code": text.code if failed else None,
        "error_message": None,
        "from": None if waits else text.from_,
        "messaging_service_sid": text.service or None,
        "num_media": str(len(text.media) or int("MediaUrl" in text.more)),
        "num_segments": "0" if waits else str(segments(text.body)),
        "price": None,
        "price_unit": None,
        "sid": text.id,
        "status": status,
        "subresource_uris": {"media": f"{uri}/Media.json"},
        "to": text.to,
        "uri": f"{uri}.json",
    }


def segments(body: str) -> int:
    alone, joined = (160, 153) if _GSM.fullmatch(body) else (70, 67)
    return 1 if len(body) <= alone else -(-len(body) // joined)


def _date(at: float) -> str:
    return format_datetime(datetime.fromtimestamp(int(at), UTC))


# --- The list ---------------------------------------------------------------------------------------------


def listing(ledger: Ledger, account: Account, call: Call) -> Reply:
    """Newest first, in pages. As over there, what it does not know among the parameters is passed over."""
    size = _size(call.query.get("PageSize", ""))
    rows = [text for text in ledger.texts.values() if text.account == account.sid and _is_wanted(text, call.query)]
    rows.sort(key=lambda text: text.at)  # stable: of one moment, in the order they came
    rows.reverse()
    start = _start(rows, call.query.get("PageToken", ""))
    page, number = rows[start : start + size], _whole(call.query.get("Page", "0"))
    path = f"/{VERSION}/Accounts/{account.sid}/Messages.json"
    kept = {name: value for name, value in call.query.items() if name not in {"Page", "PageToken", "PageSize"}}
    kept["PageSize"] = str(size)

    def uri(**more: str) -> str:
        return f"{path}?{urlencode(kept | more)}"

    is_last = start + size >= len(rows)
    return Reply(
        {
            "messages": [resource(ledger, text) for text in page],
            "page": number,
            "page_size": size,
            "start": start,
            "end": start + len(page) - 1,
            "uri": uri(Page=str(number)),
            "first_page_uri": uri(Page="0"),
            "next_page_uri": None if is_last else uri(Page=str(number + 1), PageToken=f"PA{page[-1].id}"),
            "previous_page_uri": None,
        }
    )


def _start(rows: list[Text], token: str) -> int:
    if not token:
        return 0
    places = [place for place, text in enumerate(rows) if f"PA{text.id}" == token]
    if not places:
        raise twilio_refusal(20001, "Invalid PageToken")
    return places[0] + 1


def _size(text: str) -> int:
    size = _whole(text or str(PAGE))
    if not 1 <= size <= PAGE_LIMIT:
        raise twilio_refusal(20001, f"Page size must be from 1 to {PAGE_LIMIT}")
    return size


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise twilio_refusal(20001, "Invalid page")
    return int(text)


def _is_wanted(text: Text, query: Mapping[str, str]) -> bool:
    if any(name in query and query[name] != value for name, value in (("To", text.to), ("From", text.from_))):
        return False
    at = int(text.at)
    return all(fits(at, _instant(query[name])) for name, fits in _DATES.items() if query.get(name))


def _instant(value: str) -> float:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise twilio_refusal(20001, f"Invalid date {value}") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


# `DateSent>=…` in an address is a parameter named `DateSent>`.
_DATES: Mapping[str, Callable[[int, float], bool]] = {
    "DateSent": lambda at, day: day <= at < day + 86400,
    "DateSent>": lambda at, since: at >= since,
    "DateSent<": lambda at, until: at <= until,
}


# --- Media and contents -------------------------------------------------------------------------------------


def media_resource(text: Text, file: File) -> JSON:
    return {
        "sid": file.id,
        "account_sid": text.account,
        "parent_sid": text.id,
        "content_type": file.content_type,
        "date_created": _date(text.at),
        "date_updated": _date(text.at),
        "uri": f"/{VERSION}/Accounts/{text.account}/Messages/{text.id}/Media/{file.id}.json",
    }


def content_resource(content: Content, account: Account) -> JSON:
    day = "2025-11-20T20:00:00Z"
    url = f"https://content.twilio.com/v1/Content/{content.sid}"
    return {
        "sid": content.sid,
        "account_sid": account.sid,
        "friendly_name": content.name,
        "language": content.language,
        "variables": content.variables,
        "types": content.types,
        "date_created": day,
        "date_updated": day,
        "url": url,
        "links": {"approval_create": f"{url}/ApprovalRequests/whatsapp", "approval_fetch": f"{url}/ApprovalRequests"},
    }


def approval(content: Content) -> JSON:
    return {
        "sid": content.sid,
        "whatsapp": {
            "name": content.name,
            "category": content.category,
            "content_type": next(iter(content.types)),
            "status": "approved",
            "rejection_reason": "",
            "allow_category_change": True,
        },
    }
