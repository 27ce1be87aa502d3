"""A contact's profile and memory: what may be written, by whom, who hears of it, and that nobody waits for anybody."""

import threading
from collections.abc import Callable
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connections, transaction

from config.errors import Forbidden, NotFound
from config.live.events import events_after, head
from config.live.unit import unit_of_work
from crm import topics
from crm.access import check
from crm.actors import System
from crm.models import BillingAccount, Contact, ContactMemory, ContactProfile
from crm.roles import Action
from crm.services import billing
from crm.services.profiles import count_interactions, update_memory, update_profile
from inbox.models import Channel
from inbox.services.inbound import receive_message
from inbox.services.messages import send_message
from tests.api import Api
from tests.cast import incoming, new_id, receive, sender, unique

NUMBER = "6281234567890"
PATIENCE = 20.0  # seconds


@pytest.fixture(autouse=True)
def _own_issuer(settings):
    settings.SUPABASE_URL = ""
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "whitenoise" not in name]


@pytest.fixture
def contact(cast) -> Contact:
    return receive(cast, who=sender(NUMBER)).contact


# --- Over REST ------------------------------------------------------------------------------------------------


def of(cast: Any, contact: Contact, user: Any) -> Api:
    return Api(user).of(cast.workspace.slug)


def path(contact: Contact, what: str) -> str:
    return f"contacts/{contact.pk}/{what}"


def test_a_profile_is_empty_until_somebody_writes_it(cast, contact):
    api = of(cast, contact, cast.ben)
    empty = api.get(path(contact, "profile")).json()
    assert (empty["first_name"], empty["burnout_score"], empty["pressure_zones"]) == ("", None, [])
    changed = api.patch(
        path(contact, "profile"),
        {"first_name": "Budi", "burnout_score": 62.5, "pressure_zones": ["sleep"], "assessment": {"step": 2}},
    )
    assert changed.status_code == 200
    assert changed.json()["burnout_band"] == "high"
    api.patch(path(contact, "profile"), {"journey_phase": "settling"})
    row = api.get(path(contact, "profile")).json()
    assert (row["first_name"], row["journey_phase"], row["burnout_score"]) == ("Budi", "settling", 62.5)


@pytest.mark.parametrize(
    ("score", "band"), [(0, "low"), (24.99, "low"), (25, "moderate"), (50, "high"), (75, "severe"), (None, "")]
)
def test_a_score_gets_its_band_unless_one_is_named(cast, contact, score, band):
    api = of(cast, contact, cast.ben)
    assert api.patch(path(contact, "profile"), {"burnout_score": score}).json()["burnout_band"] == band
    named = api.patch(path(contact, "profile"), {"burnout_score": score, "burnout_band": "moderate"}).json()
    assert named["burnout_band"] == "moderate"


@pytest.mark.parametrize(
    ("what", "body", "field"),
    [
        ("profile", {"burnout_score": 101}, "burnout_score"),
        ("profile", {"burnout_score": "much"}, "burnout_score"),
        ("profile", {"burnout_band": "burning"}, "burnout_band"),
        ("profile", {"pressure_zones": "sleep"}, "pressure_zones"),
        ("profile", {"assessment": [1]}, "assessment"),
        ("profile", {"assessment": {"a": "\x00"}}, "assessment"),
        ("profile", {"assessment": {"a": "x" * 70_000}}, "assessment"),
        ("profile", {"first_name": "x" * 121}, "first_name"),
        ("state", {"recent_messages": "Halo"}, "recent_messages"),
        ("state", {"historical_summary": "x" * 70_000}, "historical_summary"),
        ("state", {"conversation_started_at": "yesterday"}, "conversation_started_at"),
    ],
)
def test_bad_input_is_refused_by_its_field(cast, contact, what, body, field):
    answer = of(cast, contact, cast.ben).patch(path(contact, what), body)
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [field]


