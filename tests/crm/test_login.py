from typing import Any

import pytest
import redis
from django.conf import settings as django_settings
from django.test import Client, RequestFactory

from config.errors import TooMany
from crm.identity import addresses, throttle
from crm.identity.throttle import FOR_ONE_ACCOUNT_FROM_ONE_PLACE, FROM_ONE_PLACE, PasswordTry
from crm.issuer import accounts
from crm.issuer.sessions import sign_in
from crm.models import BrowserSession, IssuerAccount
from crm.views import safe_next
from tests.cast import unique

NAME = django_settings.SIGN_IN_COOKIE_NAME


@pytest.fixture
def place():
    """An address of one's own, so that tests do not use up each other's tries."""
    return unique("place")


def somewhere() -> Client:
    """A browser at an address of its own: wrong passwords of one test must not use up another's tries."""
    number = int(unique("").rpartition("-")[2])
    return Client(REMOTE_ADDR=f"10.0.{number // 250}.{number % 250}")


def post(email, password, client=None, **more):
    return (client or somewhere()).post("/login", {"email": email, "password": password, **more})


def test_the_page_asks_for_email_and_password():
    response = Client().get("/login?next=/contacts")
    content = response.content.decode()
    assert response.status_code == 200
    for name in ("email", "password", "next", "csrfmiddlewaretoken"):
        assert f'name="{name}"' in content
    assert "/contacts" in content
    assert "no-store" in response["Cache-Control"]
    assert "demo-password" not in content


def test_the_demo_shows_who_can_sign_in(settings, own_issuer):
    settings.DEMO = True
    assert "ben@demo.example" in Client().get("/login").content.decode()


def test_the_right_password_leads_on(ann):
    response = post(ann.email, ann.password, next="/contacts?x=1")
    assert (response.status_code, response["Location"]) == (303, "/contacts?x=1")
    response = post(f"  {ann.email.upper()} ", ann.password)
    assert (response.status_code, response["Location"]) == (303, "/inbox")


def test_whoever_is_in_already_is_led_on(ann):
    client = ann.sign_in(Client())
    assert client.get("/login?next=/contacts")["Location"] == "/contacts"
    assert client.get("/")["Location"] == "/inbox"
    assert Client().get("/")["Location"] == "/login"


def test_wrong_address_and_wrong_password_get_the_same_answer(ann, monkeypatch):
    hashed: list[str] = []
    monkeypatch.setattr(accounts, "make_password", hashed.append)
    answers = [post(ann.email, "wrong"), post(f"{unique('nobody')}@demo.example", "wrong")]
    texts = [answer.content.decode().replace(ann.email, "") for answer in answers]
    assert [answer.status_code for answer in answers] == [400, 400]
    assert "The e-mail or the password is wrong." in texts[0]
    assert "The e-mail or the password is wrong." in texts[1]
    assert all(NAME not in answer.cookies for answer in answers)
    assert hashed == ["wrong"]  # an unknown address takes the time of a hash as well


def test_the_password_is_never_sent_back(ann):
    secret = unique("a-secret-typed-by-hand")
    assert secret not in post(ann.email, secret).content.decode()


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("", ""),
        ("a@b.c", ""),
        ("", "x"),
        ("a\x00@b.c", "x"),
        ("a@b.c", "x\x00"),
        ("x" * 400, "x"),
        ("a@b.c", "x" * 400),
    ],
    ids=range(7),
)
def test_what_cannot_be_a_password_is_refused_like_a_wrong_one(own_issuer, email, password):
    assert post(email, password).status_code == 400


def test_somebody_banned_or_unconfirmed_stays_out(ann):
    IssuerAccount.objects.filter(pk=ann.id).update(banned=True)
    assert post(ann.email, ann.password).status_code == 400
    IssuerAccount.objects.filter(pk=ann.id).update(banned=False, confirmed_at=None)
    response = post(ann.email, ann.password)
    assert response.status_code == 400
    assert "Confirm your e-mail address" in response.content.decode()
    assert "Confirm" not in post(ann.email, "wrong").content.decode()
    assert not BrowserSession.objects.filter(user_id=ann.id).exists()


def test_signing_in_needs_the_csrf_token(ann):
    assert post(ann.email, ann.password, Client(enforce_csrf_checks=True)).status_code == 403


def test_the_csrf_secret_changes_with_the_sign_in(ann):
    client = Client()
    client.get("/login")
    before = client.cookies[django_settings.CSRF_COOKIE_NAME].value
    ann.sign_in(client)
    assert client.cookies[django_settings.CSRF_COOKIE_NAME].value != before


# --- Where to go on --------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", ["/inbox", "/inbox/1?tab=mine&x=%2F#end", "/contacts/ä", "/exam/x"])
def test_a_path_of_our_own_is_kept(target):
    assert safe_next(target) == target


@pytest.mark.parametrize(
    "target",
    [
        "",
        "inbox",
        "//evil.test",
        "///evil.test",
        "////evil.test",
        "/\\evil.test",
        "\\\\evil.test",
        "/\t/evil.test",
        "/\n/evil.test",
        "\x00/evil",
        " //evil.test",
        "https://evil.test/inbox",
        "http:evil.test",
        "https:/evil.test",
        "javascript:alert(1)",
        "data:text/html,x",
        "http://testserver/inbox",
        "//testserver@evil.test",
        "/login",
        "/login/?next=/login",
        "/logout",
        "/session/renew",
        "/" + "x" * 3000,
        "/\u2028evil",
    ],
    ids=lambda target: repr(target[:30]),
)
def test_anywhere_else_becomes_the_inbox(target):
    assert safe_next(target) == "/inbox"


