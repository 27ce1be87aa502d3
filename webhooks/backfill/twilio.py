"""Twilio's list of a number's messages, both ways and on both its channels, as the forms that its webhooks are."""

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, ClassVar
from urllib.parse import urlencode, urlsplit

from django.conf import settings

from inbox.clients.twilio_errors import error_from
from inbox.models import Channel
from jobs import http
from jobs.errors import ProviderError
from webhooks.backfill.pages import CUT, Letter, Page, Row, answer_of, text, unreadable

PAGE = 100
WHATSAPP = "whatsapp:"
FORM = "application/x-www-form-urlencoded"
# A status of the list, and the rungs that it says were climbed. What has not left yet tells nothing.
CLIMBED = {
    "sent": ("sent",),
    "partially_delivered": ("sent",),
    "delivered": ("sent", "delivered"),
    "read": ("sent", "delivered", "read"),
    "undelivered": ("failed",),
    "failed": ("failed",),
    "canceled": ("failed",),
}
WAITING = frozenset({"accepted", "scheduled", "queued", "sending"})


@dataclass(frozen=True, slots=True)
class TwilioSource:
    """Four lists, one after the other: to our number and from it, by SMS and on WhatsApp."""

    pages_at_most: ClassVar[int] = 10

    account_sid: str
    user: str
    password: str
    phone: str

    @classmethod
    def of(cls, channel: Channel) -> "TwilioSource":
        secrets = channel.credentials
        tokens = secrets.get("auth_tokens") or [secrets.get("auth_token", "")]
        key_sid, key_secret = (str(secrets.get(name) or "") for name in ("api_key_sid", "api_key_secret"))
        has_key = bool(key_sid and key_secret)
        return cls(
            account_sid=channel.identifier,
            user=key_sid if has_key else channel.identifier,
            password=key_secret if has_key else str(tokens[0] or ""),
            phone=channel.phone,
        )

    def page(self, since: datetime, cursor: str) -> Page:
        """The cursor is which of the lists, and where in it."""
        lists = self._lists()
        number, _, onward = cursor.partition(" ")
        place = int(number or 0)
        answer = (
            self._get(onward) if onward else self._get(self._path("Messages.json"), self._params(lists[place], since))
        )
        found = answer.get("messages")
        if not isinstance(found, list):
            raise unreadable()
        rows = [row for one in found if (row := _row(one)) is not None]
        fresh = [row for row in rows if row.at >= since]
        following = _following(answer)
        if following and following == onward:
            raise ProviderError("The provider's list does not end.", permanent=False, code="endless_list")
        # Newest first, and the filter knows only days: the rest of it is older than what was asked for.
        if following and found and (fresh or not rows):
            return Page(fresh, f"{place} {following}", len(found) - len(rows))
        return Page(fresh, f"{place + 1}" if place + 1 < len(lists) else "", len(found) - len(rows))

    def complete(self, row: Row) -> Row:
        """A row tells how many files there are; which they are is a list of its own. Without it, its text counts."""
        if not row.is_inbound or not row.raw["num_media"].strip("0"):
            return row
        try:
            answer = self._get(self._path("Messages", _sid(row.provider_id), "Media.json"))
        except ProviderError as error:
            if not error.permanent:
                raise
            return row
        media = answer.get("media_list")
        if not isinstance(media, list):
            raise unreadable()
        return replace(row, raw=row.raw | {"media": [one for one in media if isinstance(one, dict)]})

    def letters(self, row: Row, states: Sequence[str]) -> list[Letter]:
        form = {"content-type": FORM}
        if row.is_inbound:
            return [Letter(f"backfill:{row.provider_id}"[:CUT], self._message(row), row.at, form)]
        return [
            Letter(f"backfill:{state}:{row.provider_id}"[:CUT], _receipt(row, state), row.raw["changed_at"], form)
            for state in states
        ]

    def _message(self, row: Row) -> bytes:
        raw = row.raw
        media = raw.get("media", [])
        form = {
            "MessageSid": row.provider_id,
            "AccountSid": self.account_sid,
            "From": raw["from"],
            "To": raw["to"],
            "Body": raw["body"],
            "NumMedia": str(len(media)),
            "SmsStatus": "received",
        }
        if raw["service"]:
            form["MessagingServiceSid"] = raw["service"]
        for place, one in enumerate(media):
            uri = text(one.get("uri")).removesuffix(".json")
            form[f"MediaUrl{place}"] = f"{settings.TWILIO_API_URL}{uri}" if uri.startswith("/") else ""
            form[f"MediaContentType{place}"] = text(one.get("content_type"))
        if raw["from"].startswith(WHATSAPP):
            form["WaId"] = raw["from"].removeprefix(WHATSAPP).lstrip("+")
        return urlencode(form).encode()

    # --- Calling ------------------------------------------------------------------------------------------

    def _lists(self) -> list[dict[str, str]]:
        if not self.phone:
            raise ProviderError("This channel has no number. An admin must enter it.", permanent=True, code="no_sender")
        return [{way: prefix + self.phone} for way in ("To", "From") for prefix in ("", WHATSAPP)]

    def _params(self, wanted: Mapping[str, str], since: datetime) -> dict[str, str | int]:
        """By whole days, the only grain that Twilio documents for this filter."""
        return {**wanted, "DateSent>": since.astimezone(UTC).strftime("%Y-%m-%d"), "PageSize": PAGE}

    def _path(self, *parts: str) -> str:
        # It comes from a channel's settings, where an admin typed it.
        if not re.fullmatch(r"[A-Za-z0-9]{1,64}", self.account_sid, re.ASCII):
            raise ProviderError(
                "The channel's Twilio account is not one. An admin must check it.", permanent=True, code="bad_channel"
            )
        return "/".join(("/2010-04-01/Accounts", self.account_sid, *parts))

    def _get(self, path: str, params: Mapping[str, str | int] | None = None) -> dict[str, Any]:
        if not self.password or not f"{self.user}{self.password}".isascii() or ":" in self.user:
            raise ProviderError(
                "This channel has no usable auth token. An admin must enter it.", permanent=True, code="no_key"
            )
        pair = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        headers = {"Authorization": f"Basic {pair}", "Accept": "application/json"}
        response = http.request("GET", f"{settings.TWILIO_API_URL}{path}", headers=headers, params=params)
        return answer_of(response, None if 200 <= response.status < 300 else _refusal(response))


