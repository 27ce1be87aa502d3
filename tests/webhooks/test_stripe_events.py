"""What Stripe's events become. Whatever their order, the same account and the same payments come out."""

import itertools
import json
import random
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.conf import settings as django_settings

from config.live.events import events_after, head
from config.live.unit import unit_of_work
from crm.clients import stripe as client
from crm.models import BillingAccount, Contact, PaymentAttempt, ProviderEvent
from jobs.models import Job
from tests.cast import make_user, make_workspace, unique
from tests.jobs_at_hand import run_job
from tests.webhooks.signing import finish
from webhooks.models import Delivery
from webhooks.services import stripe

T = 1_763_668_790
DAY = 86_400
Event = dict[str, Any]


@pytest.fixture
def workspace(settings):
    made = make_workspace("demo")
    settings.STRIPE_WORKSPACE = made.slug
    return made


def moment(epoch: int) -> datetime:
    return datetime.fromtimestamp(epoch, UTC)


def event(kind: str, thing: dict[str, Any], at: int = T) -> Event:
    data = {"object": {"object": kind.split(".")[0], **thing}}
    return {"id": unique("evt"), "object": "event", "type": kind, "created": at, "data": data}


def subscription(
    customer: str, status: str = "active", *, sub: str = "", ends: int = T + 30 * DAY, **more: Any
) -> dict[str, Any]:
    return {
        "id": sub or f"sub_{customer}",
        "object": "subscription",
        "customer": customer,
        "status": status,
        "created": T - 100,
        "cancel_at": None,
        "cancel_at_period_end": False,
        "canceled_at": None,
        "ended_at": None,
        "trial_end": None,
        "metadata": {},
        "items": {"data": [{"current_period_end": ends, "quantity": 3, "price": {"id": "price_1", "object": "price"}}]},
        **more,
    }


def invoice(customer: str, *, number: str = "", **more: Any) -> dict[str, Any]:
    return {
        "id": number or f"in_{customer}",
        "object": "invoice",
        "customer": customer,
        "currency": "usd",
        "amount_due": 4900,
        "amount_paid": 4900,
        "subtotal": 4500,
        "total": 4900,
        "total_taxes": [{"amount": 300}, {"amount": 100}],
        "billing_reason": "subscription_cycle",
        "created": T - 50,
        "parent": {"type": "subscription_details", "subscription_details": {"subscription": f"sub_{customer}"}},
        **more,
    }


def deliver(workspace, told: Event) -> Delivery:
    delivery = Delivery.objects.create(
        provider="stripe", workspace_id=workspace and workspace.pk, event_key=told["id"], body=json.dumps(told).encode()
    )
    Job.objects.create(
        key=f"delivery:{delivery.pk}",
        type="webhooks.unpack_delivery",
        payload={"delivery_id": delivery.pk},
        max_attempts=8,
        outgoing=False,
    )
    return finish(delivery)


def apply(workspace, told: Event) -> dict[str, Any]:
    """What the event's job does, without the job."""
    delivery = Delivery.objects.create(
        provider="stripe", workspace_id=workspace.pk, event_key=told["id"], body=json.dumps(told).encode()
    )
    with unit_of_work():
        return stripe.apply(delivery_id=delivery.pk)


def account(customer: str) -> BillingAccount:
    return BillingAccount.objects.get(stripe_customer_id=customer)


VOLATILE = {"id", "created_at", "updated_at"}


def rows(customer: str) -> list[dict[str, str]]:
    """Everything that is stored about the customer, with its own name taken out so that runs compare."""
    found = [
        *BillingAccount.objects.filter(stripe_customer_id=customer).values(),
        *PaymentAttempt.objects.filter(payment_id__contains=customer).order_by("payment_id").values(),
        *PaymentAttempt.objects.filter(payer_id=customer).exclude(payment_id__contains=customer).values(),
    ]
    return [
        {name: str(value).replace(customer, "CUSTOMER") for name, value in row.items() if name not in VOLATILE}
        for row in found
    ]


