"""What the identity provider's events become: people, and their attempts to pay."""

import itertools
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from config.live.unit import unit_of_work
from crm.models import BrowserSession, PaymentAttempt, ProviderEvent, User, UserIdentity
from crm.models.people import PLATFORM_ADMIN
from tests.cast import make_user, make_workspace, new_id, unique
from webhooks.identity import payload
from webhooks.identity.items import Other
from webhooks.models import Delivery
from webhooks.services import identity

T = 1_763_668_790_000


@pytest.fixture
def workspace(settings):
    made = make_workspace("demo")
    settings.IDENTITY_WORKSPACE = made.slug
    return made


def clerk_user(subject: str, *, email: str = "", status: str = "verified", at: int = T, **more: Any) -> dict[str, Any]:
    address = {"id": "idn_1", "email_address": email or f"{subject}@example.test", "verification": {"status": status}}
    return {
        "id": subject,
        "object": "user",
        "first_name": "Ada",
        "last_name": "Lovelace",
        "primary_email_address_id": "idn_1",
        "email_addresses": [{"id": "idn_0", "email_address": "other@example.test"}, address],
        "phone_numbers": [],
        "unsafe_metadata": {"email": "boss@example.test", "user_id": "1"},
        "banned": False,
        "created_at": T,
        "updated_at": at,
        **more,
    }


def event(kind: str, data: Any, at: int = T) -> dict[str, Any]:
    return {"type": kind, "object": "event", "timestamp": at, "instance_id": "ins_1", "data": data}


def tell(workspace, body: dict[str, Any], key: str = "") -> dict[str, Any]:
    delivery = Delivery.objects.create(
        provider="identity", workspace_id=workspace.pk, event_key=key or unique("msg"), body=json.dumps(body).encode()
    )
    with unit_of_work():
        return identity.apply(delivery_id=delivery.pk)


def user_of(subject: str, provider: str = "clerk") -> User:
    return User.objects.get(identities__provider=provider, identities__subject=subject)


def moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


# --- People -------------------------------------------------------------------------------------------------


def test_a_user_is_made_with_the_verified_address(workspace):
    subject = unique("user")
    tell(workspace, event("user.created", clerk_user(subject)))
    user = user_of(subject)
    assert (user.email, user.name, user.is_active) == (f"{subject}@example.test", "Ada Lovelace", True)


def test_an_address_that_is_not_verified_is_not_taken(workspace):
    subject = unique("user")
    tell(workspace, event("user.created", clerk_user(subject, status="unverified")))
    assert user_of(subject).email == ""


def test_a_life_ends_the_same_in_every_order_and_nobody_comes_back(workspace):
    ends = set()
    for order in itertools.permutations(range(4)):
        subject = unique("user")
        events = [
            event("user.created", clerk_user(subject)),
            event("user.updated", clerk_user(subject, at=T + 1, first_name="Augusta"), T + 1),
            event("user.updated", clerk_user(subject, at=T + 2, first_name="Byron"), T + 2),
            event("user.deleted", {"id": subject, "object": "user", "deleted": True}, T + 3),
        ]
        for number in order:
            tell(workspace, events[number])
        user = user_of(subject)
        assert not user.is_active, order
        ends.add(UserIdentity.objects.get(subject=subject).removed_at)
    assert ends == {moment(T + 3)}


def test_changes_end_the_same_in_every_order(workspace):
    for order in itertools.permutations(range(3)):
        subject = unique("user")
        events = [
            event("user.created", clerk_user(subject)),
            event("user.updated", clerk_user(subject, first_name="Augusta"), T),
            event("user.updated", clerk_user(subject, at=T + 2, first_name="Byron"), T + 2),
        ]
        for number in order:
            tell(workspace, events[number])
        assert user_of(subject).name == "Byron Lovelace", order


def test_made_and_changed_at_one_moment_ends_as_changed(workspace):
    for order in ((0, 1), (1, 0)):
        subject = unique("user")
        events = [
            event("user.created", clerk_user(subject)),
            event("user.updated", clerk_user(subject, first_name="Augusta")),
        ]
        for number in order:
            tell(workspace, events[number])
        assert user_of(subject).name == "Augusta Lovelace", order


def test_deleting_signs_out_everywhere_and_twice_is_once(workspace):
    subject = unique("user")
    tell(workspace, event("user.created", clerk_user(subject)))
    user = user_of(subject)
    BrowserSession.objects.create(user=user, tokens={}, expires_at=datetime(2100, 1, 1, tzinfo=UTC))
    gone = event("user.deleted", {"id": subject, "deleted": True}, T + 5)
    tell(workspace, gone)
    tell(workspace, gone)
    user.refresh_from_db()
    assert user.deactivated_at is not None
    assert not BrowserSession.objects.filter(user=user).exists()


def test_deleting_somebody_who_never_came_is_remembered(workspace):
    subject = unique("user")
    tell(workspace, event("user.deleted", {"id": subject, "deleted": True}, T))
    tell(workspace, event("user.created", clerk_user(subject, at=T + 9), T + 9))
    assert not user_of(subject).is_active