def test_strangers_and_readers_write_nothing(cast, contact):
    for what, body in (("profile", {"first_name": "X"}), ("state", {"historical_summary": "X"})):
        statuses = {
            user.name: (
                of(cast, contact, user).get(path(contact, what)).status_code,
                of(cast, contact, user).patch(path(contact, what), body).status_code,
            )
            for user in (cast.cleo, cast.sam, cast.tia, cast.vic, cast.ben)
        }
        assert statuses == {
            "Cleo": (404, 404),
            "Sam": (404, 404),
            "Tia": (404, 404),
            "Vic": (200, 403),
            "Ben": (200, 200),
        }
    assert not ContactProfile.objects.filter(contact=contact).exclude(first_name="X").exists()
    elsewhere = Api(cast.cleo).of(cast.elsewhere.slug)
    assert elsewhere.get(path(contact, "profile")).status_code == 404
    assert elsewhere.get(path(contact, "billing")).status_code == 404


def test_services_refuse_the_same(cast, contact):
    with pytest.raises(NotFound):
        update_profile(actor=cast.actor(cast.cleo, cast.elsewhere), contact_id=contact.pk, changes={})
    with pytest.raises(Forbidden):
        update_memory(actor=cast.actor(cast.vic), contact_id=contact.pk, changes={})
    with pytest.raises(Forbidden):
        check(cast.actor(cast.vic), Action.EDIT_CONTACTS)


def test_whoever_looks_at_the_contact_hears_of_changes(cast, contact):
    before = head(topics.contact(contact.pk))
    update_profile(actor=cast.system, contact_id=contact.pk, changes={"first_name": "Budi"})
    update_memory(actor=cast.system, contact_id=contact.pk, changes={"historical_summary": "Asks a lot."})
    told = events_after(topics.contact(contact.pk), before)
    assert [event.type for event in told] == ["profile.updated", "state.updated"]
    assert told[0].data["profile"]["first_name"] == "Budi"
    assert told[1].data["state"]["historical_summary"] == "Asks a lot."


def test_how_billing_stands(cast, contact):
    api = of(cast, contact, cast.vic)
    assert api.get(path(contact, "billing")).json() == {"billing": None}
    BillingAccount.objects.create(
        workspace=cast.workspace, contact=contact, stripe_customer_id=unique("cus"), status="past_due"
    )
    answer = api.get(path(contact, "billing")).json()["billing"]
    assert (answer["status"], answer["past_due"]) == ("past_due", True)
    assert "stripe_customer_id" not in answer


# --- The count of messages -----------------------------------------------------------------------------------


def test_every_message_is_counted_once_either_way(cast):
    thread = receive(cast, who=sender(NUMBER))
    contact = thread.contact
    first = ContactMemory.objects.get(contact=contact)
    assert first.total_interactions == 1
    message = incoming(who=sender(NUMBER))
    channel = Channel.objects.select_related("workspace").get(pk=cast.channel.pk)
    for _ in range(2):  # the same delivery twice
        receive_message(actor=System(cast.workspace.pk, "test"), channel=channel, incoming=message)
    receive(cast, "👍", who=sender(NUMBER), type="reaction")
    ben = cast.actor(cast.ben)
    send_message(actor=ben, conversation_id=thread.pk, client_id=new_id(), body="Halo")
    send_message(actor=ben, conversation_id=thread.pk, client_id=new_id(), body="nice one", note=True)
    memory = ContactMemory.objects.get(contact=contact)
    assert memory.total_interactions == 3
    assert memory.conversation_started_at == first.conversation_started_at
    assert memory.last_message_at > first.last_message_at


def test_counting_keeps_what_assistants_wrote(cast, contact):
    update_memory(actor=cast.system, contact_id=contact.pk, changes={"historical_summary": "Asks a lot."})
    receive(cast, who=sender(NUMBER))
    memory = ContactMemory.objects.get(contact=contact)
    assert (memory.total_interactions, memory.historical_summary) == (2, "Asks a lot.")


