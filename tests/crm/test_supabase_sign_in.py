"""Signing in where the project's own Supabase is the issuer. It is played by a stub behind the one door out."""

import time
from uuid import uuid4

import httpx
import orjson
import pytest
from django.conf import settings as django_settings
from django.db import connection

from config.errors import TooMany
from crm.identity import cookies, grants, jwks, sessions
from crm.identity.errors import IssuerUnreachable, NotConfirmed, SessionEnded, WrongPassword
from crm.identity.grants import Grant
from crm.models import BrowserSession, User
from jobs import http
from jobs.errors import ProviderError
from tests.crm.test_login import post, somewhere
from tests.crm.tokens import VECTORS, claims, signed

BASE = "https://abcdefghijklmnopqrst.supabase.co/auth/v1"


class Supabase:
    """Answers what it is told to, and remembers what it was asked."""

    def __init__(self):
        self.asked = []
        self.answers = {}

    def request(self, method, url, *, headers=None, json=None, timeout, max_bytes, **_):
        assert not connection.in_atomic_block
        assert timeout <= 3
        path = url.removeprefix(BASE)
        self.asked.append((method, path, headers, json))
        answer = self.answers.get(path)
        if isinstance(answer, Exception):
            raise answer
        status, body = answer or (404, {})
        content = body if isinstance(body, bytes) else orjson.dumps(body)
        return http.Response(status, httpx.Headers(), content, "abcdefghijklmnopqrst.supabase.co", True)

    def paths(self):
        return [path for _, path, _, _ in self.asked]


@pytest.fixture
def supabase(monkeypatch, settings):
    stub = Supabase()
    stub.answers["/.well-known/jwks.json"] = (200, VECTORS["jwks"])
    monkeypatch.setattr(http, "request", stub.request)
    monkeypatch.setattr(jwks, "_caches", {})
    settings.SUPABASE_PUBLISHABLE_KEY = "sb_publishable_test"
    return stub


def session_for(sub, *, expires_in=3600, refresh_token="refresh-1"):
    now = int(time.time())
    token = signed(claims(sub=str(sub), email=f"{sub}@example.test", iat=now, exp=now + expires_in))
    return {"access_token": token, "refresh_token": refresh_token, "expires_in": expires_in, "user": {"id": str(sub)}}


def error(status, code):
    return status, {"code": code, "message": "said by Supabase"}


PASSWORD, REFRESH, LOGOUT = "/token?grant_type=password", "/token?grant_type=refresh_token", "/logout?scope=local"


def test_the_password_goes_to_supabase_and_its_tokens_stay_here(supabase):
    sub = uuid4()
    supabase.answers[PASSWORD] = (200, session_for(sub))
    client = somewhere()
    response = post("ada@example.test", "secret", client)
    assert response.status_code == 303
    method, _, headers, body = supabase.asked[0]
    assert (method, body) == ("POST", {"email": "ada@example.test", "password": "secret"})
    assert headers["apikey"] == "sb_publishable_test"
    assert "Authorization" not in headers
    assert BrowserSession.objects.get(user_id=sub).tokens["refresh_token"] == "refresh-1"
    assert User.objects.get(pk=sub).name == "Ada Lovelace"
    assert client.get("/api/v1/me").json()["id"] == str(sub)
    assert supabase.paths() == [PASSWORD, "/.well-known/jwks.json"]


