import base64
import json

import pytest
import stripe
from standardwebhooks import Webhook

from tests.waiting import wait_for
from webhooks.simulator.options import DEMO_SECRETS

KEY = ("sk_test_simulated", "")
CHECKOUT = {
    "mode": "subscription",
    "line_items[0][price]": "price_9",
    "line_items[0][quantity]": "1",
    "success_url": "https://school.example/done",
    "client_reference_id": "tenant_42",
    "subscription_data[metadata][tenant_id]": "42",
}


def post(simulator, path, data, *, auth=KEY, **headers):
    return simulator.http.post(f"{simulator.url}/v1/{path}", data=data, auth=auth, headers=headers)


def get(simulator, path, **params):
    return simulator.http.get(f"{simulator.url}/v1/{path}", params=params, auth=KEY).json()


def emit(simulator, what, **data):
    return simulator.control(what, {"wait": True, **data})


def event(delivery):
    """Signed as Stripe's own library checks it."""
    assert delivery.path == "/webhooks/stripe"
    secret = DEMO_SECRETS["STRIPE_WEBHOOK_SECRET"]
    stripe.Webhook.construct_event(delivery.body, delivery.headers["stripe-signature"], secret)
    return json.loads(delivery.body)


def test_a_subscription_lives_its_life(simulator, receiver):
    told = emit(simulator, "stripe", step="created", customer="cus_1", metadata={"tenant_id": "42"})
    for step in ("past_due", "payment_failed", "paid", "canceling", "deleted"):
        assert emit(simulator, "stripe", step=step)["arrived"] is True

    events = [event(delivery) for delivery in receiver.deliveries]
    assert [one["type"].partition(".")[2] for one in events] == [
        "subscription.created",
        "subscription.updated",
        "payment_failed",
        "paid",
        "subscription.updated",
        "subscription.deleted",
    ]
    assert events[1]["data"]["previous_attributes"] == {"status": "active"}
    assert events[2]["data"]["object"]["parent"]["subscription_details"]["subscription"] == told["object"]
    assert events[4]["data"]["object"]["cancel_at"]
    assert not events[4]["data"]["object"]["cancel_at_period_end"]
    now = get(simulator, f"subscriptions/{told['object']}")
    assert (now["status"], now["customer"]) == ("canceled", "cus_1")
    assert [row["id"] for row in get(simulator, "events", limit=2)["data"]] == [events[5]["id"], events[4]["id"]]


def test_events_that_did_not_arrive_can_be_listed(simulator, receiver):
    receiver.answer = lambda _delivery: 500
    missed = emit(simulator, "stripe", step="created")["events"]
    receiver.answer = lambda _delivery: 200
    emit(simulator, "stripe", step="past_due")

    rows = wait_for(lambda: get(simulator, "events", delivery_success="false")["data"])
    assert [row["id"] for row in rows] == missed


def test_a_checkout_link_is_given_and_paid(simulator, receiver):
    session = post(simulator, "checkout/sessions", CHECKOUT).json()
    assert session["url"].startswith("http")
    assert (session["status"], session["client_reference_id"]) == ("open", "tenant_42")

    told = emit(simulator, "stripe", step="completed", session=session["id"])

    assert len(told["events"]) == 3
    events = {one["type"]: one["data"]["object"] for one in map(event, receiver.deliveries)}
    assert events["checkout.session.completed"]["payment_status"] == "paid"
    assert events["customer.subscription.created"]["metadata"] == {"tenant_id": "42"}
    assert events["customer.subscription.created"]["items"]["data"][0]["price"]["id"] == "price_9"
    assert get(simulator, f"checkout/sessions/{session['id']}")["status"] == "complete"


def test_the_library_understands_what_it_is_answered(simulator):
    client = stripe.StripeClient("sk_test_simulated", base_addresses={"api": simulator.url})
    session = client.v1.billing_portal.sessions.create({"customer": "cus_1", "return_url": "https://school.example"})

    assert session.url.startswith("http")
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.subscriptions.retrieve("sub_none")


def test_one_idempotency_key_is_one_link(simulator):
    keyed = {"Idempotency-Key": "one"}
    first, again = (post(simulator, "checkout/sessions", CHECKOUT, **keyed).json() for _ in range(2))
    other = post(simulator, "checkout/sessions", CHECKOUT | {"mode": "payment"}, **keyed)

    assert first == again
    assert (other.status_code, other.json()["error"]["type"]) == (400, "idempotency_error")


@pytest.mark.parametrize(
    ("path", "data"),
    [("checkout/sessions", {}), ("checkout/sessions", CHECKOUT | {"success_url": ""}), ("billing_portal/sessions", {})],
    ids=["nothing", "nowhere_to_go", "nobody"],
)
def test_what_is_missing_is_named(simulator, path, data):
    response = post(simulator, path, data)

    assert (response.status_code, response.json()["error"]["type"]) == (400, "invalid_request_error")


def test_without_a_key_nothing_is_done(simulator):
    assert post(simulator, "checkout/sessions", CHECKOUT, auth=None).status_code == 401


@pytest.mark.parametrize("form", ["svix", "standard"])
def test_the_identity_provider_tells_of_people(simulator, receiver, form):
    told = emit(simulator, "identity", type="user.created", email="ada@people.example", name="Ada Osei", form=form)

    (delivery,) = receiver.deliveries
    prefix = "svix" if form == "svix" else "webhook"
    headers = {f"webhook-{name}": delivery.headers[f"{prefix}-{name}"] for name in ("id", "timestamp", "signature")}
    body = Webhook(DEMO_SECRETS["IDENTITY_WEBHOOK_SECRET"]).verify(delivery.body, headers)
    assert (delivery.path, headers["webhook-id"]) == ("/webhooks/identity", told["id"])
    assert body["data"]["email_addresses"][0]["email_address"] == "ada@people.example"
    assert (body["data"]["first_name"], body["type"]) == ("Ada", "user.created")


def test_a_score_is_pushed(simulator, receiver):
    emit(simulator, "scores", nickname="Owl", score=17)

    (delivery,) = receiver.deliveries
    headers = {name: value for name, value in delivery.headers.items() if name.startswith("webhook-")}
    body = Webhook(DEMO_SECRETS["SCORES_SECRET"]).verify(delivery.body, headers)
    assert (delivery.path, body["nickname"], body["score"], body["quiz_code"]) == (
        "/webhooks/scores",
        "Owl",
        17,
        "KIDS1",
    )
    assert base64.b64decode(DEMO_SECRETS["SCORES_SECRET"].removeprefix("whsec_"))


@pytest.mark.parametrize(
    ("what", "data"),
    [
        ("stripe", {"step": "dance"}),
        ("stripe", {"event": {}}),
        ("stripe", {"step": "completed"}),
        ("identity", {"form": "fax"}),
        ("identity", {"data": []}),
        ("identity", {"email": 5}),
    ],
)
def test_what_makes_no_sense_is_refused(simulator, receiver, what, data):
    assert simulator.http.post(f"{simulator.url}/_control/{what}", json=data).status_code == 400
    assert receiver.deliveries == []