def test_what_was_rolled_back_is_not_counted(cast, contact):
    def fails() -> None:
        with unit_of_work():
            receive(cast, who=sender(NUMBER))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    assert ContactMemory.objects.get(contact=contact).total_interactions == 1


def test_an_old_message_moves_the_beginning_and_not_the_end(cast, contact):
    before = ContactMemory.objects.get(contact=contact)
    long_ago = datetime.now(UTC) - timedelta(days=400)
    count_interactions(contact=contact, at=long_ago)
    memory = ContactMemory.objects.get(contact=contact)
    assert (memory.conversation_started_at, memory.last_message_at) == (long_ago, before.last_message_at)


def test_two_who_write_to_the_same_people_in_opposite_order_never_lock_each_other_out(cast, at_once):
    people = [receive(cast, who=sender()).contact for _ in range(2)]
    met = threading.Barrier(2)

    def both(order: list[Contact]) -> Callable[[], None]:
        def write() -> None:
            with transaction.atomic():
                count_interactions(contact=order[0], at=datetime.now(UTC))
                met.wait(PATIENCE)
                count_interactions(contact=order[1], at=datetime.now(UTC))

        return write

    assert at_once([both(people), both(people[::-1])]) == [None, None]
    counts = ContactMemory.objects.filter(contact__in=people).values_list("total_interactions", flat=True)
    assert list(counts) == [3, 3]


# --- Nobody waits for anybody ----------------------------------------------------------------------------------


@contextmanager
def held_open(write: Callable[[], object]):
    """`write` is done in a transaction of another connection, which ends when the block does."""
    done, let_go, went_wrong = threading.Event(), threading.Event(), []

    def hold() -> None:
        try:
            with unit_of_work():
                write()
                done.set()
                assert let_go.wait(PATIENCE * 2)
        except BaseException as error:
            went_wrong.append(error)
        finally:
            done.set()
            connections.close_all()

    thread = threading.Thread(target=hold)
    thread.start()
    assert done.wait(PATIENCE)
    try:
        yield
    finally:
        let_go.set()
        thread.join(PATIENCE)
    assert not went_wrong, went_wrong


def writers(cast: Any, contact: Contact, customer: str) -> dict[str, Callable[[], object]]:
    def message() -> object:
        return receive(cast, who=sender(NUMBER))

    def event() -> object:
        names = billing.Names(workspace=cast.workspace.slug, contact_id=str(contact.pk))
        at = datetime.now(UTC)
        account = billing.account_for(customer_id=customer, names=names, at=at, workspace_id=cast.workspace.pk)
        told = billing.Subscription(id=unique("sub"), created=at, status="active")
        return billing.apply_subscription(account=account, told=told, at=at, rank=billing.UPDATED)

    def profile() -> object:
        return update_profile(actor=cast.system, contact_id=contact.pk, changes={"journey_phase": unique("phase")})

    def memory() -> object:
        return update_memory(actor=cast.system, contact_id=contact.pk, changes={"historical_summary": unique("sum")})

    return {"message": message, "billing": event, "profile": profile, "memory": memory}


@pytest.mark.parametrize("first_time", [False, True], ids=["known", "first-time"])
@pytest.mark.parametrize("holder", ["message", "billing", "profile", "memory"])
def test_messages_billing_and_profile_of_one_contact_do_not_wait_for_each_other(cast, contact, holder, first_time):
    """Also where the rows are written for the first time. A wait would end in Postgres's lock time-out."""
    customer = unique("cus")
    of_contact = writers(cast, contact, customer)
    if not first_time:
        for write in of_contact.values():
            write()
    with held_open(of_contact[holder]):
        for name, write in of_contact.items():
            if name == holder:
                continue
            with transaction.atomic():
                with transaction.get_connection().cursor() as cursor:
                    cursor.execute("set local lock_timeout = '3s'")
                write()


def test_no_message_waits_for_an_assistant_that_writes_its_memory(cast, contact):
    with held_open(writers(cast, contact, unique("cus"))["memory"]):
        receive(cast, "meanwhile", who=sender(NUMBER))