@pytest.mark.parametrize(
    ("answer", "raised", "status"),
    [
        (error(400, "invalid_credentials"), WrongPassword, 400),
        ((400, {"error_code": "invalid_credentials", "code": 400, "msg": "older form"}), WrongPassword, 400),
        (error(400, "user_banned"), WrongPassword, 400),
        (error(400, "email_not_confirmed"), NotConfirmed, 400),
        (error(429, "over_request_rate_limit"), TooMany, 429),
        ((401, {"message": "Invalid API key"}), IssuerUnreachable, 503),
        (error(400, "captcha_failed"), IssuerUnreachable, 503),
        ((500, b"<html>"), IssuerUnreachable, 503),
        ((200, {"access_token": "", "refresh_token": "x"}), IssuerUnreachable, 503),
        ((200, []), IssuerUnreachable, 503),
        (ProviderError("no answer", permanent=False, maybe_sent=True), IssuerUnreachable, 503),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_supabase_says_becomes_one_sentence_on_the_page(supabase, answer, raised, status, monkeypatch):
    if answer == (500, b"<html>"):
        answer = ProviderError("not JSON", permanent=False)
    supabase.answers[PASSWORD] = answer
    with pytest.raises(raised):
        grants.by_password("ada@example.test", "secret")
    response = post(f"{uuid4()}@example.test", "secret")
    assert response.status_code == status
    assert "said by Supabase" not in response.content.decode()
    assert django_settings.SIGN_IN_COOKIE_NAME not in response.cookies


def test_a_token_that_does_not_verify_signs_nobody_in(supabase):
    bad = session_for(uuid4())
    bad["access_token"] = signed(claims(iss="https://evil.test/auth/v1"))
    supabase.answers[PASSWORD] = (200, bad)
    response = post("ada@example.test", "secret")
    assert response.status_code == 401
    assert django_settings.SIGN_IN_COOKIE_NAME not in response.cookies


def signed_in(supabase, *, left):
    sub = uuid4()
    cookie = sessions.start(Grant(**{name: session_for(sub)[name] for name in ("access_token", "refresh_token")}))
    old = cookies.Cookie(cookie.user_id, cookie.session_id, int(time.time()) + left)
    BrowserSession.objects.filter(pk=cookie.session_id).update(
        expires_at=sessions._moment(old.expires_at), renewed_at=sessions._moment(time.time() - 3000)
    )
    return sub, old


def test_the_refresh_token_is_exchanged_at_supabase(supabase):
    sub, old = signed_in(supabase, left=60)
    supabase.answers[REFRESH] = (200, session_for(sub, refresh_token="refresh-2"))
    fresh = sessions.renew(old, wait=False)
    assert fresh.expires_at > old.expires_at
    assert supabase.asked[-1][3] == {"refresh_token": "refresh-1"}
    assert BrowserSession.objects.get(pk=old.session_id).tokens["refresh_token"] == "refresh-2"


@pytest.mark.parametrize(
    "code", ["refresh_token_not_found", "refresh_token_already_used", "session_expired", "user_banned"]
)
def test_a_clear_no_ends_the_session(supabase, code):
    _, old = signed_in(supabase, left=60)
    supabase.answers[REFRESH] = error(400, code)
    with pytest.raises(SessionEnded):
        sessions.renew(old, wait=False)
    assert not BrowserSession.objects.filter(pk=old.session_id).exists()


@pytest.mark.parametrize(
    "answer",
    [error(429, "over_request_rate_limit"), (401, {"message": "Invalid API key"}), (503, {}), (404, {}),
     ProviderError("no answer", permanent=False)],
    ids=str,
)  # fmt: skip
def test_anything_else_ends_nothing(supabase, answer):
    _, old = signed_in(supabase, left=60)
    supabase.answers[REFRESH] = answer
    with pytest.raises(IssuerUnreachable):
        sessions.renew(old, wait=False)
    assert BrowserSession.objects.get(pk=old.session_id).tokens["refresh_token"] == "refresh-1"


def test_tokens_of_somebody_else_end_the_session(supabase):
    _, old = signed_in(supabase, left=60)
    supabase.answers[REFRESH] = (200, session_for(uuid4()))
    with pytest.raises(SessionEnded):
        sessions.renew(old, wait=False)
    assert not BrowserSession.objects.filter(pk=old.session_id).exists()


def test_signing_out_tells_supabase_in_the_background(supabase):
    sub, _ = signed_in(supabase, left=3000)
    grant = session_for(sub)
    supabase.answers[LOGOUT] = (204, b"")
    grants.revoke(Grant(grant["access_token"], "refresh-1"))
    assert supabase.asked[-1][2]["Authorization"] == f"Bearer {grant['access_token']}"
    assert supabase.paths()[-1] == LOGOUT


def test_an_expired_token_is_exchanged_before_signing_out(supabase):
    sub, _ = signed_in(supabase, left=3000)
    supabase.answers[LOGOUT] = error(403, "bad_jwt")
    supabase.answers[REFRESH] = (200, session_for(sub, refresh_token="refresh-2"))
    supabase.asked.clear()
    grants.revoke(Grant("expired", "refresh-1"))
    assert supabase.paths() == [LOGOUT, REFRESH, LOGOUT]
    supabase.answers[REFRESH] = error(400, "refresh_token_not_found")
    grants.revoke(Grant("expired", "refresh-1"))


def test_signing_out_is_tried_again_while_supabase_is_away(supabase):
    supabase.answers[LOGOUT] = ProviderError("no answer", permanent=False)
    with pytest.raises(ProviderError):
        grants.revoke(Grant("access", "refresh-1"))
    supabase.answers[LOGOUT] = (503, {})
    with pytest.raises(ProviderError):
        grants.revoke(Grant("access", "refresh-1"))
