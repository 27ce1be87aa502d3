"""A customer's message arrives: once, in the one open conversation, whoever else writes at that instant."""

from datetime import timedelta

import pytest
from django.utils import timezone

from config.live.events import events_after, head
from crm.models import Contact, ContactIdentity
from crm.services.contacts import Sender
from inbox import topics
from inbox.models import Channel, Conversation, Message
from inbox.services.inbound import receive_message
from inbox.states import ConversationStatus
from tests.cast import incoming, long_ago, receive, sender


def test_a_first_message_makes_contact_conversation_and_message(cast):
    conversation = receive(cast, "Hola, ¿hay cupo?", who=sender("34600111222", "Lucía"))

    assert conversation.contact.name == "Lucía"
    assert conversation.contact.phone_normalized == "+34600111222"
    assert conversation.status == ConversationStatus.OPEN
    assert conversation.inbound_count == 1
    assert conversation.peer_address == "34600111222"
    assert conversation.waiting_since is not None
    assert conversation.window.open
    message = Message.objects.get(conversation=conversation)
    assert (message.body, message.status, message.direction) == ("Hola, ¿hay cupo?", "received", "in")
    assert conversation.last_message_id == message.pk


def test_it_is_announced_on_the_list_and_in_the_thread(cast):
    before = head(topics.inbox(cast.workspace.slug))
    conversation = receive(cast)

    on_list = events_after(topics.inbox(cast.workspace.slug), before)
    assert [event.type for event in on_list] == ["conversation.created"]
    in_thread = events_after(topics.conversation(conversation.pk), 0)
    assert [event.type for event in in_thread] == ["message.created"]


def test_the_same_provider_id_again_changes_nothing(cast):
    message = incoming(who=sender("34600111223"))
    channel = cast.channel
    first = receive_message(actor=cast.system, channel=channel, incoming=message)
    seq = head(topics.inbox(cast.workspace.slug))
    again = receive_message(actor=cast.system, channel=channel, incoming=message)

    assert first is not None
    assert again is None
    assert Message.objects.filter(channel=channel).count() == 1
    assert head(topics.inbox(cast.workspace.slug)) == seq


def test_twenty_messages_of_one_instant_open_one_conversation(cast, at_once):
    who = sender("34600111224")
    letters = [incoming(f"nr {number}", who=who) for number in range(20)]
    results = at_once(
        [
            lambda letter=letter: receive_message(actor=cast.system, channel=cast.channel, incoming=letter)
            for letter in letters
        ]
    )

    assert [result for result in results if isinstance(result, Exception)] == []
    assert Contact.objects.filter(workspace=cast.workspace).count() == 1
    conversation = Conversation.objects.get(workspace=cast.workspace)
    assert conversation.inbound_count == 20
    assert conversation.messages.count() == 20
    numbers = [event.seq for event in events_after(topics.conversation(conversation.pk), 0)]
    assert numbers == list(range(1, len(numbers) + 1))


def test_one_message_delivered_eight_times_at_once_is_one(cast, at_once):
    letter = incoming(who=sender("34600111225"))
    results = at_once(lambda: receive_message(actor=cast.system, channel=cast.channel, incoming=letter), 8)

    assert [result for result in results if isinstance(result, Exception)] == []
    assert sum(result is not None for result in results) == 1
    assert Conversation.objects.get(workspace=cast.workspace).inbound_count == 1


def test_a_resolved_conversation_is_reopened_with_its_assignee(cast):
    who = sender()
    conversation = receive(cast, who=who)
    Conversation.objects.filter(pk=conversation.pk).update(
        status=ConversationStatus.RESOLVED, assignee=cast.ben, waiting_since=None
    )
    again = receive(cast, "Una cosa más", who=who)

    assert again.pk == conversation.pk
    assert again.status == ConversationStatus.OPEN
    assert again.assignee == cast.ben
    assert again.waiting_since is not None


def test_a_late_delivery_does_not_shorten_the_window(cast):
    who = sender()
    receive(cast, who=who)
    conversation = receive(cast, who=who, at=long_ago(hours=30))
    assert conversation.last_inbound_at > timezone.now() - timedelta(minutes=1)


def test_a_clock_that_cannot_be_right_does_not_close_the_window(cast):
    assert receive(cast, at=long_ago(days=366)).window.open
    assert receive(cast, at=long_ago(hours=-3)).window.open
    assert not receive(cast, at=long_ago(days=3)).window.open
    assert not receive(cast, at=long_ago(days=366), is_history=True).window.open


def test_a_contact_without_a_phone_number_is_found_again(cast):
    who = Sender(name="@budi", bsuid="ID.13491208655302741918")
    first = receive(cast, who=who)
    second = receive(cast, who=who)
    assert first.contact_id == second.contact_id
    assert second.peer_address == "ID.13491208655302741918"
    assert second.contact.phone_normalized == ""


def test_a_number_that_appears_later_joins_the_same_contact(cast):
    first = receive(cast, who=Sender(name="Budi", bsuid="ID.7777"))
    both = sender("6281234567890", "Budi")
    second = receive(cast, who=Sender(name="Budi", bsuid="ID.7777", phone=both.phone, whatsapp=both.whatsapp))
    third = receive(cast, who=both)
    assert first.contact_id == second.contact_id == third.contact_id


@pytest.mark.parametrize(
    ("one", "other"),
    [("551187654321", "5511987654321"), ("5215512345678", "525512345678")],
    ids=["Brazil's ninth digit", "Mexico's one"],
)
def test_variants_of_one_number_are_one_contact(cast, one, other):
    first, second = receive(cast, who=sender(one)), receive(cast, who=sender(other))
    assert first.contact_id == second.contact_id
    assert second.peer_address == other  # replies go to the id that was received
    known = ContactIdentity.objects.filter(contact=first.contact_id, kind="whatsapp").values_list("value", flat=True)
    assert set(known) == {one, other}


def test_variants_arriving_at_once_are_one_contact(cast, at_once):
    numbers = ["551187654321", "5511987654321"] * 4
    results = at_once(
        [
            lambda number=number: receive_message(
                actor=cast.system, channel=cast.channel, incoming=incoming(who=sender(number))
            )
            for number in numbers
        ]
    )
    assert [result for result in results if isinstance(result, Exception)] == []
    assert Contact.objects.filter(workspace=cast.workspace, deleted_at=None).count() == 1


def test_who_was_deleted_and_writes_again_is_restored(cast):
    who = sender()
    conversation = receive(cast, who=who)
    Contact.objects.filter(pk=conversation.contact_id).update(deleted_at=timezone.now())
    again = receive(cast, who=who)
    assert again.contact_id == conversation.contact_id
    assert again.contact.deleted_at is None


def test_the_same_number_in_two_workspaces_stays_two_people(cast):
    from tests.cast import make_channel

    who = sender()
    here = receive(cast, who=who)
    there = receive(cast, who=who, channel=make_channel(cast.elsewhere))
    assert here.contact_id != there.contact_id


@pytest.mark.parametrize(("is_known", "statements"), [(True, 10), (False, 18)], ids=["known", "new"])
def test_a_text_takes_no_more_statements_than_it_needs(cast, assert_queries, is_known, statements):
    """The write that happens most often. Begin and commit are among them; it may become less, and more on purpose."""
    who = sender()
    receive(cast, who=who if is_known else sender())
    channel = Channel.objects.select_related("workspace").get(pk=cast.channel.pk)
    with assert_queries(statements):
        assert receive_message(actor=cast.system, channel=channel, incoming=incoming(who=who))
