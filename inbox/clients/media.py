"""Files that customers sent, fetched from their provider. Addresses are secrets: never logged, never in an error."""

import base64
from typing import IO, Any
from urllib.parse import urlsplit

from django.conf import settings

from jobs import http
from jobs.errors import ProviderError

MAX_BYTES = 100 * 1024 * 1024
KAPSO_HOSTS = frozenset({"app.kapso.ai", "api.kapso.ai"})
GRAPH = "meta/whatsapp/v24.0"
TWILIO_HOST = "api.twilio.com"
TWILIO_HOSTS = ".twilio.com"
_REASONS = {
    401: ("refused", "The provider does not let us have it. Check the channel's key."),
    403: ("refused", "The provider does not let us have it. Check the channel's key."),
    404: ("gone", "The provider no longer has it, or not yet."),
    410: ("gone", "The provider no longer has it."),
}


def fetch_kapso(*, url: str, media_id: str, api_key: str, phone_number_id: str, into: IO[bytes]) -> None:
    """From the address that came with the message; where that does not work, from one that the API gives for the id."""
    if _is_kapso(url):
        try:
            _get(url, into)
        except ProviderError as error:
            if not media_id or error.code == "too_large":
                raise
            into.seek(0)
            into.truncate()
        else:
            return
    if not media_id:
        raise _without_address()
    _get(_kapso_address(media_id, api_key, phone_number_id), into)


def _is_kapso(url: str) -> bool:
    """Its own hosts alone; where they redirect to, its storage, is not known beforehand."""
    base, given = urlsplit(settings.KAPSO_API_URL), urlsplit(url)
    if (given.scheme, given.netloc) == (base.scheme, base.netloc):
        return True
    return given.scheme == "https" and given.hostname in KAPSO_HOSTS


def _kapso_address(media_id: str, api_key: str, phone_number_id: str) -> str:
    """One that works for minutes and needs no key."""
    if not media_id.replace("_", "").replace("-", "").replace(".", "").isalnum() or media_id.strip(".") == "":
        raise _without_address()
    answer = http.request(
        "GET",
        f"{settings.KAPSO_API_URL}/{GRAPH}/{media_id}",
        headers={"X-API-Key": api_key},
        params={"phone_number_id": phone_number_id},
    )
    _check(answer)
    found: Any = answer.json()
    address = (found.get("download_url") or found.get("url")) if isinstance(found, dict) else None
    if not isinstance(address, str) or not address:
        raise _without_address()
    return address


def fetch_twilio(*, url: str, user: str, password: str, into: IO[bytes]) -> None:
    """The account's credentials go to the API's own host, and nowhere it redirects to."""
    address = _twilio_address(url)
    base, target = urlsplit(settings.TWILIO_API_URL), urlsplit(address)
    is_api = (target.scheme, target.netloc) == (base.scheme, base.netloc)
    coded = base64.b64encode(f"{user}:{password}".encode()).decode()
    _get(address, into, {"Authorization": f"Basic {coded}"} if is_api else {})


def _twilio_address(url: str) -> str:
    """The API's usual host stands for wherever the API is; other hosts must be Twilio's."""
    base, given = urlsplit(settings.TWILIO_API_URL), urlsplit(url)
    if not url:
        raise _without_address()
    if given.scheme == "https" and given.netloc == TWILIO_HOST:
        return settings.TWILIO_API_URL + given.path + (f"?{given.query}" if given.query else "")
    if (given.scheme, given.netloc) == (base.scheme, base.netloc):
        return url
    if given.scheme == "https" and (given.hostname or "").endswith(TWILIO_HOSTS):
        return url
    raise ProviderError("Its address is not the provider's.", permanent=True, code="foreign_host")


def _get(url: str, into: IO[bytes], headers: dict[str, str] | None = None) -> None:
    _check(http.download(url, into, headers=headers, max_bytes=MAX_BYTES))


def _check(answer: http.Response) -> None:
    if answer.status == 200:
        return
    code, reason = _REASONS.get(answer.status, (f"http_{answer.status}", "The provider did not hand it out."))
    raise ProviderError(reason, permanent=answer.status == 410, code=code, retry_after=answer.retry_after)


def _without_address() -> ProviderError:
    return ProviderError("The provider did not say where it is.", permanent=True, code="no_address")