def renamed(told: Event, old: str, new: str) -> Event:
    """The same story about another customer."""
    text = json.dumps({**told, "id": unique("evt")}).replace(old, new)
    loaded: Event = json.loads(text)
    return loaded


def every_order(workspace, tell, *, most: int = 24) -> list[dict[str, str]]:
    """Plays the events in every order, or in many, each for a customer of its own. Answers the rows they all end in."""
    events = tell("cus_ORIGINAL")
    orders = list(itertools.permutations(events))
    if len(orders) > most:
        orders = [orders[0], orders[-1], *random.Random(7).sample(orders, most)]
    seen = []
    for order in orders:
        customer = unique("cus").replace("-", "")
        for told in order:
            apply(workspace, renamed(told, "cus_ORIGINAL", customer))
        seen.append(rows(customer))
    for order, found in zip(orders, seen, strict=True):
        assert found == seen[0], [told["type"] for told in order]
    return seen[0]


# --- Order ------------------------------------------------------------------------------------------------------


def test_a_subscriptions_life_ends_the_same_in_every_order(workspace):
    def tell(customer: str) -> list[Event]:
        over = subscription(customer, "canceled", canceled_at=T + 250, ended_at=T + 300)
        return [
            event("customer.subscription.created", subscription(customer, "incomplete"), T),
            event("customer.subscription.updated", subscription(customer, "active"), T),
            event("customer.subscription.updated", subscription(customer, "past_due"), T + 100),
            event("customer.subscription.updated", subscription(customer, "active", cancel_at=T + 300), T + 200),
            event("customer.subscription.deleted", over, T + 300),
        ]

    (found,) = every_order(workspace, tell)
    assert (found["status"], found["cancels_at"]) == ("canceled", "None")
    assert found["ended_at"] == str(moment(T + 300))


def test_made_and_changed_in_one_second_ends_as_changed(workspace):
    def tell(customer: str) -> list[Event]:
        return [
            event("customer.subscription.created", subscription(customer, "active"), T),
            event("customer.subscription.updated", subscription(customer, "trialing"), T),
        ]

    (found,) = every_order(workspace, tell)
    assert found["status"] == "trialing"


def test_two_changes_in_one_second_end_the_same_in_every_order(workspace):
    def tell(customer: str) -> list[Event]:
        return [
            event("customer.subscription.updated", subscription(customer, "active", ends=T + ends), T)
            for ends in (DAY, 2 * DAY, 3 * DAY)
        ]

    every_order(workspace, tell)


def test_its_end_in_the_same_second_wins(workspace):
    def tell(customer: str) -> list[Event]:
        return [
            event("customer.subscription.created", subscription(customer, "active"), T),
            event("customer.subscription.updated", subscription(customer, "past_due"), T),
            event("customer.subscription.deleted", subscription(customer, "canceled", ended_at=T), T),
        ]

    (found,) = every_order(workspace, tell)
    assert found["status"] == "canceled"


def test_the_later_of_two_subscriptions_counts_in_every_order(workspace):
    def tell(customer: str) -> list[Event]:
        first: dict[str, Any] = {"sub": f"sub_a{customer}", "created": T - 1000}
        second: dict[str, Any] = {"sub": f"sub_b{customer}", "created": T - 10}
        return [
            event("customer.subscription.created", subscription(customer, "active", **first), T - 1000),
            event("customer.subscription.deleted", subscription(customer, "canceled", **first), T + 500),
            event("customer.subscription.created", subscription(customer, "active", **second), T - 10),
            event("customer.subscription.updated", subscription(customer, "trialing", **second), T),
        ]

    (found,) = every_order(workspace, tell)
    assert (found["status"], found["stripe_subscription_id"]) == ("trialing", "sub_bCUSTOMER")


