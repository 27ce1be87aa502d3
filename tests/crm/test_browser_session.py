import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.test import Client
from django.utils import timezone

from config.live.identity import ACCESS_TOPIC
from config.live.models import LiveEvent
from crm.identity import cookies, grants, sessions
from crm.identity.cookies import KEPT_SECONDS, Cookie
from crm.identity.errors import IssuerUnreachable, SessionEnded
from crm.identity.sessions import CLAIM, JUST_RENEWED, RENEW_SECONDS
from crm.issuer import sessions as issuer
from crm.models import BrowserSession, IssuerSession, User
from jobs.models import Job
from tests.crm.conftest import account_for

pytestmark = pytest.mark.usefixtures("own_issuer")
NAME = django_settings.SIGN_IN_COOKIE_NAME


def held_by(client: Client) -> Cookie:
    held = cookies.read({name: morsel.value for name, morsel in client.cookies.items()})
    assert held is not None
    return held


def session_of(client: Client) -> BrowserSession:
    return BrowserSession.objects.get(pk=held_by(client).session_id)


def age(client: Client, *, left: float, renewed_before: timedelta = timedelta(hours=1)) -> Cookie:
    """As if signed in long ago: `left` seconds of the claims remain."""
    held = held_by(client)
    expires_at = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=left)
    BrowserSession.objects.filter(pk=held.session_id).update(
        expires_at=expires_at, renewed_at=timezone.now() - renewed_before
    )
    old = Cookie(held.user_id, held.session_id, int(expires_at.timestamp()))
    client.cookies[NAME] = cookies.write(old)
    return old


@pytest.fixture
def exchanges(monkeypatch):
    """Every refresh token that was exchanged, and whether a transaction was open meanwhile."""
    seen = []
    real = issuer.refresh

    def refresh(refresh_token):
        seen.append((refresh_token, connection.in_atomic_block))
        return real(refresh_token)

    monkeypatch.setattr(issuer, "refresh", refresh)
    return seen


# --- What the browser holds ------------------------------------------------------------------------------


def test_the_browser_gets_a_signed_cookie_and_no_token(ann):
    client = ann.sign_in(Client())
    morsel = client.cookies[NAME]
    assert morsel["httponly"]
    assert morsel["samesite"] == "Lax"
    assert morsel["path"] == "/"
    assert not morsel["secure"]
    assert morsel["max-age"] == KEPT_SECONDS
    kept = session_of(client).tokens
    sent = client.cookies.output()
    assert kept["access_token"] not in sent
    assert kept["refresh_token"] not in sent


def test_the_cookie_is_secure_where_the_product_is(ann, settings):
    settings.SECURE_COOKIES = True
    assert ann.sign_in(Client()).cookies[NAME]["secure"]


def test_the_tokens_are_encrypted_in_the_database(ann):
    client = ann.sign_in(Client())
    with connection.cursor() as cursor:
        cursor.execute("SELECT tokens FROM crm_browsersession WHERE id = %s", [held_by(client).session_id])
        (stored,) = cursor.fetchone()
    assert session_of(client).tokens["refresh_token"] not in stored
    assert "access_token" not in stored


def test_every_sign_in_is_a_session_of_its_own_and_ends_the_one_before(ann):
    client = ann.sign_in(Client())
    first = held_by(client).session_id
    second = held_by(ann.sign_in(client)).session_id
    assert first != second
    assert [row.pk for row in BrowserSession.objects.filter(user_id=ann.id)] == [second]
    ann.sign_in(Client())
    assert BrowserSession.objects.filter(user_id=ann.id).count() == 2


# --- Renewal ---------------------------------------------------------------------------------------------


def test_with_minutes_to_go_nothing_is_renewed(ann, exchanges):
    client = ann.sign_in(Client())
    age(client, left=RENEW_SECONDS + 30)
    response = client.get("/api/v1/me")
    assert response.status_code == 200
    assert NAME not in response.cookies
    assert exchanges == []


@pytest.mark.parametrize("path", ["/api/v1/me", "/"])
def test_an_ordinary_request_renews_before_the_claims_expire(ann, exchanges, path):
    client = ann.sign_in(Client())
    old = age(client, left=RENEW_SECONDS - 10)
    before = session_of(client).tokens
    response = client.get(path)
    assert NAME in response.cookies
    fresh = held_by(client)
    assert fresh.expires_at > old.expires_at
    assert fresh.session_id == old.session_id
    assert exchanges == [(before["refresh_token"], False)]
    after = session_of(client)
    assert after.tokens["refresh_token"] != before["refresh_token"]
    assert int(after.expires_at.timestamp()) == fresh.expires_at
    assert (after.claim, after.claimed_until) == (None, None)


def test_a_laptop_that_slept_through_the_expiry_is_still_signed_in(ann, exchanges):
    client = ann.sign_in(Client())
    age(client, left=-3600)
    assert client.get("/api/v1/me").json()["expires_at"] == held_by(client).expires_at
    assert len(exchanges) == 1


