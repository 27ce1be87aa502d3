"""WhatsApp through Kapso's proxy: send, look up what was sent, check the connection.

The provider knows no idempotency key. A send whose outcome is unknown (`ProviderError.maybe_sent`) must be looked up
with `find_sent` before it is repeated.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings

from crm import phones
from inbox.clients.kapso_errors import error_from, explain
from jobs import http
from jobs.errors import ProviderError

__all__ = ["Accepted", "Connection", "check_connection", "explain", "find_sent", "send_text"]

API_PATH = "/meta/whatsapp/v24.0"
PAGE = 100  # the most that the list gives at once
# A busy number sends 80 a second at most; a look-up reaches back a minute or so.
PAGES_AT_MOST = 60
# How far the provider's clock and ours may be apart.
CLOCK_SKEW = timedelta(seconds=60)
_BSUID = re.compile(r"[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider has it. Whether it arrives is told by statuses later."""

    provider_id: str
    wa_id: str  # what the provider made of the number: may differ from what was dialled


@dataclass(frozen=True, slots=True)
class Connection:
    phone_number_id: str
    phone: str
    verified_name: str


def send_text(
    *,
    api_key: str,
    phone_number_id: str,
    to: str,
    body: str,
    reply_to: str | None = None,
    callback_data: str,
) -> Accepted:
    """`to` is a number in any dress or a business-scoped user id; `callback_data` is our own id of the message."""
    message: dict[str, Any] = {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        **_addressed(to),
        "type": "text",
        "text": {"body": body},
        "biz_opaque_callback_data": callback_data,
    }
    if reply_to:
        message["context"] = {"message_id": reply_to}
    response = http.request("POST", _url(phone_number_id, "messages"), headers=_headers(api_key), json=message)
    if not 200 <= response.status < 300:
        raise _refusal(response, changes_something=True)
    return _accepted(response)


def find_sent(
    *,
    api_key: str,
    phone_number_id: str,
    to: str,
    since: datetime,
    callback_data: str,
    body: str,
    known: Collection[str] = (),
) -> Accepted | None:
    """Whether a send that began at `since` was taken. None means that the whole list was read and it is not there.

    Where the list carries callback data, that alone decides. Where it does not, the oldest message with the same
    recipient and the same words counts; pass the ids of messages that are accounted for as `known`, so that an
    earlier "ok" is not taken for this one.
    """
    look_alikes: list[tuple[float, Accepted]] = []
    earliest = since - CLOCK_SKEW
    for message in _list(api_key, phone_number_id, earliest):
        provider_id = _text(message.get("id"))
        if not provider_id:
            continue
        echoed = _callbacks(message)
        if callback_data in echoed:
            return Accepted(provider_id, _recipient(message))
        at = _epoch(message)
        if echoed or provider_id in known or at < earliest.timestamp():
            continue
        if _words(message) == body.strip() and _is_same_person(_recipient(message), to):
            look_alikes.append((at, Accepted(provider_id, _recipient(message))))
    # Times are whole seconds and the list is newest first: of two in one second the later entry is the older.
    return min(reversed(look_alikes), key=lambda found: found[0])[1] if look_alikes else None


def check_connection(*, api_key: str, phone_number_id: str) -> Connection:
    """Raises ProviderError with a sentence for the settings page when key or number are not right."""
    answer = _get(api_key, _url(phone_number_id), {"fields": "id,display_phone_number,verified_name"})
    return Connection(
        phone_number_id=_text(answer.get("id")) or phone_number_id,
        phone=_text(answer.get("display_phone_number")),
        verified_name=_text(answer.get("verified_name")),
    )


# --- Calling ----------------------------------------------------------------------------------------------


def _url(*path: str) -> str:
    for part in path:
        # It comes from a channel's settings, where an admin typed it.
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", part, re.ASCII):
            raise ProviderError(
                "The channel's phone number id is not one. An admin must check it.", permanent=True, code="bad_channel"
            )
    return "/".join((settings.KAPSO_API_URL + API_PATH, *path))


def _headers(api_key: str) -> dict[str, str]:
    if not api_key or not api_key.isascii() or not api_key.isprintable():
        raise ProviderError(
            "This channel has no usable API key. An admin must enter it.", permanent=True, code="no_key"
        )
    return {"X-API-Key": api_key, "Accept": "application/json"}


def _addressed(to: str) -> dict[str, str]:
    """A number always with its plus: without, Meta may put the business's own country code before it."""
    if _BSUID.fullmatch(to):
        return {"recipient": to}
    digits = re.sub(r"[^0-9]", "", to)
    if not 5 <= len(digits) <= 15:
        raise ProviderError("There is no WhatsApp number to send this to.", permanent=True, code="no_recipient")
    return {"to": f"+{digits}"}


