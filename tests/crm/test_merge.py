"""Two contacts that are one person become one, and two again: every row is accounted for."""

from collections import Counter
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.apps import apps
from django.db import connection

from config.errors import Conflict, Forbidden, NotFound
from config.live.events import events_after, head
from crm import dossier
from crm.models import (
    BillingAccount,
    Contact,
    ContactIdentity,
    ContactMemory,
    ContactMerge,
    ContactMergeMove,
    ContactNote,
    ContactProfile,
)
from crm.services.merging import keep_apart, merge_contacts, undo_merge
from inbox import topics
from inbox.models import Conversation, ConversationReader, Label, Message, Visitor
from inbox.services.conversations import mark_read
from inbox.services.messages import send_message
from tests.cast import make_channel, receive, sender

FIELDS = ("phone", "phone_normalized", "name", "email", "lead_status", "lead_score", "tags", "metadata", "attributes")


def test_every_table_that_points_to_a_contact_has_a_part_in_the_dossier():
    with connection.cursor() as cursor:
        cursor.execute(
            "select distinct conrelid::regclass::text from pg_constraint "
            "where contype = 'f' and confrelid = 'crm_contact'::regclass"
        )
        pointing = {table.strip('"') for (table,) in cursor.fetchall()}
    by_models = {
        model._meta.db_table
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if field.related_model is Contact
    }
    assert (pointing | by_models) - dossier.tables() == set()


def dump(cast):
    """All that hangs on the workspace's contacts, by id."""
    rows = {}
    for model, names in (
        (Contact, (*FIELDS, "owner_id", "merged_into_id", "deleted_at")),
        (ContactIdentity, ("contact_id", "kind", "value")),
        (ContactNote, ("contact_id", "body")),
        (ContactProfile, ("first_name", "zip_code", "pressure_zones", "burnout_score")),
        (ContactMemory, ("total_interactions", "historical_summary")),
        (BillingAccount, ("contact_id", "stripe_customer_id")),
        (
            Conversation,
            (
                "contact_id",
                "status",
                "assignee_id",
                "peer_address",
                "inbound_count",
                "last_message_id",
                "merged_into_id",
                "waiting_since",
                "last_inbound_at",
            ),
        ),
        (Message, ("conversation_id", "body", "direction")),
        (ConversationReader, ("conversation_id", "user_id", "seen_count")),
        (Visitor, ("contact_id",)),
    ):
        for row in model.objects.filter(workspace=cast.workspace).values_list("pk", *names):
            rows[model.__name__, row[0]] = row[1:]
    return rows


@pytest.fixture
def pair(cast):
    """Two contacts, each with everything there is; both have an open conversation on one channel."""
    ben = cast.actor(cast.ben)
    other = make_channel(cast.workspace)
    winner_from, loser_from = sender(name="Lucía"), sender(name="Lucía García")
    first = receive(cast, "one", who=winner_from)
    second = receive(cast, "two", who=loser_from)
    receive(cast, "three", who=loser_from)
    third = receive(cast, "elsewhere", who=loser_from, channel=other)
    mark_read(actor=ben, conversation_id=first.pk)
    mark_read(actor=ben, conversation_id=second.pk, seen_count=1)
    send_message(actor=ben, conversation_id=first.pk, client_id=uuid4(), body="hi")
    winner, loser = first.contact, second.contact
    Contact.objects.filter(pk=winner.pk).update(tags=["vip"], metadata={"a": 1, "b": 1}, lead_score=10)
    Contact.objects.filter(pk=loser.pk).update(
        tags=["vip", "old"], metadata={"a": 2, "c": 3}, lead_status="customer", email="lucia@example.org"
    )
    ContactNote.objects.create(workspace=cast.workspace, contact=loser, author=cast.ben, body="prefers mornings")
    ContactProfile.objects.create(workspace=cast.workspace, contact=loser, first_name="Lucía", pressure_zones=["work"])
    # Their messages have made both rows.
    assert ContactMemory.objects.filter(contact=winner).update(total_interactions=2) == 1
    assert ContactMemory.objects.filter(contact=loser).update(total_interactions=3, historical_summary="x") == 1
    BillingAccount.objects.create(workspace=cast.workspace, contact=loser, stripe_customer_id=f"cus_{uuid4().hex}")
    Visitor.objects.create(
        workspace=cast.workspace, contact=loser, channel=other, digest=uuid4().bytes, expires_at=datetime.now(UTC)
    )
    return cast, winner, loser, first, second, third, winner_from, loser_from