@pytest.mark.parametrize("target", ["//evil.test", "https://evil.test/inbox", "/\\evil.test"])
def test_nobody_is_led_away_by_signing_in(ann, target):
    client = Client()
    assert "evil" not in client.get("/login", {"next": target}).content.decode()
    assert post(ann.email, ann.password, client, next=target)["Location"] == "/inbox"
    assert client.get("/login", {"next": target})["Location"] == "/inbox"


# --- Throttles -------------------------------------------------------------------------------------------


def refused_after(attempt, most):
    for count in range(most):
        try:
            attempt()
        except TooMany as refused:
            return count if 0 < refused.data["retry_after"] <= throttle.WINDOW_SECONDS else -1
    return None


def test_one_account_from_one_place_is_tried_a_few_times(place):
    email = unique("a@demo.example")
    assert refused_after(lambda: PasswordTry(source=place, email=email).begin(), 20) == FOR_ONE_ACCOUNT_FROM_ONE_PLACE
    PasswordTry(source=place, email=unique("b@demo.example")).begin()
    PasswordTry(source=unique("elsewhere"), email=email).begin()


def test_one_place_does_not_walk_through_all_accounts(place):
    attempt = lambda: PasswordTry(source=place, email=unique("a@demo.example")).begin()  # noqa: E731
    assert refused_after(attempt, FROM_ONE_PLACE + 5) == FROM_ONE_PLACE


def test_one_account_is_not_tried_from_everywhere():
    email = unique("a@demo.example")
    attempt = lambda: PasswordTry(source=unique("place"), email=email).begin()  # noqa: E731
    assert refused_after(attempt, throttle.FOR_ONE_ACCOUNT + 5) == throttle.FOR_ONE_ACCOUNT


def test_what_succeeds_does_not_count(place):
    email = unique("a@demo.example")

    def sign_in_well():
        attempt = PasswordTry(source=place, email=email)
        attempt.begin()
        attempt.succeeded()

    assert refused_after(sign_in_well, 3 * FROM_ONE_PLACE) is None


def test_guesses_made_at_once_do_not_slip_through_together(place, at_once):
    email = unique("a@demo.example")
    results = at_once(lambda: PasswordTry(source=place, email=email).begin(), 16)
    assert [result is None for result in results].count(True) == FOR_ONE_ACCOUNT_FROM_ONE_PLACE


def test_the_page_says_to_wait_even_with_the_right_password(ann, settings):
    client = Client(REMOTE_ADDR="203.0.113.7")
    for _ in range(FOR_ONE_ACCOUNT_FROM_ONE_PLACE):
        assert post(ann.email, "wrong", client).status_code == 400
    response = post(ann.email, ann.password, client)
    assert response.status_code == 429
    assert int(response["Retry-After"]) > 0
    assert "Too many requests" in response.content.decode()
    assert post(ann.email, ann.password, Client(REMOTE_ADDR="203.0.113.8")).status_code == 303


def test_without_redis_people_still_get_in(ann, monkeypatch, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    assert post(ann.email, ann.password).status_code == 303
    assert post(ann.email, "wrong").status_code == 400


def test_counters_end_by_themselves(place):
    attempt = PasswordTry(source=place, email=unique("a@demo.example"))
    attempt.begin()
    client = redis.Redis.from_url(django_settings.REDIS_URL)
    ends: list[Any] = [client.ttl(key) for key in attempt._limits]
    assert all(0 < seconds <= throttle.WINDOW_SECONDS for seconds in ends)
    client.delete(*attempt._limits)
    attempt.succeeded()
    assert not any(client.exists(key) for key in attempt._limits)
    client.close()


def test_no_address_is_kept_in_redis_in_the_clear(place):
    email = unique("a@demo.example")
    assert all(email not in key for key in PasswordTry(source=place, email=email)._limits)


# --- Whose address ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("remote", "forwarded", "trusted", "found"),
    [
        ("203.0.113.7", "198.51.100.1", [], "203.0.113.7"),
        ("10.0.0.1", "198.51.100.1", ["10.0.0.0/8"], "198.51.100.1"),
        ("10.0.0.1", "6.6.6.6, 198.51.100.1, 10.0.0.2", ["10.0.0.0/8"], "198.51.100.1"),
        ("10.0.0.1", "", ["10.0.0.0/8"], "10.0.0.1"),
        ("10.0.0.1", "x, y", ["10.0.0.0/8"], "10.0.0.1"),
        ("", "198.51.100.1", ["10.0.0.0/8"], "unknown"),
        ("::ffff:203.0.113.7", "", [], "203.0.113.7"),
        ("2001:db8::1", "", [], "2001:db8::/64"),
        ("2001:db8::2", "", [], "2001:db8::/64"),
    ],
)
def test_a_forwarded_address_counts_only_from_our_own_proxies(settings, remote, forwarded, trusted, found):
    settings.TRUSTED_PROXIES = trusted
    request = RequestFactory().get(
        "/", REMOTE_ADDR=remote, **({"HTTP_X_FORWARDED_FOR": forwarded} if forwarded else {})
    )
    assert addresses.source(request) == found


def test_issuer_and_page_share_the_count(ann):
    client = Client(REMOTE_ADDR="203.0.113.9")
    for _ in range(FOR_ONE_ACCOUNT_FROM_ONE_PLACE):
        body = {"email": ann.email, "password": "wrong"}
        assert client.post("/auth/v1/token?grant_type=password", body, "application/json").status_code == 400
    assert post(ann.email, ann.password, client).status_code == 429
    assert sign_in(ann.email, ann.password)
