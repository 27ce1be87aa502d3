"""Signing in, refreshing and signing out at our own issuer. The page and the REST endpoints both come through here."""

import hashlib
import secrets
import time
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from crm.identity import tokens, trust
from crm.identity.errors import TokenExpired, TokenRefused
from crm.issuer import errors, keys
from crm.issuer.accounts import authenticate
from crm.issuer.errors import IssuerError
from crm.models import IssuerAccount, IssuerRefreshToken, IssuerSession

LIFETIME_SECONDS = 3600
# Tabs race for a refresh token; one that comes back within this was not stolen.
GRACE = timedelta(seconds=10)
TOKEN_BYTES = 24


class Scope(StrEnum):
    GLOBAL = "global"
    LOCAL = "local"
    OTHERS = "others"


@dataclass(frozen=True)
class Issued:
    access_token: str
    refresh_token: str
    expires_at: int
    account: IssuerAccount


def sign_in(email: str, password: str) -> Issued:
    account = authenticate(email, password)
    with transaction.atomic():
        account.last_sign_in_at = timezone.now()
        account.save(update_fields=["last_sign_in_at", "updated_at"])
        return _issue(IssuerSession.objects.create(account=account), "password")


def refresh(refresh_token: str) -> Issued:
    """The token is good once. Its return within the grace gives another pair; later it ends the whole session."""
    with transaction.atomic():
        session, token = _locked(refresh_token)
        late = token.used_at is not None and timezone.now() - token.used_at > GRACE
        if late:
            session.ended_at = timezone.now()
            session.save(update_fields=["ended_at"])
        elif session.ended_at is not None:
            raise _unknown_token()
        elif session.account.banned:
            raise errors.banned(400)
        else:
            if token.used_at is None:
                token.used_at = timezone.now()
                token.save(update_fields=["used_at"])
            return _issue(session, "token_refresh")
    raise IssuerError(400, "refresh_token_already_used", "Invalid Refresh Token: Already Used")


def sign_out(session: IssuerSession, scope: Scope = Scope.GLOBAL) -> None:
    """Refreshing ends at once; access tokens that are out stay good until they expire, as Supabase's do."""
    sessions = IssuerSession.objects.filter(account_id=session.account_id)
    if scope is Scope.LOCAL:
        sessions = sessions.filter(pk=session.pk)
    elif scope is Scope.OTHERS:
        sessions = sessions.exclude(pk=session.pk)
    sessions.delete()


def sign_out_by_refresh_token(refresh_token: str) -> None:
    IssuerSession.objects.filter(refresh_tokens__digest=_digest(refresh_token)).delete()


def session_of(access_token: str) -> IssuerSession:
    """The living session, with its account, that an access token of ours was given to."""
    try:
        claims = tokens.verify(access_token)
    except (TokenRefused, TokenExpired):
        raise errors.bad_jwt() from None
    if not IssuerAccount.objects.filter(pk=claims.sub).exists():
        raise IssuerError(403, "user_not_found", "User from sub claim in JWT does not exist")
    found = (
        IssuerSession.objects.select_related("account")
        .filter(pk=claims.session_id or claims.sub, account_id=claims.sub, ended_at=None)
        .first()
    )
    if found is None:
        raise IssuerError(403, "session_not_found", "Session from session_id claim in JWT does not exist")
    if found.account.banned:
        raise errors.banned(403)
    return found


def prune(older_than: timedelta) -> int:
    """Drops sessions whose newest refresh token is older; answers how many."""
    edge = timezone.now() - older_than
    old = IssuerSession.objects.filter(created_at__lt=edge).exclude(refresh_tokens__created_at__gte=edge)
    return old.delete()[1].get("crm.IssuerSession", 0)


def _locked(refresh_token: str) -> tuple[IssuerSession, IssuerRefreshToken]:
    """The session's row is the lock of all its tokens."""
    session = (
        IssuerSession.objects.select_for_update(of=("self",), no_key=True)
        .select_related("account")
        .filter(refresh_tokens__digest=_digest(refresh_token))
        .first()
    )
    if session is None:
        raise _unknown_token()
    # Read only now that nobody else can use it
    return session, session.refresh_tokens.get(digest=_digest(refresh_token))


def _issue(session: IssuerSession, method: str) -> Issued:
    account, now = session.account, int(time.time())
    refresh_token = secrets.token_urlsafe(TOKEN_BYTES)
    IssuerRefreshToken.objects.create(session=session, digest=_digest(refresh_token))
    claims = _claims(account, session.pk, method, now)
    return Issued(keys.sign(claims), refresh_token, now + LIFETIME_SECONDS, account)


def _claims(account: IssuerAccount, session_id: UUID, method: str, now: int) -> dict[str, object]:
    return {
        "iss": trust.auth_url(),
        "sub": str(account.pk),
        "aud": tokens.AUDIENCE,
        "exp": now + LIFETIME_SECONDS,
        "iat": now,
        "email": account.email,
        "phone": "",
        "app_metadata": {"provider": "email", "providers": ["email"]},
        "user_metadata": account.metadata,
        "role": tokens.ROLE,
        "aal": "aal1",
        "amr": [{"method": method, "timestamp": now}],
        "session_id": str(session_id),
        "is_anonymous": False,
    }


def _digest(refresh_token: str) -> bytes:
    return hashlib.sha256(refresh_token.encode("utf-8", "replace")).digest()


def _unknown_token() -> IssuerError:
    return IssuerError(400, "refresh_token_not_found", "Invalid Refresh Token: Refresh Token Not Found")