def test_an_expired_cookie_without_a_session_is_nobody(ann):
    client = ann.sign_in(Client())
    old = age(client, left=-3600)
    BrowserSession.objects.filter(pk=old.session_id).delete()
    response = client.get("/api/v1/me")
    assert response.status_code == 401
    assert response.cookies[NAME]["max-age"] == 0


def test_a_session_that_the_issuer_ended_ends_here_at_the_next_renewal(ann):
    client = ann.sign_in(Client())
    old = age(client, left=60)
    IssuerSession.objects.filter(account_id=ann.id).delete()
    response = client.get("/api/v1/me")
    assert response.status_code == 401
    assert response.cookies[NAME]["max-age"] == 0
    assert not BrowserSession.objects.filter(pk=old.session_id).exists()


def test_the_page_may_ask_for_renewal_itself(ann, exchanges):
    client = ann.sign_in(Client())
    age(client, left=1800)
    response = client.post("/session/renew")
    assert response.json() == {"expires_at": held_by(client).expires_at}
    assert response["Cache-Control"].startswith("max-age=0")
    assert len(exchanges) == 1


def test_asking_again_within_seconds_gives_what_the_first_one_got(ann, exchanges):
    client = ann.sign_in(Client())
    old = age(client, left=100)
    first = client.post("/session/renew").json()
    client.cookies[NAME] = cookies.write(old)
    assert client.post("/session/renew").json() == first
    assert client.post("/session/renew").json() == first
    assert len(exchanges) == 1


def test_renewal_needs_a_cookie_of_ours_and_the_csrf_token(ann):
    response = Client().post("/session/renew")
    assert (response.status_code, response.json()["code"]) == (401, "not_signed_in")
    client = ann.sign_in(Client())
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = client.cookies
    response = strict.post("/session/renew")
    assert (response.status_code, response.json()["code"]) == (403, "csrf_failed")
    assert client.get("/session/renew").status_code == 405


@pytest.mark.parametrize("left", [100, -100], ids=["still valid", "expired"])
def test_two_tabs_renew_at_once_and_the_token_is_used_once(ann, exchanges, at_once, left):
    client = ann.sign_in(Client())
    old = age(client, left=left)

    def tab():
        browser = Client()
        browser.cookies[NAME] = cookies.write(old)
        return browser.post("/session/renew").json()

    first, second = at_once(tab, 2)
    assert first == second
    assert first["expires_at"] > old.expires_at
    assert len(exchanges) == 1


def test_while_one_request_renews_the_others_do_not_wait(ann, monkeypatch):
    client = ann.sign_in(Client())
    old = age(client, left=100)
    asking, go_on = threading.Event(), threading.Event()
    real = issuer.refresh

    def slow(refresh_token):
        asking.set()
        assert go_on.wait(10)
        return real(refresh_token)

    monkeypatch.setattr(issuer, "refresh", slow)
    first = threading.Thread(target=sessions.renew, args=(old,), kwargs={"wait": True})
    first.start()
    assert asking.wait(10)
    response = client.get("/api/v1/me")
    assert (response.status_code, NAME in response.cookies) == (200, False)
    go_on.set()
    first.join()


def test_a_renewal_that_died_half_way_is_taken_up_again(ann, exchanges):
    client = ann.sign_in(Client())
    old = age(client, left=60)
    # Exchanged at the issuer, never stored: the process was killed in between.
    taken = sessions._take(old)
    assert isinstance(taken, sessions._Claim)
    issuer.refresh(taken.refresh_token)
    assert sessions._take(old) is None
    BrowserSession.objects.filter(pk=old.session_id).update(claimed_until=timezone.now() - CLAIM)
    assert sessions.renew(old, wait=False).expires_at > old.expires_at
    assert timedelta(seconds=grants.CALL_SECONDS) < CLAIM < issuer.GRACE


def test_whoever_lost_the_claim_does_not_overwrite_the_one_who_took_over(ann):
    client = ann.sign_in(Client())
    old = age(client, left=60)
    slow = sessions._take(old)
    assert isinstance(slow, sessions._Claim)
    BrowserSession.objects.filter(pk=old.session_id).update(claimed_until=timezone.now() - CLAIM)
    fresh = sessions.renew(old, wait=True)
    kept = session_of(client).tokens
    late = grants.by_refresh_token(slow.refresh_token)
    assert sessions._store(slow, late, old.expires_at + 9999) == fresh
    assert session_of(client).tokens == kept


def test_signing_out_during_a_renewal_wins(ann):
    client = ann.sign_in(Client())
    old = age(client, left=60)
    claim = sessions._take(old)
    assert isinstance(claim, sessions._Claim)
    grant = grants.by_refresh_token(claim.refresh_token)
    sessions.end(old.session_id)
    with pytest.raises(SessionEnded):
        sessions._store(claim, grant, old.expires_at + 3600)
    assert not IssuerSession.objects.filter(account_id=ann.id).exists()