def test_a_first_payment_ends_the_same_in_every_order_and_belongs_to_the_contact(workspace):
    contact = Contact.objects.create(workspace=workspace, name="Ana")
    named = {"metadata": {"contact_id": str(contact.pk), "tenant_id": workspace.slug}}

    def tell(customer: str) -> list[Event]:
        session: dict[str, Any] = {"id": f"cs_{customer}", "mode": "subscription", "customer": customer, **named}
        session |= {"payment_status": "paid", "subscription": f"sub_{customer}", "invoice": f"in_{customer}"}
        return [
            event("checkout.session.completed", session, T + 5),
            event("customer.subscription.created", subscription(customer, "incomplete"), T),
            event("customer.subscription.updated", subscription(customer, "active"), T + 3),
            event("invoice.paid", invoice(customer), T + 2),
            event("invoice.payment_succeeded", invoice(customer), T + 2),
            event("customer.created", {"id": customer, "metadata": {}}, T - 1),
        ]

    found, payment = every_order(workspace, tell)
    assert (found["contact_id"], found["status"], found["is_workspace"]) == (str(contact.pk), "active", "False")
    assert (payment["payment_id"], payment["status"], payment["amount"]) == ("in_CUSTOMER", "paid", "4900")
    assert (payment["currency"], payment["subtotal"], payment["tax"]) == ("USD", "4500", "400")


def test_payments_found_out_to_be_a_users_become_theirs_in_every_order(workspace):
    user = make_user("sam")

    def tell(customer: str) -> list[Event]:
        return [
            event("invoice.paid", invoice(customer), T),
            event("customer.updated", {"id": customer, "metadata": {"user_id": str(user.pk)}}, T + 1),
            event("invoice.payment_failed", invoice(customer, number=f"in_2{customer}"), T + 9),
        ]

    found, *payments = every_order(workspace, tell)
    assert found["user_id"] == str(user.pk)
    assert [payment["user_id"] for payment in payments] == [str(user.pk)] * 2


def test_metadata_may_name_another_workspace_in_every_order(workspace):
    other = make_workspace("elsewhere")

    def tell(customer: str) -> list[Event]:
        return [
            event("invoice.paid", invoice(customer), T + 1),
            event("customer.subscription.created", subscription(customer, metadata={"workspace": other.slug}), T),
        ]

    found, payment = every_order(workspace, tell)
    assert found["workspace_id"] == payment["workspace_id"] == str(other.pk)


def test_the_newest_metadata_says_whose_it_is_in_every_order(workspace):
    first, second = (Contact.objects.create(workspace=workspace, name=name) for name in ("Ana", "Bo"))

    def tell(customer: str) -> list[Event]:
        return [
            event("customer.created", {"id": customer, "metadata": {"contact_id": str(second.pk)}}, T),
            event("customer.updated", {"id": customer, "metadata": {"contact_id": str(first.pk)}}, T + 1),
            event("customer.updated", {"id": customer, "metadata": {"workspace": workspace.slug}}, T + 2),
        ]

    (found,) = every_order(workspace, tell)
    assert found["contact_id"] == str(first.pk)


def test_a_charge_that_failed_first_ends_paid_and_then_refunded_in_every_order(workspace):
    def tell(customer: str) -> list[Event]:
        pi = f"pi_{customer}"
        charge = {"id": f"ch_{customer}", "payment_intent": pi, "customer": customer, "amount": 4900, "currency": "usd"}
        return [
            event("invoice.payment_failed", invoice(customer, payment_intent=pi, amount_paid=0), T),
            event("invoice.payment_action_required", invoice(customer, payment_intent=pi), T + 1),
            event("invoice.paid", invoice(customer, payment_intent=pi), T + 2),
            event("charge.refunded", {**charge, "amount_refunded": 1000, "created": T + 2}, T + 3),
            event("charge.refunded", {**charge, "amount_refunded": 4900, "refunded": True, "created": T + 2}, T + 4),
        ]

    found, payment = every_order(workspace, tell)
    assert (payment["payment_id"], payment["status"], payment["refunded_amount"]) == ("pi_CUSTOMER", "refunded", "4900")
    assert (payment["failure_code"], payment["failed_at"]) == ("", "None")
    assert payment["paid_at"] == str(moment(T + 2))
    assert found["payment_failed_at"] == "None"


