"""SMS and WhatsApp through Twilio: send, look up what was sent, list content templates, check the account.

Twilio knows no idempotency key and hands none of our ids back in its list. A send whose outcome is unknown must be
looked up with `find_sent` before it is repeated; it is found by who, what and when.
"""

import base64
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlencode, urlsplit

import orjson
from django.conf import settings

from inbox.clients.outgoing import Accepted, Connection, Kind, ListedTemplate, Outgoing, Throttle, Upload
from inbox.clients.twilio_errors import error_from, explain
from inbox.clients.twilio_templates import read_template
from inbox.windows import WHATSAPP
from jobs import http
from jobs.errors import ProviderError

if TYPE_CHECKING:
    from inbox.models import Channel

__all__ = ["TwilioClient", "explain", "status_callback"]

PAGE = 100
PAGES_AT_MOST = 50
# How far Twilio's clock and ours may be apart.
CLOCK_SKEW = timedelta(seconds=60)
# Twilio's own host for templates; a simulator has both under one address.
API_HOST, CONTENT_HOST = "https://api.twilio.com", "https://content.twilio.com"
# Try five times, whatever went wrong: by itself Twilio repeats a report only when it could not connect.
PATIENCE = "#rc=5&rp=all"
THROTTLES = dict.fromkeys(("14107", "20429", "21611", "30001", "30022", "63018", "http_429"), Throttle.CHANNEL)


def status_callback(slug: str) -> str:
    return f"{settings.PUBLIC_URL}/webhooks/twilio/{slug}/status{PATIENCE}"


@dataclass(frozen=True, slots=True)
class TwilioClient:
    by_link: ClassVar[bool] = True

    account_sid: str
    user: str  # the account's sid with its token, or an API key's with its secret
    password: str
    phone: str
    messaging_service_sid: str = ""
    callback: str = ""

    @classmethod
    def of(cls, channel: "Channel") -> "TwilioClient":
        secrets = channel.credentials
        tokens = secrets.get("auth_tokens") or [secrets.get("auth_token", "")]
        key_sid, key_secret = (str(secrets.get(name) or "") for name in ("api_key_sid", "api_key_secret"))
        has_key = bool(key_sid and key_secret)
        return cls(
            account_sid=channel.identifier,
            user=key_sid if has_key else channel.identifier,
            password=key_secret if has_key else str(tokens[0]),
            phone=channel.phone,
            messaging_service_sid=str(channel.settings.get("messaging_service_sid") or ""),
            callback=status_callback(channel.slug),
        )

    def send(self, message: Outgoing) -> Accepted:
        form = [("To", _address(message.to)), self._sender(message.to), *_content(message)]
        if self.callback:
            form.append(("StatusCallback", self.callback))
        response = http.request(
            "POST",
            self._url("Messages.json"),
            headers={**self._headers(), "Content-Type": "application/x-www-form-urlencoded"},
            content=urlencode(form).encode(),
        )
        answer = _check(response, changes_something=True).json()
        sid = answer.get("sid") if isinstance(answer, dict) else None
        if not isinstance(sid, str) or not sid:
            raise _unreadable(maybe_sent=True)
        return Accepted(sid, _text(answer.get("to")).removeprefix(WHATSAPP).lstrip("+"))

    def find_sent(self, message: Outgoing, *, since: datetime, known: Collection[str] = ()) -> Accepted | None:
        """The oldest message to the same person with the same content that nobody else accounts for."""
        earliest = since - CLOCK_SKEW
        alike: list[tuple[datetime, str]] = []
        for row in self._sent_to(message.to, earliest):
            sid, at = _text(row.get("sid")), _moment(row.get("date_created"))
            if sid and sid not in known and at >= earliest and _is_ours(row, message):
                alike.append((at, sid))
        # Times are whole seconds and the list is newest first: of two in one second the later entry is the older.
        return Accepted(min(reversed(alike), key=lambda found: found[0])[1]) if alike else None

    def upload(self, upload: Upload) -> str:
        raise ProviderError("Twilio fetches files by their address.", permanent=True, code="no_upload")

    def mark_read(self, provider_id: str, *, typing: bool = False) -> None:
        """Twilio has neither."""

    def list_templates(self) -> list[ListedTemplate]:
        try:
            rows = list(self._pages(f"{_content_base()}/v1/ContentAndApprovals", {"PageSize": PAGE}, "contents"))
        except ProviderError as error:
            if error.code not in {"20404", "http_404"}:
                raise
            rows = list(self._pages(f"{_content_base()}/v1/Content", {"PageSize": PAGE}, "contents"))
        return [template for row in rows if (template := read_template(row))]

    def check_connection(self) -> Connection:
        """Raises ProviderError with a sentence for the settings page when account or token are not right."""
        answer = self._get(f"{settings.TWILIO_API_URL}/2010-04-01/Accounts/{self._account()}.json")
        return Connection(
            account=_text(answer.get("sid")) or self.account_sid,
            phone=self.phone,
            name=_text(answer.get("friendly_name")),
        )

    def throttle_of(self, code: str) -> Throttle | None:
        return THROTTLES.get(code)

    # --- Calling ------------------------------------------------------------------------------------------

    def _account(self) -> str:
        # It comes from a channel's settings, where an admin typed it.
        if not re.fullmatch(r"[A-Za-z0-9]{1,64}", self.account_sid, re.ASCII):
            raise ProviderError(
                "The channel's Twilio account is not one. An admin must check it.", permanent=True, code="bad_channel"
            )
        return self.account_sid

    def _url(self, *path: str) -> str:
        return "/".join((settings.TWILIO_API_URL, "2010-04-01", "Accounts", self._account(), *path))

    def _headers(self) -> dict[str, str]:
        if not self.password or not f"{self.user}{self.password}".isascii() or ":" in self.user:
            raise ProviderError(
                "This channel has no usable auth token. An admin must enter it.", permanent=True, code="no_key"
            )
        pair = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        return {"Authorization": f"Basic {pair}", "Accept": "application/json"}

    def _sender(self, to: str) -> tuple[str, str]:
        # A messaging service picks among its SMS numbers; on WhatsApp people know us by one number.
        if self.messaging_service_sid and not to.startswith(WHATSAPP):
            return "MessagingServiceSid", self.messaging_service_sid
        return "From", self._from(to)

    def _from(self, to: str) -> str:
        if not self.phone:
            raise ProviderError("This channel has no number. An admin must enter it.", permanent=True, code="no_sender")
        return f"{WHATSAPP}{self.phone}" if to.startswith(WHATSAPP) else self.phone

    def _get(self, url: str, params: Mapping[str, str | int] | None = None) -> Mapping[str, Any]:
        response = http.request("GET", url, headers=self._headers(), params=params)
        answer = _check(response, changes_something=False).json()
        if not isinstance(answer, dict):
            raise _unreadable(maybe_sent=False)
        return answer

    def _sent_to(self, to: str, earliest: datetime) -> Iterator[Mapping[str, Any]]:
        """By whole days, the only grain that Twilio documents for this filter."""
        params: dict[str, str | int] = {
            "To": _address(to),
            "DateSent>": earliest.astimezone(UTC).strftime("%Y-%m-%d"),
            "PageSize": PAGE,
        }
        name, value = self._sender(to)
        if name == "From":
            params["From"] = value
        return self._pages(self._url("Messages.json"), params, "messages")

    def _pages(self, url: str, params: Mapping[str, str | int], name: str) -> Iterator[Mapping[str, Any]]:
        """All rows, page by page. Never ends early without saying so."""
        page = self._get(url, params)
        seen = {url}
        for _ in range(PAGES_AT_MOST):
            rows = page.get(name)
            if not isinstance(rows, list):
                raise _unreadable(maybe_sent=False)
            yield from (row for row in rows if isinstance(row, dict))
            following = _following(page, url)
            if not following or not rows:
                return
            if following in seen:
                break
            seen.add(following)
            page = self._get(following)
        raise ProviderError("The provider's list does not end.", permanent=False, code="endless_list")