def test_a_merge_moves_everything_and_keeps_what_collides(pair):
    cast, winner, loser, first, second, third, _, _ = pair
    merge = merge_contacts(actor=cast.actor(cast.ben), winner_id=winner.pk, loser_id=loser.pk)
    winner.refresh_from_db()
    loser.refresh_from_db()
    assert (loser.merged_into_id, loser.deleted_at is not None) == (winner.pk, True)
    assert (winner.name, winner.email, winner.lead_status) == ("Lucía", "lucia@example.org", "customer")
    assert (winner.tags, winner.metadata) == (["vip", "old"], {"a": 1, "b": 1, "c": 3})
    assert not ContactIdentity.objects.filter(contact=loser).exists()
    assert ContactProfile.objects.get(contact=winner).first_name == "Lucía"
    assert ContactMemory.objects.get(contact=winner).total_interactions == 5
    first.refresh_from_db()
    second.refresh_from_db()
    third.refresh_from_db()
    assert second.merged_into_id == first.pk
    assert {first.contact_id, second.contact_id, third.contact_id} == {winner.pk}
    assert first.inbound_count == 3
    bodies = [message.body for message in Message.objects.filter(conversation=first).order_by("pk")]
    assert bodies == ["one", "two", "three", "hi"]
    reader = ConversationReader.objects.get(conversation=first, user=cast.ben)
    assert reader.seen_count == 2
    kept = ContactMergeMove.objects.get(merge=merge, table="crm_contact", column="name")
    assert (kept.row, kept.before, kept.after) == (str(loser.pk), "Lucía García", "Lucía")


def test_merged_and_undone_nothing_is_different(pair):
    cast, winner, loser, *_ = pair
    before = dump(cast)
    merge = merge_contacts(actor=cast.actor(cast.ben), winner_id=winner.pk, loser_id=loser.pk)
    assert dump(cast) != before
    undo_merge(actor=cast.actor(cast.ben), merge_id=merge.pk)
    assert dump(cast) == before


def test_who_read_either_hears_how_far_that_is_of_both_and_of_each_again(pair):
    cast, winner, loser, first, second, *_ = pair
    bea, topic = cast.actor(cast.bea), topics.user(cast.bea.pk)
    mark_read(actor=bea, conversation_id=second.pk)
    seq = head(topic)
    merge = merge_contacts(actor=cast.actor(cast.ben), winner_id=winner.pk, loser_id=loser.pk)
    (told,) = events_after(topic, seq)
    assert (told.type, told.data) == ("conversation.read", {"id": str(first.pk), "seen_count": 2})
    seq = head(topic)
    undo_merge(actor=cast.actor(cast.ben), merge_id=merge.pk)
    each = {event.data["id"]: event.data["seen_count"] for event in events_after(topic, seq)}
    assert each == {str(first.pk): 0, str(second.pk): 2}


def test_after_twenty_messages_an_undone_merge_accounts_for_every_row(pair):
    cast, winner, loser, first, second, _, winner_from, loser_from = pair
    before = dump(cast)
    merge = merge_contacts(actor=cast.actor(cast.ben), winner_id=winner.pk, loser_id=loser.pk)
    for number in range(20):
        conversation = receive(cast, f"later {number}", who=loser_from if number % 2 else winner_from)
        assert conversation.pk == first.pk
    undo_merge(actor=cast.actor(cast.ben), merge_id=merge.pk)
    after = dump(cast)
    later = {key for key in after if key not in before}
    assert Counter(model for model, _ in later) == {"Message": 20}
    assert {after[key][0] for key in later} == {first.pk}
    changed = {key for key in before if after[key] != before[key]}
    # What came later was counted with the winner, and stays so.
    assert changed <= {("Conversation", first.pk), ("ContactMemory", winner.pk)}
    assert ContactMemory.objects.get(contact=winner).total_interactions == 2 + 20
    assert ContactMemory.objects.get(contact=loser).total_interactions == 3
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.inbound_count, second.inbound_count) == (21, 2)
    # Whoever writes from the number that went back is the loser again.
    assert receive(cast, "me again", who=loser_from).pk == second.pk
    assert receive(cast, "and me", who=winner_from).pk == first.pk


def test_what_was_edited_since_stays_with_the_winner(pair):
    cast, winner, loser, *_ = pair
    merge = merge_contacts(actor=cast.actor(cast.ben), winner_id=winner.pk, loser_id=loser.pk)
    Contact.objects.filter(pk=winner.pk).update(email="new@example.org")
    undo_merge(actor=cast.actor(cast.ben), merge_id=merge.pk)
    winner.refresh_from_db()
    assert (winner.email, winner.lead_status) == ("new@example.org", "")