def test_part_of_it_given_back_or_disputed_leaves_it_paid_in_every_order(workspace):
    def tell(customer: str) -> list[Event]:
        pi = f"pi_{customer}"
        charge = {"id": f"ch_{customer}", "payment_intent": pi, "customer": customer, "amount": 4900, "currency": "usd"}
        return [
            event("invoice.paid", invoice(customer, payment_intent=pi), T),
            event("charge.refunded", {**charge, "refunded": False, "amount_refunded": 100, "created": T}, T + 1),
            event("charge.dispute.created", {"id": "dp_1", "payment_intent": pi, "reason": "fraudulent"}, T + 2),
        ]

    _, payment = every_order(workspace, tell)
    assert (payment["status"], payment["failure_code"], payment["failure_message"]) == (
        "paid",
        "disputed",
        "fraudulent",
    )
    assert payment["refunded_amount"] == "100"


def test_an_invoice_known_by_its_id_takes_its_payments_id_in_every_order(workspace):
    def tell(customer: str) -> list[Event]:
        payments = {"data": [{"payment": {"type": "payment_intent", "payment_intent": f"pi_{customer}"}}]}
        return [
            event("invoice.payment_failed", invoice(customer), T),
            event("invoice.paid", invoice(customer, payments=payments), T + 1),
        ]

    _, payment = every_order(workspace, tell)
    assert (payment["payment_id"], payment["invoice_id"], payment["status"]) == ("pi_CUSTOMER", "in_CUSTOMER", "paid")


# --- Once -------------------------------------------------------------------------------------------------------


def test_the_same_event_twice_is_one_and_leaves_a_tombstone(workspace):
    told = event("invoice.paid", invoice("cus_once"))
    delivery = deliver(workspace, told)
    again = Job.objects.create(
        key=unique("again"),
        type="webhooks.apply_stripe_event",
        payload={"delivery_id": delivery.pk},
        max_attempts=1,
        outgoing=False,
    )
    run_job(again.pk)
    again.refresh_from_db()
    assert again.result == {"duplicate": True}
    assert ProviderEvent.objects.filter(provider="stripe", event_id=told["id"]).count() == 1


def test_twenty_events_of_a_new_customer_at_once_make_one_account(workspace, at_once):
    customer = unique("cus")
    contact = Contact.objects.create(workspace=workspace, name="Ana")
    named = {"metadata": {"contact_id": str(contact.pk)}}
    told = [event("customer.updated", {"id": customer, "object": "customer", **named}, T + n) for n in range(10)]
    told += [event("invoice.paid", invoice(customer), T + n) for n in range(10)]
    results = at_once([lambda one=one: apply(workspace, one) for one in told])
    assert [result for result in results if isinstance(result, Exception)] == []
    assert account(customer).contact_id == contact.pk
    assert PaymentAttempt.objects.filter(payer_id=customer).count() == 1


# --- Fields -----------------------------------------------------------------------------------------------------


def test_the_periods_end_stands_on_the_items_the_soonest_of_them(workspace):
    customer = unique("cus")
    items = {"data": [{"current_period_end": T + 9}, {"current_period_end": T + 5}, {"quantity": 1}]}
    deliver(workspace, event("customer.subscription.updated", subscription(customer, items=items)))
    assert account(customer).period_end == moment(T + 5)


