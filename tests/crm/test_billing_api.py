"""Billing over REST: lists for admins, one's own payments, links to Stripe's pages, and the word past due."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import orjson
import pytest
from django.db import connections
from django.test import Client

from crm.models import BillingAccount, Contact, PaymentAttempt
from crm.services.links import own_url
from tests.api import Api, token_for
from tests.cast import unique

pytestmark = pytest.mark.usefixtures("own_issuer")


class Stripe:
    """Answers as told, and remembers what it was asked."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, str], dict[str, str]]] = []
        self.answer: tuple[int, Any] = (200, {"id": "cs_1", "url": "https://pay.example/1", "expires_at": 1763672400})


@pytest.fixture
def stripe(settings) -> Iterator[Stripe]:
    told = Stripe()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            told.calls.append((self.path, form, {name.lower(): value for name, value in self.headers.items()}))
            status, answer = told.answer
            content = orjson.dumps(answer)
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *given: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    settings.STRIPE_API_URL, settings.STRIPE_API_KEY = f"http://127.0.0.1:{server.server_port}", "sk_test_1"
    yield told
    server.shutdown()
    server.server_close()
    thread.join()


def api(cast, user=None) -> Api:
    return Api(user or cast.ada).of(cast.workspace.slug)


def make_account(cast, **more: Any) -> BillingAccount:
    given = {"workspace": cast.workspace, "is_workspace": True, "stripe_customer_id": unique("cus"), "status": "active"}
    return BillingAccount.objects.create(**(given | more))


def make_attempt(cast, **more: Any) -> PaymentAttempt:
    given = {"workspace": cast.workspace, "payment_id": unique("pi"), "provider": "stripe", "amount": 4900}
    return PaymentAttempt.objects.create(**(given | more))


# --- Lists --------------------------------------------------------------------------------------------------


def test_an_admin_finds_accounts_by_customer_and_by_status(cast):
    mine, other = make_account(cast), make_account(cast, status="past_due")
    make_account(cast, workspace=cast.elsewhere)
    ids = [row["id"] for row in api(cast).get("billing-accounts/").json()["results"]]
    assert ids == [str(other.pk), str(mine.pk)]
    (row,) = api(cast).get("billing-accounts/", customer=mine.stripe_customer_id).json()["results"]
    assert (row["status"], row["past_due"], row["owner"]["kind"]) == ("active", False, "workspace")
    (row,) = api(cast).get("billing-accounts/", status="past_due").json()["results"]
    assert row["past_due"]


def test_an_admin_finds_attempts_by_payment_payer_and_user(cast):
    found = make_attempt(cast, payer_id="cus_1", user=cast.sam)
    make_attempt(cast)
    make_attempt(cast, workspace=cast.elsewhere, payer_id="cus_1")
    for query in ({"payment": found.payment_id}, {"payer": "cus_1"}, {"user": cast.sam.pk}):
        rows = api(cast).get("payment-attempts/", **query).json()["results"]
        assert [row["id"] for row in rows] == [str(found.pk)], query


def test_lists_page_by_cursor(cast):
    made = [make_account(cast) for _ in range(3)]
    first = api(cast).get("billing-accounts/", limit=2).json()
    second = Api(cast.ada).get(first["next"]).json()
    ids = [row["id"] for page in (first, second) for row in page["results"]]
    assert ids == [str(account.pk) for account in reversed(made)]
    assert second["next"] is None


@pytest.mark.parametrize("path", ["billing-accounts/", "payment-attempts/"])
def test_only_those_who_manage_the_workspace_see_billing(cast, path):
    assert [api(cast, user).get(path).status_code for user in (cast.ben, cast.tia, cast.vic)] == [403] * 3
    assert api(cast, cast.cleo).get(path).status_code == 404
    assert Api().of(cast.workspace.slug).get(path).status_code == 401


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("billing-accounts/", {"status": "rich"}),
        ("billing-accounts/", {"customer": "x" * 256}),
        ("billing-accounts/", {"customer": "a\x00b"}),
        ("billing-accounts/", {"cursor": "x"}),
        ("billing-accounts/", {"limit": "0"}),
        ("payment-attempts/", {"user": "sam"}),
        ("payment-attempts/", {"payment": "x" * 256}),
        ("payment-attempts/", {"payer": "x" * 256}),
    ],
    ids=range(8),
)
def test_a_query_that_makes_no_sense_is_400(cast, path, query):
    answer = api(cast).get(path, **query)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")