def test_merges_in_a_chain_are_undone_from_the_end(cast):
    ben = cast.actor(cast.ben)
    one, two, three = (receive(cast, who=sender()).contact for _ in range(3))
    first = merge_contacts(actor=ben, winner_id=two.pk, loser_id=one.pk)
    second = merge_contacts(actor=ben, winner_id=three.pk, loser_id=two.pk)
    with pytest.raises(Conflict) as refused:
        undo_merge(actor=ben, merge_id=first.pk)
    assert refused.value.data["merge"] == second.pk
    undo_merge(actor=ben, merge_id=second.pk)
    undo_merge(actor=ben, merge_id=first.pk)
    with pytest.raises(Conflict):
        undo_merge(actor=ben, merge_id=first.pk)
    owners = set(ContactIdentity.objects.filter(workspace=cast.workspace).values_list("contact_id", flat=True))
    assert owners == {one.pk, two.pk, three.pk}


def test_who_writes_from_a_number_of_a_chain_reaches_its_end(cast):
    ben = cast.actor(cast.ben)
    who = [sender() for _ in range(3)]
    contacts = [receive(cast, who=one).contact for one in who]
    merge_contacts(actor=ben, winner_id=contacts[1].pk, loser_id=contacts[0].pk)
    merge_contacts(actor=ben, winner_id=contacts[2].pk, loser_id=contacts[1].pk)
    assert {receive(cast, who=one).contact_id for one in who} == {contacts[2].pk}


def test_merges_against_each_other_and_in_circles_end_with_one_contact(cast, at_once):
    ben = cast.actor(cast.ben)
    for _ in range(5):
        ids = [receive(cast, who=sender()).contact_id for _ in range(3)]
        pairs = [(0, 1), (1, 0), (1, 2), (2, 0)]
        results = at_once(
            [
                lambda pair=pair, ids=ids: merge_contacts(actor=ben, winner_id=ids[pair[0]], loser_id=ids[pair[1]])
                for pair in pairs
            ]
        )
        made = [result for result in results if isinstance(result, ContactMerge)]
        assert all(isinstance(result, ContactMerge | Conflict) for result in results), results
        alive = Contact.objects.filter(pk__in=ids, merged_into=None)
        assert alive.count() == 3 - len(made)
        assert len(made) >= 1


def test_messages_that_come_while_two_are_merged_land_with_the_winner(cast, at_once):
    ben = cast.actor(cast.ben)
    for _ in range(5):
        one, other = sender(), sender()
        winner = receive(cast, who=one).contact
        loser = receive(cast, who=other).contact
        calls = [lambda other=other, number=number: receive(cast, f"{number}", who=other) for number in range(4)]
        results = at_once([lambda w=winner, x=loser: merge_contacts(actor=ben, winner_id=w.pk, loser_id=x.pk), *calls])
        assert not [result for result in results if isinstance(result, Exception)], results
        assert not Conversation.objects.filter(contact=loser).exists()
        open_ones = Conversation.objects.filter(contact=winner, merged_into=None)
        assert open_ones.count() == 1
        assert Message.objects.filter(conversation=open_ones.get(), direction="in").count() == 6
        assert open_ones.get().inbound_count == 6


def test_who_may_not_edit_contacts_may_not_merge(cast):
    one, other = (receive(cast, who=sender()).contact for _ in range(2))
    with pytest.raises(Forbidden):
        merge_contacts(actor=cast.actor(cast.vic), winner_id=one.pk, loser_id=other.pk)
    for actor in (cast.actor(cast.tia), cast.actor(cast.cleo, cast.elsewhere)):
        with pytest.raises(NotFound):
            merge_contacts(actor=actor, winner_id=one.pk, loser_id=other.pk)


def test_two_who_are_kept_apart_are_remembered(cast):
    one, other = (receive(cast, who=sender()).contact for _ in range(2))
    for _ in range(2):
        keep_apart(actor=cast.actor(cast.ben), contact_ids=(one.pk, other.pk))
    assert ContactMerge.objects.filter(workspace=cast.workspace).count() == 1


def test_labels_come_together_and_go_apart(pair):
    from inbox.models import ConversationLabel

    cast, winner, loser, first, second, *_ = pair
    label = Label.objects.create(workspace=cast.workspace, name="refund")
    ConversationLabel.objects.create(workspace=cast.workspace, conversation=second, label=label)
    merge = merge_contacts(actor=cast.actor(cast.ben), winner_id=winner.pk, loser_id=loser.pk)
    assert list(first.labels.all()) == [label]
    undo_merge(actor=cast.actor(cast.ben), merge_id=merge.pk)
    assert not ConversationLabel.objects.filter(conversation=first).exists()
    assert ConversationLabel.objects.filter(conversation=second).exists()