def test_a_ban_can_be_taken_back_and_a_deactivation_of_ours_cannot(workspace):
    subject = unique("user")
    tell(workspace, event("user.created", clerk_user(subject)))
    tell(workspace, event("user.updated", clerk_user(subject, at=T + 1, banned=True)))
    assert not user_of(subject).is_active
    tell(workspace, event("user.updated", clerk_user(subject, at=T + 2)))
    assert user_of(subject).is_active
    User.objects.filter(pk=user_of(subject).pk).update(deactivated_at=moment(T))
    tell(workspace, event("user.updated", clerk_user(subject, at=T + 3, banned=True)))
    tell(workspace, event("user.updated", clerk_user(subject, at=T + 4)))
    assert not user_of(subject).is_active


def test_a_known_person_is_linked_by_the_verified_address_and_keeps_id_and_name(workspace):
    ada, subject = make_user("ada"), unique("user")
    tell(workspace, event("user.created", clerk_user(subject, email=ada.email.upper())))
    assert user_of(subject).pk == ada.pk
    ada.refresh_from_db()
    assert ada.name == "Ada"


def test_an_address_that_anybody_may_type_links_nobody(workspace):
    ada, subject = make_user("ada"), unique("user")
    data = clerk_user(subject, email=ada.email, status="unverified", unsafe_metadata={"email": ada.email})
    tell(workspace, event("user.created", data))
    assert user_of(subject).pk != ada.pk


def test_two_people_of_one_address_are_no_reason_to_guess(workspace):
    ada, other, subject = make_user("ada"), make_user("other"), unique("user")
    User.objects.filter(pk=other.pk).update(email=ada.email)
    tell(workspace, event("user.created", clerk_user(subject, email=ada.email)))
    assert user_of(subject).pk not in (ada.pk, other.pk)


def test_the_last_admin_is_not_locked_out(workspace):
    User.objects.filter(roles__contains=[PLATFORM_ADMIN]).update(roles=[])
    subject = unique("user")
    tell(workspace, event("user.created", clerk_user(subject)))
    User.objects.filter(pk=user_of(subject).pk).update(roles=[PLATFORM_ADMIN])
    outcome = tell(workspace, event("user.deleted", {"id": subject}, T + 1))
    assert outcome["kept_last_admin"]
    assert user_of(subject).is_active
    User.objects.filter(pk=user_of(subject).pk).update(roles=[])


def test_twenty_tellings_at_once_make_one_user(workspace, at_once):
    subject = unique("user")
    bodies = [event("user.updated", clerk_user(subject, at=T + n), T + n) for n in range(20)]
    results = at_once([lambda body=body: tell(workspace, body) for body in bodies])
    assert [result for result in results if isinstance(result, Exception)] == []
    assert UserIdentity.objects.filter(subject=subject).count() == 1
    assert User.objects.filter(email=f"{subject}@example.test").count() == 1
    assert UserIdentity.objects.get(subject=subject).provider_time == moment(T + 19)


def test_the_same_delivery_twice_is_one(workspace):
    subject, key = unique("user"), unique("msg")
    tell(workspace, event("user.created", clerk_user(subject)), key)
    delivery = Delivery.objects.get(event_key=key)
    with unit_of_work():
        assert identity.apply(delivery_id=delivery.pk) == {"duplicate": True}
    assert ProviderEvent.objects.filter(provider="identity", event_id=key).count() == 1


# --- Supabase -----------------------------------------------------------------------------------------------


def supabase_user(**more: Any) -> dict[str, Any]:
    found: dict[str, Any] = {
        "id": str(new_id()),
        "email": f"{unique('sam')}@example.test",
        "email_confirmed_at": "2025-11-20T19:00:00Z",
    }
    found |= {"user_metadata": {"full_name": "Sam"}, "updated_at": "2025-11-20T20:00:00Z"}
    return {**found, **more}


def test_a_new_user_of_supabase_has_its_id(workspace):
    sam = supabase_user()
    hook = {
        "metadata": {"uuid": unique("u"), "name": "after-user-created", "time": "2025-11-20T20:00:00Z"},
        "user": sam,
    }
    tell(workspace, hook)
    user = user_of(sam["id"], "supabase")
    assert (str(user.pk), user.email, user.name) == (sam["id"], sam["email"], "Sam")


def test_rows_of_its_table_come_and_go(workspace):
    sam = supabase_user()
    table = {"table": "users", "schema": "auth"}
    tell(workspace, {"type": "INSERT", **table, "record": sam, "old_record": None})
    changed = {**sam, "raw_user_meta_data": {"full_name": "Samuel"}, "updated_at": "2025-11-21T20:00:00Z"}
    del changed["user_metadata"]
    tell(workspace, {"type": "UPDATE", **table, "record": changed, "old_record": sam})
    assert user_of(sam["id"], "supabase").name == "Samuel"
    tell(workspace, {"type": "DELETE", **table, "record": None, "old_record": changed})
    assert not user_of(sam["id"], "supabase").is_active