def _get(api_key: str, url: str, params: Mapping[str, str | int]) -> Mapping[str, Any]:
    response = http.request("GET", url, headers=_headers(api_key), params=params)
    if not 200 <= response.status < 300:
        raise _refusal(response, changes_something=False)
    answer = response.json()
    if not isinstance(answer, dict):
        raise _unreadable(maybe_sent=False)
    return answer


def _list(api_key: str, phone_number_id: str, since: datetime) -> Iterator[Mapping[str, Any]]:
    """Everything outbound since then, page by page. Never ends early without saying so."""
    url = _url(phone_number_id, "messages")
    params: dict[str, str | int] = {
        "direction": "outbound",
        "since": since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "limit": PAGE,
        "fields": "kapso(default)",
    }
    seen: set[str] = set()
    for _ in range(PAGES_AT_MOST):
        page = _get(api_key, url, params)
        rows = page.get("data")
        if not isinstance(rows, list):
            raise _unreadable(maybe_sent=False)
        yield from (row for row in rows if isinstance(row, dict))
        cursor = _next_cursor(page, full=len(rows) >= PAGE)
        if not cursor or not rows:
            return
        if cursor in seen:
            break
        seen.add(cursor)
        params["after"] = cursor
    raise ProviderError("The provider's list of sent messages does not end.", permanent=False, code="endless_list")


def _next_cursor(page: Mapping[str, Any], *, full: bool) -> str:
    """The cursor after this page. `next` is seen as a cursor and as an address; null says that this was the last."""
    paging = page.get("paging")
    if not isinstance(paging, dict):
        return ""
    cursors = paging.get("cursors")
    after = _text(cursors.get("after")) if isinstance(cursors, dict) else ""
    has_next = bool(paging["next"]) if "next" in paging else full
    return after if has_next else ""


def _refusal(response: http.Response, *, changes_something: bool) -> ProviderError:
    return error_from(
        status=response.status,
        content=response.content,
        retry_after=response.retry_after,
        changes_something=changes_something,
    )


def _unreadable(*, maybe_sent: bool) -> ProviderError:
    return ProviderError(
        "The provider's answer could not be read.", permanent=False, code="unreadable_answer", maybe_sent=maybe_sent
    )


# --- Reading answers --------------------------------------------------------------------------------------


def _accepted(response: http.Response) -> Accepted:
    answer = response.json()
    message, contact = (_first(answer, name) for name in ("messages", "contacts"))
    provider_id = _text(message.get("id"))
    if not provider_id:
        raise _unreadable(maybe_sent=True)
    return Accepted(provider_id, _text(contact.get("wa_id")))


def _first(answer: Any, name: str) -> Mapping[str, Any]:
    rows = answer.get(name) if isinstance(answer, dict) else None
    row = rows[0] if isinstance(rows, list) and rows else None
    return row if isinstance(row, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _extension(message: Mapping[str, Any]) -> Mapping[str, Any]:
    kapso = message.get("kapso")
    return kapso if isinstance(kapso, dict) else {}


def _callbacks(message: Mapping[str, Any]) -> set[str]:
    statuses = _extension(message).get("statuses")
    places = [message, _extension(message), *(statuses if isinstance(statuses, list) else [])]
    found = (_text(place.get("biz_opaque_callback_data")) for place in places if isinstance(place, dict))
    return {data for data in found if data}


def _recipient(message: Mapping[str, Any]) -> str:
    return _text(message.get("to")) or _text(message.get("recipient")) or _text(_extension(message).get("phone_number"))


def _words(message: Mapping[str, Any]) -> str:
    content = message.get("text")
    return _text(content.get("body")).strip() if isinstance(content, dict) else ""


def _epoch(message: Mapping[str, Any]) -> float:
    """When the provider took it; what has no readable time counts as just now, which the list's own filter allows."""
    try:
        return float(message.get("timestamp") or "inf")
    except (TypeError, ValueError):
        return float("inf")


def _is_same_person(listed: str, to: str) -> bool:
    """Meta may turn a Brazilian, Mexican or Argentine number into its other form."""
    if _BSUID.fullmatch(to) or _BSUID.fullmatch(listed):
        return listed == to
    one, other = phones.from_international(listed), phones.from_international(to)
    return bool(one and other and set(phones.lookup_keys(one)) & set(phones.lookup_keys(other)))
