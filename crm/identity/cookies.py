"""The cookie of a signed-in browser: who, which session, until when. Signed, so that reading it asks nobody."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.http.response import HttpResponseBase

SALT = "crm.identity.cookies"
LONGEST = 1024
# The browser keeps it longer than the claims in it are good for: the session behind it can renew them.
KEPT_SECONDS = 30 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Cookie:
    user_id: UUID
    session_id: UUID
    expires_at: int

    def seconds_left(self) -> float:
        return self.expires_at - time.time()


def read(cookies: Mapping[str, str]) -> Cookie | None:
    """What we signed ourselves, expired or not; None for anything else."""
    raw = cookies.get(settings.SIGN_IN_COOKIE_NAME, "")
    if not raw or len(raw) > LONGEST:
        return None
    try:
        held = signing.loads(raw, salt=SALT)
        return Cookie(UUID(held["user"]), UUID(held["session"]), int(held["expires"]))
    except (signing.BadSignature, KeyError, TypeError, ValueError):
        return None


def write(cookie: Cookie) -> str:
    held: dict[str, Any] = {"user": cookie.user_id.hex, "session": cookie.session_id.hex, "expires": cookie.expires_at}
    return signing.dumps(held, salt=SALT)


def put(response: HttpResponseBase, cookie: Cookie) -> None:
    response.set_cookie(
        settings.SIGN_IN_COOKIE_NAME,
        write(cookie),
        max_age=KEPT_SECONDS,
        httponly=True,
        samesite="Lax",
        secure=settings.SECURE_COOKIES,
    )


def clear(response: HttpResponseBase) -> None:
    response.delete_cookie(settings.SIGN_IN_COOKIE_NAME, samesite="Lax")
