"""WhatsApp through Kapso's proxy: send, look up what was sent, mark as read, list templates, check the connection.

The provider knows no idempotency key. A send whose outcome is unknown (`ProviderError.maybe_sent`) must be looked up
with `find_sent` before it is repeated.
"""

import re
import secrets
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings

from inbox.clients import kapso_content as content
from inbox.clients.kapso_errors import error_from, explain
from inbox.clients.kapso_sent import Sought
from inbox.clients.kapso_templates import read_template
from inbox.clients.outgoing import Accepted, Connection, ListedTemplate, Outgoing, Throttle, Upload
from jobs import http
from jobs.errors import ProviderError

if TYPE_CHECKING:
    from inbox.models import Channel

__all__ = ["Accepted", "Connection", "KapsoClient", "explain"]

API_PATH = "/meta/whatsapp/v24.0"
PAGE = 100  # the most that the list gives at once
# A busy number sends 80 a second at most; a look-up reaches back a minute or so.
PAGES_AT_MOST = 60
# How far the provider's clock and ours may be apart.
CLOCK_SKEW = timedelta(seconds=60)
UPLOAD_SECONDS = 120.0
BEST_EFFORT_SECONDS = 5.0
THROTTLES = {
    **dict.fromkeys(("4", "80007", "130429", "131048", "http_429"), Throttle.CHANNEL),
    "131056": Throttle.PERSON,
}


