"""Tokens from the issuer: by password, by refresh token, and giving them back. Supabase over HTTP, our own directly."""

import logging
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from config.errors import TooMany
from crm.identity import trust
from crm.identity.errors import IssuerUnreachable, NotConfirmed, SessionEnded, WrongPassword
from crm.issuer import sessions as own
from crm.issuer.errors import IssuerError
from jobs import http
from jobs.errors import ProviderError

logger = logging.getLogger(__name__)

CALL_SECONDS = 3.0
LARGEST_ANSWER = 256 * 1024
API_VERSION = "2024-01-01"
WRONG_PASSWORD = {"invalid_credentials", "validation_failed", "user_banned", "user_not_found"}


@dataclass(frozen=True)
class Grant:
    access_token: str
    refresh_token: str


def by_password(email: str, password: str) -> Grant:
    """WrongPassword, NotConfirmed, TooMany or IssuerUnreachable when there is none."""
    if trust.is_own_issuer():
        return _own(lambda: own.sign_in(email, password), WrongPassword)
    status, body = _call("/token?grant_type=password", {"email": email, "password": password})
    if status == 200:
        return _grant(body)
    raise _refused_password(status, body)


def by_refresh_token(refresh_token: str) -> Grant:
    """SessionEnded when the issuer will not have it any more; IssuerUnreachable when it did not say."""
    if trust.is_own_issuer():
        return _own(lambda: own.refresh(refresh_token), SessionEnded)
    status, body = _call("/token?grant_type=refresh_token", {"refresh_token": refresh_token})
    if status == 200:
        return _grant(body)
    # Anything but a clear no (a wrong key of ours, a limit, an outage) must not sign people out.
    if status in {400, 403}:
        raise SessionEnded
    raise _unreachable(status, body)


def revoke(grant: Grant) -> None:
    """Ends this one sign-in at Supabase. ProviderError when it cannot be reached; no is an answer too."""
    if _logout(grant.access_token) in {401, 403}:  # expired meanwhile: only a fresh one is heard
        with suppress(SessionEnded, IssuerUnreachable):
            _logout(by_refresh_token(grant.refresh_token).access_token)


def _own(sign: Any, refusal: type[WrongPassword | SessionEnded]) -> Grant:
    try:
        issued: own.Issued = sign()
    except IssuerError as refused:
        raise (NotConfirmed if refused.code == "email_not_confirmed" else refusal) from None
    return Grant(issued.access_token, issued.refresh_token)


def _call(path: str, body: dict[str, str], token: str = "") -> tuple[int, dict[str, Any]]:
    try:
        return _request(path, body, token)
    except ProviderError as error:
        raise IssuerUnreachable from error


def _logout(access_token: str) -> int:
    status, body = _request("/logout?scope=local", {}, access_token)
    if status == 429 or status >= 500:
        raise ProviderError(f"Supabase answered {status} to a sign-out", permanent=False, code=_code(body))
    return status


def _request(path: str, body: dict[str, str], token: str) -> tuple[int, dict[str, Any]]:
    url = trust.auth_url()
    if url is None:
        raise IssuerUnreachable
    headers = {"apikey": settings.SUPABASE_PUBLISHABLE_KEY, "X-Supabase-Api-Version": API_VERSION}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    response = http.request(
        "POST", f"{url}{path}", headers=headers, json=body, timeout=CALL_SECONDS, max_bytes=LARGEST_ANSWER
    )
    answer = response.json() if response.content else {}
    return response.status, answer if isinstance(answer, dict) else {}


def _grant(body: dict[str, Any]) -> Grant:
    access_token, refresh_token = body.get("access_token"), body.get("refresh_token")
    if not (isinstance(access_token, str) and isinstance(refresh_token, str) and access_token and refresh_token):
        raise IssuerUnreachable
    return Grant(access_token, refresh_token)


def _refused_password(status: int, body: dict[str, Any]) -> Exception:
    code = _code(body)
    if code == "email_not_confirmed":
        return NotConfirmed()
    if status == 429:
        return TooMany(retry_after=60)
    return WrongPassword() if status == 400 and code in WRONG_PASSWORD else _unreachable(status, body)


def _unreachable(status: int, body: dict[str, Any]) -> IssuerUnreachable:
    logger.warning("issuer_refused", extra={"action": "issuer_refused", "status": status, "code": _code(body)})
    return IssuerUnreachable()


def _code(body: dict[str, Any]) -> str:
    code = body.get("code")
    return code if isinstance(code, str) else str(body.get("error_code") or body.get("error") or "")
