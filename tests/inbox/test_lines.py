"""The list's rows, which no model makes, say what every other place says of the same conversations."""

from datetime import timedelta

import pytest
from django.utils import timezone

from crm.models import Contact, Team, User
from inbox.models import Conversation, ConversationLabel, Label, Message
from inbox.narrowing import ListFilter
from inbox.queries import for_reader, lines_for_reader, list_conversations, with_lines
from inbox.services.conversations import assign_conversation, mark_read
from inbox.states import ChannelKind
from tests.cast import Cast, make_channel, new_id, receive, sender

ORDERS = ["newest", "oldest", "waiting", "priority"]


@pytest.fixture
def varied(cast: Cast) -> Cast:
    """Each in a way of its own: who wrote last, what its contact is called, what it wears."""
    sms = make_channel(cast.workspace, ChannelKind.TWILIO)
    team = Team.objects.create(workspace=cast.workspace, name="Night")
    labels = [Label.objects.create(workspace=cast.workspace, name=name, hue=hue) for name, hue in [("Z", 1), ("A", 2)]]
    plain = receive(cast, "hello", who=sender(name=""))
    worn = receive(cast, "x" * 500, who=sender(name="Lucía"))
    for label in labels:
        ConversationLabel.objects.create(workspace=cast.workspace, conversation=worn, label=label)
    Conversation.objects.filter(pk=worn.pk).update(priority="urgent", team=team, planned_state="held")
    assign_conversation(actor=cast.actor(cast.ada), conversation_id=worn.pk, assignee_id=cast.ben.pk)
    mark_read(actor=cast.actor(cast.ben), conversation_id=worn.pk)
    _last(
        receive(cast, "to sms", channel=sms),
        sender_kind="member",
        sender_user=cast.bea,
        status="failed",
        error_code="131047",
        error_message="Too late.",
    )
    _last(
        receive(cast, "to bot"), sender_kind="bot", sender_user=None, detail={"bot": {"id": str(new_id()), "name": "B"}}
    )
    _last(receive(cast, "to system"), sender_kind="system", sender_user=None)
    _last(receive(cast, "to somebody gone"), sender_kind="member", sender_user=None)
    nameless = User.objects.create(email="no.name@example.org")
    _last(receive(cast, "to nameless"), sender_kind="member", sender_user=nameless)
    _old(receive(cast, "long ago"))
    _old(receive(cast, "by text", channel=sms))
    for fields in (
        {"name": "", "phone_normalized": "", "phone": "12 34"},
        {"name": "", "phone_normalized": "", "phone": ""},
    ):
        Contact.objects.filter(pk=receive(cast, "who am I").contact_id).update(email="a@b.example", **fields)
    Contact.objects.filter(pk=receive(cast, "nobody").contact_id).update(
        name="", phone_normalized="", phone="", email=""
    )
    Conversation.objects.filter(pk=plain.pk).update(last_message=None, snoozed_until=timezone.now())
    return cast


def _last(conversation: Conversation, **fields: object) -> None:
    assert conversation.last_message_id is not None
    Message.objects.filter(pk=conversation.last_message_id).update(**{"direction": "out", "status": "sent", **fields})


def _old(conversation: Conversation) -> None:
    Conversation.objects.filter(pk=conversation.pk).update(last_inbound_at=timezone.now() - timedelta(days=2))


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("who", ["ben", "vic"])
def test_a_row_says_what_its_models_say(varied: Cast, order: str, who: str):
    actor = varied.actor(getattr(varied, who))
    page = list_conversations(actor, ListFilter(order=order), limit=100)
    shown = lines_for_reader(actor, page.rows)
    ids = [row["id"] for row in shown]
    known = {row.pk: row for row in with_lines(Conversation.objects.filter(pk__in=ids))}
    told = for_reader(actor, [known[pk] for pk in ids])
    for row in (*shown, *told):
        row["labels"].sort(key=lambda label: label["name"])  # models have them in no order
    assert shown == told
    assert len(shown) == (
        12 if order != "waiting" else Conversation.objects.exclude(waiting_since=None).filter(pk__in=ids).count()
    )


@pytest.mark.parametrize("order", ORDERS)
def test_pages_of_every_order_join(varied: Cast, order: str):
    actor, wanted = varied.actor(varied.ben), ListFilter(order=order)
    whole = [row.pk for row in list_conversations(actor, wanted, limit=100).rows]
    paged, cursor = [], None
    while True:
        found = list_conversations(actor, wanted, cursor=cursor, limit=5)
        paged += [row.pk for row in found.rows]
        cursor = found.next
        if cursor is None:
            break
    assert paged == whole
    assert len(whole) > 5