def _following(page: Mapping[str, Any], url: str) -> str:
    """The 2010 API names the next page by its path, the newer ones by its address. Only ever on the same host."""
    meta = page.get("meta")
    given = _text(page.get("next_page_uri")) or (_text(meta.get("next_page_url")) if isinstance(meta, dict) else "")
    if not given:
        return ""
    base, target = urlsplit(url), urlsplit(given)
    query = f"?{target.query}" if target.query else ""
    return f"{base.scheme}://{base.netloc}{target.path}{query}"


def _content_base() -> str:
    return CONTENT_HOST if settings.TWILIO_API_URL == API_HOST else settings.TWILIO_API_URL


def _address(to: str) -> str:
    """As it came, with the plus that a number needs."""
    prefix = WHATSAPP if to.startswith(WHATSAPP) else ""
    rest = to.removeprefix(WHATSAPP).strip()
    digits = re.sub(r"[^0-9]", "", rest)
    if prefix and not re.fullmatch(r"[+0-9().\s-]+", rest):
        return to  # someone without a number is reached by the id they wrote from
    if not 3 <= len(digits) <= 15:
        raise ProviderError("There is no number to send this to.", permanent=True, code="no_recipient")
    is_short_code = len(digits) < 7 and not rest.startswith("+")
    return f"{prefix}{digits}" if is_short_code else f"{prefix}+{digits}"


def _content(message: Outgoing) -> list[tuple[str, str]]:
    if message.kind == Kind.REACTION:
        raise ProviderError("This channel has no reactions.", permanent=True, code="not_supported")
    if message.kind == Kind.TEMPLATE and message.template:
        values = {str(variable["name"]): message.template.values[variable["key"]] for variable in _blanks(message)}
        sid = [("ContentSid", message.template.provider_id)]
        return [*sid, ("ContentVariables", orjson.dumps(values).decode())] if values else sid
    body = [("Body", message.body)] if message.body else []
    return [*body, *(("MediaUrl", media.link) for media in message.media)]


def _blanks(message: Outgoing) -> Collection[Mapping[str, Any]]:
    return message.template.variables if message.template else ()


def _is_ours(row: Mapping[str, Any], message: Outgoing) -> bool:
    """Twilio gives the text back as it was sent, but for spaces around it; of files only their number."""
    if _text(row.get("direction")) not in {"", "outbound-api"}:
        return False
    if _text(row.get("to")) and _text(row.get("to")) != _address(message.to):
        return False
    files = _text(row.get("num_media")) or "0"
    # Files are counted only once Twilio has fetched them.
    if files != str(len(message.media)) and not (message.media and files == "0"):
        return False
    return _text(row.get("body")).strip() == message.body.strip()


def _moment(value: Any) -> datetime:
    """RFC 2822; what has no readable time counts as just now, which the list's own filter allows."""
    try:
        found = parsedate_to_datetime(_text(value))
    except ValueError:
        return datetime.max.replace(tzinfo=UTC)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


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
        "Twilio's answer could not be read.", permanent=False, code="unreadable_answer", maybe_sent=maybe_sent
    )