@dataclass(frozen=True, slots=True)
class KapsoClient:
    by_link: ClassVar[bool] = False

    api_key: str
    phone_number_id: str
    business_account_id: str = ""

    @classmethod
    def of(cls, channel: "Channel") -> "KapsoClient":
        return cls(
            api_key=str(channel.credentials.get("api_key", "")),
            phone_number_id=channel.identifier,
            business_account_id=str(channel.settings.get("business_account_id", "")),
        )

    def send(self, message: Outgoing) -> Accepted:
        """`to` is a number in any dress or a business-scoped user id."""
        body = {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            **content.addressed(message.to),
            **content.content_of(message),
            "biz_opaque_callback_data": message.callback_data,
        }
        answer = self._post("messages", body)
        sent, contact = (content.first(answer.json(), name) for name in ("messages", "contacts"))
        provider_id = content.text(sent.get("id"))
        if not provider_id:
            raise _unreadable(maybe_sent=True)
        return Accepted(provider_id, content.text(contact.get("wa_id")))

    def find_sent(self, message: Outgoing, *, since: datetime, known: Collection[str] = ()) -> Accepted | None:
        """Where the list carries callback data, that alone decides. Where it does not, the oldest message with the same
        recipient and the same content counts, so that with `known` an earlier "ok" is not taken for this one."""
        earliest = since - CLOCK_SKEW
        sought = Sought(message, earliest, known)
        for row in self._sent_since(earliest):
            if sought.is_surely(row):
                return sought.accepted(row)
            sought.weigh(row)
        return sought.likeliest()

    def upload(self, upload: Upload) -> str:
        """Repeating it does no harm: a file that is not sent is forgotten after a month."""
        mark = secrets.token_hex(16)
        head, tail = content.form_around(upload, mark)
        length = len(head) + upload.size + len(tail)

        def body() -> Iterator[bytes]:
            yield head
            yield from upload.chunks()
            yield tail

        response = http.request(
            "POST",
            self._url(self.phone_number_id, "media"),
            headers={
                **self._headers(),
                "Content-Type": f"multipart/form-data; boundary={mark}",
                "Content-Length": str(length),
            },
            content=body(),
            timeout=UPLOAD_SECONDS,
        )
        _check(response, changes_something=False)
        answer = response.json()
        media_id = content.text(answer.get("id")) if isinstance(answer, dict) else ""
        if not media_id:
            raise _unreadable(maybe_sent=False)
        return media_id

    def mark_read(self, provider_id: str, *, typing: bool = False) -> None:
        body: dict[str, Any] = {"messaging_product": "whatsapp", "status": "read", "message_id": provider_id}
        if typing:
            body["typing_indicator"] = {"type": "text"}
        self._post("messages", body, timeout=BEST_EFFORT_SECONDS)

    def list_templates(self) -> list[ListedTemplate]:
        rows = self._pages(self._url(self.business_account_id, "message_templates"), {"limit": PAGE})
        return [template for row in rows if (template := read_template(row))]

    def check_connection(self) -> Connection:
        """Raises ProviderError with a sentence for the settings page when key or number are not right."""
        answer = self._get(self._url(self.phone_number_id), {"fields": "id,display_phone_number,verified_name"})
        return Connection(
            account=content.text(answer.get("id")) or self.phone_number_id,
            phone=content.text(answer.get("display_phone_number")),
            name=content.text(answer.get("verified_name")),
        )

    def throttle_of(self, code: str) -> Throttle | None:
        return THROTTLES.get(code)

    # --- Calling ------------------------------------------------------------------------------------------

    def _url(self, *path: str) -> str:
        for part in path:
            # It comes from a channel's settings, where an admin typed it.
            if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", part, re.ASCII):
                raise ProviderError(
                    "The channel's id at the provider is not one. An admin must check it.",
                    permanent=True,
                    code="bad_channel",
                )
        return "/".join((settings.KAPSO_API_URL + API_PATH, *path))

    def _headers(self) -> dict[str, str]:
        if not self.api_key or not self.api_key.isascii() or not self.api_key.isprintable():
            raise ProviderError(
                "This channel has no usable API key. An admin must enter it.", permanent=True, code="no_key"
            )
        return {"X-API-Key": self.api_key, "Accept": "application/json"}

    def _post(self, what: str, body: dict[str, Any], *, timeout: float = http.SECONDS) -> http.Response:
        url = self._url(self.phone_number_id, what)
        response = http.request("POST", url, headers=self._headers(), json=body, timeout=timeout)
        return _check(response, changes_something=True)

    def _get(self, url: str, params: Mapping[str, str | int]) -> Mapping[str, Any]:
        response = http.request("GET", url, headers=self._headers(), params=params)
        answer = _check(response, changes_something=False).json()
        if not isinstance(answer, dict):
            raise _unreadable(maybe_sent=False)
        return answer

    def _sent_since(self, since: datetime) -> Iterator[Mapping[str, Any]]:
        return self._pages(
            self._url(self.phone_number_id, "messages"),
            {
                "direction": "outbound",
                "since": since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
                "limit": PAGE,
                "fields": "kapso(default)",
            },
        )

    def _pages(self, url: str, params: Mapping[str, str | int]) -> Iterator[Mapping[str, Any]]:
        """All rows, page by page. Never ends early without saying so."""
        asked = dict(params)
        seen: set[str] = set()
        for _ in range(PAGES_AT_MOST):
            page = self._get(url, asked)
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
            asked["after"] = cursor
        raise ProviderError("The provider's list does not end.", permanent=False, code="endless_list")


def _next_cursor(page: Mapping[str, Any], *, full: bool) -> str:
    """The cursor after this page. `next` is seen as a cursor and as an address; null says that this was the last."""
    paging = page.get("paging")
    if not isinstance(paging, dict):
        return ""
    cursors = paging.get("cursors")
    after = content.text(cursors.get("after")) if isinstance(cursors, dict) else ""
    has_next = bool(paging["next"]) if "next" in paging else full
    return after if has_next else ""


def _check(response: http.Response, *, changes_something: bool) -> http.Response:
    if 200 <= response.status < 300:
        return response
    raise error_from(
        status=response.status,
        content=response.content,
        retry_after=response.retry_after,
        changes_something=changes_something,
    )


def _unreadable(*, maybe_sent: bool) -> ProviderError:
    return ProviderError(
        "The provider's answer could not be read.", permanent=False, code="unreadable_answer", maybe_sent=maybe_sent
    )