def test_older_versions_have_it_on_the_subscription(workspace):
    customer = unique("cus")
    old = subscription(customer, items={"data": [{"quantity": 1}]}, current_period_end=T + 7)
    deliver(workspace, event("customer.subscription.updated", old))
    assert account(customer).period_end == moment(T + 7)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"cancel_at_period_end": True}, T + 30 * DAY),
        ({"cancel_at": T + 5 * DAY}, T + 5 * DAY),
        ({"cancel_at_period_end": True, "cancel_at": T + 30 * DAY}, T + 30 * DAY),
        ({}, None),
    ],
    ids=["flag", "time", "both", "neither"],
)
def test_both_ways_of_cancelling_later(workspace, fields, expected):
    customer = unique("cus")
    deliver(workspace, event("customer.subscription.updated", subscription(customer, **fields)))
    found = account(customer)
    assert found.cancels_at == (moment(expected) if expected else None)
    assert found.status == "active", "still paid for until then"


def test_a_pause_of_the_collection_is_kept_beside_the_status_until_it_is_over(workspace):
    customer = unique("cus")
    paused = {"behavior": "mark_uncollectible", "resumes_at": T + 9 * DAY}
    deliver(workspace, event("customer.subscription.updated", subscription(customer, pause_collection=paused), T))
    found = account(customer)
    assert (found.status, found.collection_paused) == ("active", "mark_uncollectible")
    assert found.collection_resumes_at == moment(T + 9 * DAY)
    deliver(workspace, event("customer.subscription.updated", subscription(customer, pause_collection=None), T + 1))
    over = account(customer)
    assert (over.collection_paused, over.collection_resumes_at) == ("", None)


def test_whoever_looks_at_a_contact_hears_of_its_billing(workspace):
    contact, customer = Contact.objects.create(workspace=workspace), unique("cus")
    topic, named = f"contact.{contact.pk}", {"contact_id": str(contact.pk)}
    before = head(topic)
    charge = {"id": unique("ch"), "payment_intent": f"pi_{customer}", "customer": customer, "amount": 4900}
    deliver(workspace, event("customer.subscription.created", subscription(customer, metadata=named), T))
    deliver(workspace, event("invoice.payment_failed", invoice(customer, payment_intent=f"pi_{customer}"), T + 1))
    deliver(workspace, event("charge.refunded", {**charge, "amount_refunded": 900, "currency": "usd"}, T + 2))
    told = events_after(topic, before)
    billing = [one.data["billing"] for one in told if one.type == "billing.updated"]
    payments = [one.data["payment"] for one in told if one.type == "payment.updated"]
    assert [(one["status"], one["payment_failed_at"] is not None) for one in billing][-2:] == [
        ("active", False),
        ("active", True),
    ]
    assert [(one["status"], one["refunded_amount"]) for one in payments] == [("failed", 0), ("failed", 900)]
    assert {one.data["contact"] for one in told} == {str(contact.pk)}
    assert customer not in str([one.data for one in told])
    older = head(topic)
    deliver(workspace, event("customer.subscription.updated", subscription(customer, "past_due"), T - DAY))
    assert events_after(topic, older) == []


def test_a_cancellation_taken_back_is_gone(workspace):
    customer = unique("cus")
    deliver(workspace, event("customer.subscription.updated", subscription(customer, cancel_at=T + DAY), T))
    deliver(workspace, event("customer.subscription.updated", subscription(customer), T + 1))
    assert account(customer).cancels_at is None


@pytest.mark.parametrize("status", ["paused", "past_due", "unpaid", "trialing", "incomplete_expired"])
def test_every_status_is_mirrored(workspace, status):
    customer = unique("cus")
    deliver(workspace, event("customer.subscription.updated", subscription(customer, status, trial_end=T + DAY)))
    assert (account(customer).status, account(customer).trial_ends_at) == (status, moment(T + DAY))


def test_expanded_objects_are_read_by_their_id(workspace):
    customer = unique("cus")
    told = {**subscription(customer), "customer": {"id": customer, "object": "customer", "email": "a@b.example"}}
    deliver(workspace, event("customer.subscription.updated", told))
    assert account(customer).status == "active"