def _refusal(response: http.Response) -> ProviderError:
    return error_from(
        status=response.status,
        content=response.content,
        retry_after=response.retry_after,
        changes_something=False,
    )


def _row(message: Any) -> Row | None:
    """None for what has no id or no time, or is still on its way in."""
    if not isinstance(message, dict):
        return None
    sid, status = text(message.get("sid")), text(message.get("status"))
    created = _moment(message.get("date_sent")) or _moment(message.get("date_created"))
    if not sid or created is None:
        return None
    inbound = text(message.get("direction")) == "inbound" or status in {"received", "receiving"}
    return Row(
        provider_id=sid[:CUT],
        at=created,
        is_inbound=inbound,
        states=() if inbound else CLIMBED.get(status, ()),
        is_foreign=not inbound,  # unless we know it: the list does not say who sent it
        raw={
            "from": text(message.get("from")),
            "to": text(message.get("to")),
            "body": text(message.get("body")),
            "status": status,
            "num_media": text(message.get("num_media")),
            "service": text(message.get("messaging_service_sid")),
            "error_code": str(message.get("error_code") or ""),
            "error_message": text(message.get("error_message")),
            "changed_at": _moment(message.get("date_updated")) or created,
        },
    )


def _receipt(row: Row, state: str) -> bytes:
    raw = row.raw
    word = raw["status"] if state == "failed" else state
    form = {"MessageSid": row.provider_id, "MessageStatus": word, "From": raw["from"], "To": raw["to"]}
    if state == "failed":
        form |= {"ErrorCode": raw["error_code"], "ErrorMessage": raw["error_message"]}
    return urlencode(form).encode()


def _following(answer: Mapping[str, Any]) -> str:
    """The path of the next page, which is asked for on our own base: our key goes nowhere else."""
    given = text(answer.get("next_page_uri"))
    target = urlsplit(given)
    if not given or not target.path.startswith("/2010-04-01/"):
        return ""
    return f"{target.path}?{target.query}" if target.query else target.path


def _sid(sid: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9]{1,64}", sid, re.ASCII):
        raise unreadable()
    return sid


def _moment(value: Any) -> datetime | None:
    """RFC 2822."""
    try:
        found = parsedate_to_datetime(text(value))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