# --- One's own ------------------------------------------------------------------------------------------------


def test_one_lists_and_takes_off_ones_own_attempts_and_nobody_elses(cast):
    mine = [make_attempt(cast, user=cast.sam) for _ in range(3)]
    theirs = make_attempt(cast, user=cast.ben)
    sam = Client(headers={"authorization": f"Bearer {token_for(cast.sam)}"})
    first = sam.get("/api/v1/me/payment-attempts/", {"limit": 2}).json()
    assert [row["id"] for row in first["results"]] == [str(mine[2].pk), str(mine[1].pk)]
    assert len(sam.get(first["next"]).json()["results"]) == 1
    assert sam.delete(f"/api/v1/me/payment-attempts/{mine[2].pk}/").status_code == 204
    assert sam.delete(f"/api/v1/me/payment-attempts/{mine[2].pk}/").status_code == 404
    assert sam.delete(f"/api/v1/me/payment-attempts/{theirs.pk}/").status_code == 404
    assert len(sam.get("/api/v1/me/payment-attempts/").json()["results"]) == 2
    assert PaymentAttempt.objects.filter(pk=mine[2].pk).exists(), "the books keep it"
    assert Client().get("/api/v1/me/payment-attempts/").status_code == 401


# --- Links ----------------------------------------------------------------------------------------------------


def test_a_checkout_names_whose_it_is_on_session_and_subscription(cast, stripe):
    contact = Contact.objects.create(workspace=cast.workspace, email="ana@example.test")
    answer = api(cast).post("billing-accounts/checkout", {"price": "price_1", "contact": str(contact.pk)})
    assert (answer.status_code, answer.json()["url"]) == (201, "https://pay.example/1")
    assert answer.json()["expires_at"] == "2025-11-20T21:00:00Z"
    (path, form, headers) = stripe.calls[0]
    assert path == "/v1/checkout/sessions"
    assert form["subscription_data[metadata][contact_id]"] == form["metadata[contact_id]"] == str(contact.pk)
    assert form["metadata[workspace]"] == cast.workspace.slug
    assert (form["mode"], form["line_items[0][price]"], form["line_items[0][quantity]"]) == (
        "subscription",
        "price_1",
        "1",
    )
    assert form["customer_email"] == "ana@example.test"
    assert headers["authorization"] == "Bearer sk_test_1"
    assert headers["stripe-version"]
    assert headers["idempotency-key"]


def test_a_known_customer_pays_as_that_customer(cast, stripe):
    account = make_account(cast)
    api(cast).post("billing-accounts/checkout", {"price": "price_1", "quantity": 3})
    assert stripe.calls[0][1]["customer"] == account.stripe_customer_id


def test_asking_twice_is_asking_once(cast, stripe):
    for _ in range(2):
        api(cast).post("billing-accounts/checkout", {"price": "price_1"})
    api(cast).post("billing-accounts/checkout", {"price": "price_2"})
    keys = [headers["idempotency-key"] for _, _, headers in stripe.calls]
    assert keys[0] == keys[1] != keys[2]


def test_a_portal_link_is_for_the_accounts_customer(cast, stripe):
    account = make_account(cast)
    answer = api(cast).post(f"billing-accounts/{account.pk}/portal", {"return_url": "/settings"})
    assert (answer.status_code, answer.json()) == (201, {"url": "https://pay.example/1"})
    path, form, _ = stripe.calls[0]
    assert path == "/v1/billing_portal/sessions"
    assert form == {"customer": account.stripe_customer_id, "return_url": "http://testserver/settings"}
    theirs = make_account(cast, workspace=cast.elsewhere)
    assert api(cast).post(f"billing-accounts/{theirs.pk}/portal", {}).status_code == 404


def test_links_are_for_those_who_manage_the_workspace(cast, stripe):
    account = make_account(cast)
    for path in ("billing-accounts/checkout", f"billing-accounts/{account.pk}/portal"):
        assert api(cast, cast.ben).post(path, {"price": "price_1"}).status_code == 403
        assert api(cast, cast.cleo).post(path, {"price": "price_1"}).status_code == 404
    assert stripe.calls == []