def test_an_invoice_that_failed_is_open_until_one_is_paid(workspace):
    customer = unique("cus")
    deliver(workspace, event("invoice.payment_failed", invoice(customer), T))
    assert account(customer).payment_failed_at == moment(T)
    assert PaymentAttempt.objects.get(payer_id=customer).status == "failed"
    deliver(workspace, event("invoice.paid", invoice(customer), T + 1))
    assert account(customer).payment_failed_at is None


def test_nothing_to_pay_is_no_payment(workspace):
    customer = unique("cus")
    deliver(workspace, event("invoice.paid", invoice(customer, amount_due=0, amount_paid=0, total=0)))
    assert not PaymentAttempt.objects.filter(payer_id=customer).exists()


def test_one_payment_by_a_slow_method_waits_and_then_counts(workspace):
    customer = unique("cus")
    session: dict[str, Any] = {"id": f"cs_{customer}", "mode": "payment", "customer": customer}
    session |= {"payment_intent": f"pi_{customer}", "amount_total": 700, "currency": "eur"}
    deliver(workspace, event("checkout.session.completed", {**session, "payment_status": "unpaid"}, T))
    assert PaymentAttempt.objects.get(payment_id=f"pi_{customer}").status == "pending"
    deliver(workspace, event("checkout.session.async_payment_succeeded", {**session, "payment_status": "paid"}, T + 9))
    found = PaymentAttempt.objects.get(payment_id=f"pi_{customer}")
    assert (found.status, found.amount, found.currency, found.paid_at) == ("paid", 700, "EUR", moment(T + 9))


def test_somebody_who_paid_without_becoming_a_customer(workspace):
    session = {"id": unique("cs"), "mode": "payment", "payment_intent": unique("pi"), "payment_status": "paid"}
    deliver(workspace, event("checkout.session.completed", {**session, "customer": None, "amount_total": 5}))
    assert PaymentAttempt.objects.get(payment_id=session["payment_intent"]).workspace_id == workspace.pk


def test_an_abandoned_checkout_changes_nothing(workspace):
    customer = unique("cus")
    delivery = deliver(workspace, event("checkout.session.expired", {"id": "cs", "customer": customer}))
    assert delivery.state == "applied"
    assert not BillingAccount.objects.filter(stripe_customer_id=customer).exists()


# --- Whose ------------------------------------------------------------------------------------------------------


def test_an_unknown_customer_is_the_workspaces_own_and_never_found_by_an_address(workspace):
    customer = unique("cus")
    Contact.objects.create(workspace=workspace, email="ada@example.test")
    session = {"id": "cs", "mode": "subscription", "customer": customer, "subscription": "sub_x"}
    details = {"customer_details": {"email": "ada@example.test"}, "client_reference_id": "tenant_42"}
    deliver(workspace, event("checkout.session.completed", {**session, **details, "metadata": {"tenant_id": "42"}}))
    found = account(customer)
    assert (found.workspace_id, found.is_workspace, found.contact_id) == (workspace.pk, True, None)
    assert found.stripe_subscription_id == "sub_x"


@pytest.mark.parametrize("word", ["nobody", "", "\ud800", "1", None, 7, {"a": 1}], ids=range(7))
def test_metadata_that_names_nobody_is_as_good_as_none(workspace, word):
    customer = unique("cus")
    named = {"contact_id": word, "user_id": word, "workspace": word}
    delivery = deliver(workspace, event("customer.created", {"id": customer, "object": "customer", "metadata": named}))
    assert delivery.state == "applied"
    assert account(customer).is_workspace


def test_a_contact_of_another_workspace_than_the_one_named_is_not_taken(workspace):
    elsewhere = make_workspace("elsewhere")
    theirs = Contact.objects.create(workspace=elsewhere, name="Theirs")
    customer = unique("cus")
    named = {"workspace": workspace.slug, "contact_id": str(theirs.pk)}
    deliver(workspace, event("customer.created", {"id": customer, "object": "customer", "metadata": named}))
    found = account(customer)
    assert (found.workspace_id, found.contact_id) == (workspace.pk, None)


