"""What a back-fill finds stands where it was written; an outage is news, history is not."""

from datetime import UTC, datetime, timedelta

from inbox.models import Conversation, Message
from inbox.services.inbound import Echo, record_echo
from inbox.services.messages import send_message
from tests.cast import receive, sender, unique

NOW = datetime.now(UTC)


def minutes_ago(number):
    return NOW - timedelta(minutes=number)


def thread(conversation):
    return list(Message.objects.filter(conversation=conversation).order_by("pk").values_list("body", flat=True))


def echo(cast, who, body, at, **more):
    return record_echo(
        actor=cast.system,
        channel=cast.channel,
        echo=Echo(
            recipient=who,
            provider_id=unique("wamid"),
            at=at,
            type="text",
            body=body,
            peer_address=who.whatsapp,
            place_at=at,
            **more,
        ),
    )


def late(cast, who, body, at, **more):
    return receive(cast, body, who=who, at=at, place_at=at, **more)


def test_a_late_message_stands_where_it_was_written_and_is_unread(cast):
    who = sender()
    receive(cast, "now", who=who)
    conversation = late(cast, who, "an hour ago", minutes_ago(60))

    assert thread(conversation) == ["an hour ago", "now"]
    assert conversation.last_message.body == "now"
    assert conversation.inbound_count == 2
    assert conversation.waiting_since == minutes_ago(60)
    assert Message.objects.get(body="an hour ago", conversation=conversation).created_at == minutes_ago(60)


def test_late_ones_end_in_the_same_place_whatever_their_order(cast):
    found = []
    for order in ((30, 20, 10), (10, 30, 20)):
        who = sender()
        for at in order:
            conversation = late(cast, who, f"{at}", minutes_ago(at))
        found.append(
            (
                thread(conversation),
                conversation.last_message.body,
                conversation.waiting_since,
                conversation.inbound_count,
            )
        )

    assert found == [(["30", "20", "10"], "10", minutes_ago(30), 3)] * 2


def test_nobody_waits_whom_a_person_has_answered_meanwhile(cast):
    who = sender()
    echo(cast, who, "answered on the phone", minutes_ago(10))
    conversation = late(cast, who, "a question", minutes_ago(20))

    assert conversation.waiting_since is None
    assert late(cast, who, "another", minutes_ago(5)).waiting_since == minutes_ago(5)
    echo(cast, who, "answered again", minutes_ago(1))
    conversation.refresh_from_db()
    assert conversation.waiting_since is None
    assert thread(conversation) == ["a question", "answered on the phone", "another", "answered again"]


def test_an_answer_that_came_before_the_question_ends_no_waiting(cast):
    who = sender()
    late(cast, who, "first", minutes_ago(30))
    late(cast, who, "second", minutes_ago(10))
    conversation = Conversation.objects.get(pk=echo(cast, who, "answer", minutes_ago(20)).conversation_id)

    assert conversation.waiting_since == minutes_ago(10)


def test_history_notifies_nobody(cast):
    conversation = late(cast, sender(), "last year", minutes_ago(500_000), is_history=True)

    assert (conversation.status, conversation.inbound_count, conversation.waiting_since) == ("resolved", 0, None)
    assert conversation.last_activity_at == minutes_ago(500_000)
    assert not conversation.window.open


def test_history_leaves_an_open_conversation_as_it_is(cast):
    who = sender()
    before = receive(cast, "now", who=who)
    after = late(cast, who, "last year", minutes_ago(500_000), is_history=True)

    assert thread(after) == ["last year", "now"]
    for name in ("status", "inbound_count", "waiting_since", "last_activity_at", "last_inbound_at", "last_message_id"):
        assert getattr(after, name) == getattr(before, name)


def test_a_clock_ahead_of_ours_puts_nothing_into_the_future(cast):
    who = sender()
    late(cast, who, "tomorrow", NOW + timedelta(days=1))
    conversation = receive(cast, "now", who=who)

    assert thread(conversation) == ["tomorrow", "now"]


def test_a_resolved_conversation_opens_for_what_an_outage_kept_back(cast):
    who = sender()
    conversation = receive(cast, "hello", who=who)
    Conversation.objects.filter(pk=conversation.pk).update(status="resolved", waiting_since=None)

    assert late(cast, who, "in the outage", minutes_ago(3)).status == "open"


def test_a_member_s_answer_counts_too(cast):
    conversation = receive(cast, "hello")
    who = sender(conversation.peer_address)
    send_message(
        actor=cast.actor(cast.ben), conversation_id=conversation.pk, client_id=conversation.pk, body="Hi, we are here."
    )

    assert late(cast, who, "before that", minutes_ago(3)).waiting_since is None