def test_without_a_key_the_problem_says_what_is_missing(cast, settings):
    settings.STRIPE_API_KEY = ""
    answer = api(cast).post("billing-accounts/checkout", {"price": "price_1"})
    assert (answer.status_code, answer.json()["code"]) == (503, "stripe_not_configured")
    assert "STRIPE_API_KEY" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("given", "status", "code"),
    [
        (
            (400, {"error": {"message": "No such price: 'price_1'", "param": "line_items[0][price]"}}),
            400,
            "stripe_refused",
        ),
        ((401, {"error": {"message": "Invalid API Key"}}), 503, "stripe_not_configured"),
        ((429, {"error": {}}), 503, "stripe_unavailable"),
        ((500, "broken"), 503, "stripe_unavailable"),
        ((200, {"id": "cs_1"}), 503, "stripe_unavailable"),
        ((402, []), 400, "stripe_refused"),
    ],
    ids=range(6),
)
def test_what_stripe_says_no_to_becomes_a_problem(cast, stripe, given, status, code):
    stripe.answer = given
    answer = api(cast).post("billing-accounts/checkout", {"price": "price_1"})
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_stripe_that_cannot_be_reached_is_503(cast, settings):
    settings.STRIPE_API_KEY, settings.STRIPE_API_URL = "sk_test_1", "http://127.0.0.1:9"
    answer = api(cast).post("billing-accounts/checkout", {"price": "price_1"})
    assert (answer.status_code, answer.json()["code"]) == (503, "stripe_unavailable")
    assert answer.headers["Retry-After"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"price": ""},
        {"price": "a b"},
        {"price": ["x"]},
        {"price": "p", "quantity": 0},
        {"price": "p", "quantity": "many"},
        {"price": "p", "contact": "x"},
        {"price": "p", "success_url": "https://evil.example/"},
        {"price": "p", "cancel_url": "//evil.example/"},
        {"price": "p", "success_url": "javascript:alert(1)"},
        [],
        "x",
    ],
    ids=range(12),
)
def test_a_wish_that_makes_no_sense_is_400_and_stripe_is_not_asked(cast, stripe, body):
    answer = api(cast).post("billing-accounts/checkout", body)
    assert answer.status_code == 400
    assert stripe.calls == []


@pytest.mark.parametrize("who", ["contact", "user"])
def test_a_stranger_cannot_be_made_to_pay(cast, stripe, who):
    contact = Contact.objects.create(workspace=cast.elsewhere)
    stranger = contact.pk if who == "contact" else cast.cleo.pk
    answer = api(cast).post("billing-accounts/checkout", {"price": "p", who: str(stranger)})
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("value", "target"),
    [
        ("", "http://testserver/inbox"),
        ("/settings?a=1", "http://testserver/settings?a=1"),
        ("http://testserver/x?s={CHECKOUT_SESSION_ID}", "http://testserver/x?s={CHECKOUT_SESSION_ID}"),
    ],
    ids=range(3),
)
def test_addresses_of_our_own_are_taken(value, target):
    assert own_url("success_url", value) == target


# --- Past due -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("status", "past_due"), [("active", False), ("past_due", True), ("unpaid", True)])
def test_a_workspace_past_due_is_shown_so_to_those_who_manage_it_and_nothing_is_locked(cast, status, past_due):
    make_account(cast, status=status)
    (mine,) = Api(cast.ada).get("/api/v1/me").json()["memberships"]
    assert mine["billing"] == {"status": status, "past_due": past_due}
    (theirs,) = Api(cast.ben).get("/api/v1/me").json()["memberships"]
    assert theirs["billing"] is None
    assert api(cast).get("conversations/").status_code == 200


def test_a_contacts_bill_is_not_the_workspaces(cast):
    contact = Contact.objects.create(workspace=cast.workspace)
    make_account(cast, status="past_due", is_workspace=False, contact=contact)
    assert Api(cast.ada).get("/api/v1/me").json()["memberships"][0]["billing"] is None


def test_connections_are_given_back_before_stripe_is_asked(cast, stripe):
    api(cast).post("billing-accounts/checkout", {"price": "price_1"})
    assert not any(connection.in_atomic_block for connection in connections.all())