def test_without_any_workspace_the_job_waits_for_the_setting(workspace, settings):
    settings.STRIPE_WORKSPACE = ""
    customer = unique("cus")
    told = event("customer.created", {"id": customer, "object": "customer"})
    deliver(None, told)
    job = Job.objects.get(key=f"stripe:{told['id']}")
    assert job.status == "pending"
    assert "workspace" in job.last_error
    settings.STRIPE_WORKSPACE = workspace.slug
    run_job(job.pk)
    assert account(customer).workspace_id == workspace.pk


# --- Bad input --------------------------------------------------------------------------------------------------

BAD = [None, "", "soon", -1, 1e400, 10**30, True, [], {}, {"id": 5}, ["x"], "\u0000"]


@pytest.mark.parametrize("bad", BAD, ids=range(len(BAD)))
@pytest.mark.parametrize(
    ("kind", "thing"),
    [("customer.subscription.updated", subscription), ("invoice.paid", invoice)],
    ids=["subscription", "invoice"],
)
def test_no_odd_field_breaks_an_event(workspace, kind, thing, bad):
    """Each field in turn is wrong. The event is applied as far as it can be, and the job never fails."""
    for name in thing("x"):
        customer = unique("cus")
        text = re.sub(r"\bInfinity\b", "1e308", json.dumps(event(kind, {**thing(customer), name: bad})))
        told = json.loads(text)
        deliver(workspace, told)
        job = Job.objects.filter(key=f"stripe:{told['id']}").first()
        assert job is not None
        assert (name, job.status, job.last_error) == (name, "completed", "")


def test_the_key_is_not_needed_for_any_of_this():
    assert django_settings.STRIPE_API_KEY == ""


# --- Asking Stripe ----------------------------------------------------------------------------------------------


def fetch_job(sub: str) -> Job:
    return Job.objects.get(key__startswith=f"stripe:fetch:{sub}:")


def tie(workspace, customer: str) -> None:
    for ends in (DAY, 2 * DAY):
        apply(workspace, event("customer.subscription.updated", subscription(customer, "active", ends=T + ends), T))


def test_two_changes_in_one_second_are_settled_by_asking(workspace, settings, monkeypatch):
    settings.STRIPE_API_KEY = "sk_test_1"
    customer = unique("cus")
    tie(workspace, customer)
    truth = subscription(customer, "past_due", ends=T + 9 * DAY)
    monkeypatch.setattr(client, "get_subscription", lambda wanted: truth if wanted == truth["id"] else None)
    job = fetch_job(truth["id"])
    run_job(job.pk)
    job.refresh_from_db()
    assert (job.status, job.result) == ("completed", {"known": True})
    assert account(customer).status == "past_due"
    apply(workspace, event("customer.subscription.updated", subscription(customer, "active", ends=T + 3 * DAY), T))
    assert account(customer).status == "past_due", "it knew of that one already"
    apply(workspace, event("customer.subscription.updated", subscription(customer, "active"), T + 1))
    assert account(customer).status == "active"


@pytest.mark.parametrize(
    "answer", [None, {}, {"id": "sub_other", "status": "active"}, {"status": "active"}], ids=range(4)
)
def test_an_answer_about_something_else_changes_nothing(workspace, settings, monkeypatch, answer):
    settings.STRIPE_API_KEY = "sk_test_1"
    customer = unique("cus")
    tie(workspace, customer)
    before = rows(customer)
    monkeypatch.setattr(client, "get_subscription", lambda wanted: answer)
    run_job(fetch_job(f"sub_{customer}").pk)
    assert rows(customer) == before


def test_without_a_key_nobody_is_asked(workspace):
    customer = unique("cus")
    tie(workspace, customer)
    assert not Job.objects.filter(key__startswith=f"stripe:fetch:sub_{customer}").exists()