@pytest.mark.parametrize(
    "body",
    [
        {"metadata": {"uuid": "1", "name": "before-user-created"}, "user": {"id": str(new_id())}},
        {"type": "INSERT", "table": "orders", "schema": "public", "record": {"id": 1}},
        {"type": "INSERT", "table": "users", "schema": "auth", "record": {"id": "not a uuid"}},
        event("user.deleted", {"object": "user", "deleted": True}),
        event("user.created", {"first_name": "No id"}),
        event("session.created", {"id": "sess_1"}),
        event("subscription.pastDue", {"id": "csub_1"}),
        event("subscriptionItem.active", {"id": "csub_item_1"}),
        event("paymentAttempt.updated", {"status": "paid"}),
        event("paymentAttempt.updated", {"id": "1", "status": "lost"}),
    ],
    ids=range(10),
)
def test_what_is_of_no_use_is_kept_as_not_handled(body):
    assert isinstance(payload.item_of(payload.read(json.dumps(body).encode())), Other)


# --- Payments -----------------------------------------------------------------------------------------------


def payment(number: str, status: str = "paid", at: int = T, payer: str = "", **more: Any) -> dict[str, Any]:
    money = {"amount": 1200, "currency": "usd"}
    return {
        "id": f"cpayatt_{number}",
        "payment_id": f"cpay_{number}",
        "status": status,
        "charge_type": "recurring",
        "created_at": T,
        "updated_at": at,
        "paid_at": at if status == "paid" else None,
        "failed_at": at if status == "failed" else None,
        "failed_reason": {"code": "card_declined", "decline_code": "insufficient_funds"}
        if status == "failed"
        else None,
        "billing_date": T,
        "payer": {"user_id": payer, "organization_id": "" if payer else "org_1", "email": "ada@example.test"},
        "totals": {"subtotal": {**money, "amount": 1000}, "tax_total": {**money, "amount": 200}, "grand_total": money},
        **more,
    }


def test_an_attempt_ends_the_same_in_every_order_and_is_never_unpaid_again(workspace):
    for order in itertools.permutations(range(4)):
        number = unique("p")
        events = [
            event("paymentAttempt.created", payment(number, "pending")),
            event("paymentAttempt.updated", payment(number, "failed", T + 1), T + 1),
            event("paymentAttempt.updated", payment(number, "paid", T + 2), T + 2),
            event("paymentAttempt.updated", payment(number, "pending", T + 3), T + 3),
        ]
        for index in order:
            tell(workspace, events[index])
        found = PaymentAttempt.objects.get(payment_id=f"cpay_{number}")
        assert (found.status, found.failure_code, found.failed_at) == ("paid", "", None), order
        assert (found.amount, found.subtotal, found.tax, found.currency) == (1200, 1000, 200, "USD")
        assert (found.paid_at, found.payer_id, found.provider) == (moment(T + 2), "org_1", "clerk")


def test_a_failed_attempt_says_why(workspace):
    number = unique("p")
    tell(workspace, event("paymentAttempt.updated", payment(number, "failed")))
    found = PaymentAttempt.objects.get(payment_id=f"cpay_{number}")
    assert (found.status, found.failure_code, found.failure_message) == (
        "failed",
        "card_declined",
        "insufficient_funds",
    )


@pytest.mark.parametrize("kind", ["paymentAttempt.updated", "payment_attempt.updated", "payment.attempt.updated"])
def test_every_spelling_of_the_kind_is_known(workspace, kind):
    number = unique("p")
    tell(workspace, event(kind, payment(number)))
    assert PaymentAttempt.objects.filter(payment_id=f"cpay_{number}").exists()


@pytest.mark.parametrize("first", ["user", "payment"])
def test_a_payment_is_its_payers_whichever_is_told_first(workspace, first):
    subject, number = unique("user"), unique("p")
    events = {
        "user": event("user.created", clerk_user(subject)),
        "payment": event("paymentAttempt.updated", payment(number, payer=subject)),
    }
    for name in sorted(events, key=lambda name: name != first):
        tell(workspace, events[name])
    assert PaymentAttempt.objects.get(payment_id=f"cpay_{number}").user_id == user_of(subject).pk


# --- Bad input ----------------------------------------------------------------------------------------------

BAD = [None, "", "soon", -1, 10**30, 1e308, True, [], {}, {"id": 5}, ["x"], "\u0000", "x" * 5000]


@pytest.mark.parametrize("bad", BAD, ids=range(len(BAD)))
@pytest.mark.parametrize("kind", ["user.updated", "paymentAttempt.updated"])
def test_no_odd_field_breaks_an_event(workspace, kind, bad):
    for name in clerk_user("x") if kind == "user.updated" else payment("x"):
        made = clerk_user(unique("user")) if kind == "user.updated" else payment(unique("p"))
        tell(workspace, event(kind, {**made, name: bad}))
