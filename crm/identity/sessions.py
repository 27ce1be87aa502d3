"""Browser sessions: the tokens behind a cookie, kept here, exchanged one at a time, given back at the end."""

import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from config.errors import NotSignedIn
from config.live.identity import publish_access_change
from config.live.unit import unit_of_work
from crm.encryption import decrypt, encrypt
from crm.identity import grants, people, tokens, trust
from crm.identity.cookies import KEPT_SECONDS, Cookie
from crm.identity.errors import IssuerUnreachable, SessionEnded, TokenRefused
from crm.identity.grants import Grant
from crm.issuer import sessions as own_issuer
from crm.models import BrowserSession
from crm.services.roles import subject
from jobs.queue import enqueue

# Before the access token expires; a page that is open asks at least so often.
RENEW_SECONDS = 300
# Tabs renew together; whoever comes this much later gets what the first one fetched.
JUST_RENEWED = timedelta(seconds=10)
# Longer than a call may take, shorter than the grace in which an issuer takes a refresh token twice: after a crash
# between the exchange and our commit the next request still gets through with the old one.
CLAIM = timedelta(seconds=5)
WAIT_SECONDS = 4.0
POLL_SECONDS = 0.05
REVOKE_TASK = "crm.revoke_tokens"


@dataclass(frozen=True)
class _Claim:
    """The right to exchange this refresh token, for as long as CLAIM."""

    id: UUID
    session_id: UUID
    user_id: UUID
    refresh_token: str


def start(grant: Grant) -> Cookie:
    claims = tokens.verify(grant.access_token)
    user = people.user_for(claims)
    session = BrowserSession.objects.create(user=user, tokens=_kept(grant), expires_at=_moment(claims.expires_at))
    return _cookie(session)


def renew(held: Cookie, *, wait: bool) -> Cookie:
    """A cookie with fresh claims. SessionEnded when there is nothing left to renew.

    While another request exchanges the token, `wait` waits for what it gets; otherwise IssuerUnreachable at once.
    """
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        taken = _take(held)
        if isinstance(taken, Cookie):
            return taken
        if taken is not None:
            return _exchange(taken)
        if not wait or time.monotonic() > deadline:
            raise IssuerUnreachable
        time.sleep(POLL_SECONDS)


@unit_of_work
def end(session_id: UUID) -> None:
    """Cookies of this session mean nobody from now on, and its sockets are closed. Twice is once."""
    session = BrowserSession.objects.select_for_update().filter(pk=session_id).first()
    if session is None:
        return
    grant = Grant(**session.tokens)
    session.delete()
    publish_access_change(subject(session.user_id))
    _give_back(session_id, grant)


def is_alive(session_id: UUID, user_id: UUID) -> bool:
    return BrowserSession.objects.filter(pk=session_id, user_id=user_id).exists()


def prune() -> int:
    """Drops sessions that no cookie can name any more."""
    edge = timezone.now() - timedelta(seconds=KEPT_SECONDS)
    return BrowserSession.objects.filter(renewed_at__lt=edge).delete()[0]


def revoke(sealed: str) -> None:
    grants.revoke(Grant(**json.loads(decrypt(sealed))))


def _take(held: Cookie) -> Cookie | _Claim | None:
    """Fresh claims that are there already, the right to fetch some, or None while somebody else has that right."""
    with transaction.atomic():
        session = _locked(held)
        now: datetime = vars(session)["moment"]  # the database's clock, which all processes share
        newer = session.expires_at.timestamp() > held.expires_at and session.expires_at - now > timedelta(
            seconds=RENEW_SECONDS
        )
        if newer or now - session.renewed_at < JUST_RENEWED:
            return _cookie(session)
        if session.claimed_until is not None and session.claimed_until > now:
            if session.claim is None:  # the last one got no answer; no queue before an issuer that is down
                raise IssuerUnreachable
            return None
        session.claim, session.claimed_until = uuid4(), now + CLAIM
        session.save(update_fields=["claim", "claimed_until"])
        return _Claim(session.claim, session.pk, session.user_id, session.tokens["refresh_token"])


def _locked(held: Cookie) -> BrowserSession:
    rows = BrowserSession.objects.select_for_update().filter(pk=held.session_id, user_id=held.user_id)
    session = rows.annotate(moment=Now()).first()
    if session is None:
        raise SessionEnded
    return session


def _exchange(claim: _Claim) -> Cookie:
    """No transaction is open during the call."""
    # Only as the holder of the claim: who took over after CLAIM may have succeeded.
    mine = BrowserSession.objects.filter(pk=claim.session_id, claim=claim.id)
    try:
        grant = grants.by_refresh_token(claim.refresh_token)
        return _store(claim, grant, _expiry(claim, grant))
    except IssuerUnreachable:
        mine.update(claim=None)
        raise
    except NotSignedIn:
        mine.delete()
        raise


def _expiry(claim: _Claim, grant: Grant) -> float | None:
    """None for a token that cannot be verified yet, its key being too new."""
    try:
        claims = tokens.verify(grant.access_token)
    except (TokenRefused, IssuerUnreachable):
        return None
    if people.user_for(claims).pk != claim.user_id:
        raise SessionEnded
    return claims.expires_at


def _store(claim: _Claim, grant: Grant, expires_at: float | None) -> Cookie:
    """Whatever the access token is worth, the refresh token before it is spent and the new one has to be kept."""
    with transaction.atomic():
        session = BrowserSession.objects.select_for_update().filter(pk=claim.session_id).first()
        if session is None:  # signed out while we asked
            _give_back(claim.session_id, grant)
        elif session.claim == claim.id:
            session.tokens = _kept(grant)
            if expires_at is not None:
                session.expires_at, session.renewed_at = _moment(expires_at), Now()
                session.claim = session.claimed_until = None
            session.save()
    if session is None:
        raise SessionEnded
    if expires_at is None:
        raise IssuerUnreachable
    return _cookie(session)


def _give_back(session_id: UUID, grant: Grant) -> None:
    """Inside a transaction. Supabase is told by a job, so that nobody waits for it; sealed, since jobs are read."""
    if trust.is_own_issuer():
        own_issuer.sign_out_by_refresh_token(grant.refresh_token)
    elif trust.auth_url():
        sealed = encrypt(json.dumps(_kept(grant)))
        enqueue(REVOKE_TASK, key=f"{REVOKE_TASK}:{session_id}:{uuid4()}", lane="", payload={"sealed": sealed})


def _kept(grant: Grant) -> dict[str, Any]:
    return {"access_token": grant.access_token, "refresh_token": grant.refresh_token}


def _cookie(session: BrowserSession) -> Cookie:
    return Cookie(session.user_id, session.pk, int(session.expires_at.timestamp()))


def _moment(epoch: float) -> datetime:
    return datetime.fromtimestamp(epoch, UTC)