# --- An issuer that is away ------------------------------------------------------------------------------


@pytest.fixture
def issuer_down(monkeypatch):
    calls = []

    def away(refresh_token):
        calls.append(refresh_token)
        raise IssuerUnreachable

    monkeypatch.setattr(grants, "by_refresh_token", away)
    return calls


def test_an_issuer_that_is_away_signs_nobody_out(ann, issuer_down):
    client = ann.sign_in(Client())
    age(client, left=60)
    for _ in range(5):
        assert client.get("/api/v1/me").status_code == 200
    assert len(issuer_down) == 1


def test_expired_claims_wait_for_the_issuer_to_come_back(ann, issuer_down, monkeypatch):
    client = ann.sign_in(Client())
    old = age(client, left=-60)
    for _ in range(5):
        response = client.get("/api/v1/me")
        assert (response.status_code, response.json()["code"]) == (503, "identity_unavailable")
        assert NAME not in response.cookies
    assert len(issuer_down) == 1
    assert client.get("/login").status_code == 200
    monkeypatch.undo()
    BrowserSession.objects.filter(pk=old.session_id).update(claimed_until=timezone.now() - CLAIM)
    assert client.get("/api/v1/me").status_code == 200


def test_a_new_token_that_cannot_be_verified_yet_is_not_lost(ann, monkeypatch):
    from crm.identity import tokens
    from crm.identity.errors import TokenRefused

    client = ann.sign_in(Client())
    old = age(client, left=60)
    before = session_of(client).tokens

    def too_new(token):
        raise TokenRefused

    with monkeypatch.context() as patched:
        patched.setattr(tokens, "verify", too_new)
        with pytest.raises(IssuerUnreachable):
            sessions.renew(old, wait=False)
    kept = session_of(client)
    assert kept.tokens["refresh_token"] != before["refresh_token"]
    assert int(kept.expires_at.timestamp()) == old.expires_at
    BrowserSession.objects.filter(pk=old.session_id).update(claimed_until=timezone.now() - CLAIM)
    assert sessions.renew(old, wait=False).expires_at > old.expires_at


# --- Signing out -----------------------------------------------------------------------------------------


def access_changes(user: User) -> int:
    return LiveEvent.objects.filter(topic=ACCESS_TOPIC, data__contains=f"user:{user.pk}").count()


def test_signing_out_ends_the_session_here_and_at_the_issuer(ann):
    client = ann.sign_in(Client())
    old, before = held_by(client), access_changes(ann.user)
    response = client.post("/logout")
    assert (response.status_code, response["Location"]) == (303, "/login")
    assert response.cookies[NAME]["max-age"] == 0
    assert not BrowserSession.objects.filter(pk=old.session_id).exists()
    assert not IssuerSession.objects.filter(account_id=ann.id).exists()
    assert access_changes(ann.user) == before + 1
    client.cookies[NAME] = cookies.write(old)
    assert client.get("/api/v1/me").status_code == 401
    assert client.post("/session/renew").status_code == 401


def test_signing_out_twice_or_without_being_in_is_no_error(ann):
    client = ann.sign_in(Client())
    assert client.post("/logout").status_code == 303
    assert client.post("/logout").status_code == 303
    assert Client().get("/logout").status_code == 405


def test_signing_out_at_supabase_is_left_to_a_job_with_sealed_tokens(ann, settings):
    client = ann.sign_in(Client())
    kept = session_of(client).tokens
    held = held_by(client)
    settings.SUPABASE_URL = "https://abcdefghijklmnopqrst.supabase.co"
    sessions.end(held.session_id)
    job = Job.objects.get(key__startswith=f"{sessions.REVOKE_TASK}:{held.session_id}")
    assert kept["refresh_token"] not in str(job.payload)
    assert kept["access_token"] not in str(job.payload)


def test_one_browser_signing_out_leaves_the_others(ann):
    here, there = ann.sign_in(Client()), ann.sign_in(Client())
    here.post("/logout")
    assert there.get("/api/v1/me").status_code == 200


def test_sessions_that_no_cookie_can_name_are_dropped(cast):
    old, new = account_for(cast.ben).sign_in(Client()), account_for(cast.bea).sign_in(Client())
    age(old, left=-KEPT_SECONDS, renewed_before=timedelta(seconds=KEPT_SECONDS + 60))
    sessions.prune()
    assert not BrowserSession.objects.filter(user=cast.ben).exists()
    assert BrowserSession.objects.filter(user=cast.bea).exists()
    assert new.get("/api/v1/me").status_code == 200


def test_just_renewed_is_shorter_than_the_time_in_which_renewal_is_due():
    assert timedelta(seconds=RENEW_SECONDS) > JUST_RENEWED
