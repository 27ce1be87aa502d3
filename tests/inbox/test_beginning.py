"""A member writes first: to whom they choose, on a channel that takes it, in the conversation that is there."""

import itertools
import os
from uuid import uuid4

from config.live.events import events_after, head
from inbox import topics
from inbox.models import Conversation
from inbox.states import ChannelKind, ConversationStatus
from tests.cast import make_channel, receive, unique

_number = itertools.count(os.getpid() * 1000 % 8_000_000)


def begin(desk, contact, channel, name="ben"):
    return getattr(desk, name).post("conversations/", {"contact": str(contact), "channel": channel})


def someone(desk, **fields):
    phone = "" if fields else f"+62899{next(_number):07d}"
    return desk.ben.post("contacts/", {"name": unique("Ana"), "phone": phone, **fields}).json()


def test_a_new_one_begins_once_and_is_told(cast, desk):
    contact, topic = someone(desk), topics.inbox(cast.workspace.slug)
    seq = head(topic)
    made = begin(desk, contact["id"], cast.channel.slug)
    assert made.status_code == 201
    assert made.json()["contact"]["id"] == contact["id"]
    assert made.json()["window"]["open"] is False  # a template opens it
    assert [event.type for event in events_after(topic, seq)] == ["conversation.created"]
    again = begin(desk, contact["id"], cast.channel.slug, "bea")
    assert (again.status_code, again.json()["id"]) == (200, made.json()["id"])


def test_the_latest_one_is_opened_again(cast, desk):
    talk = receive(cast)
    Conversation.objects.filter(pk=talk.pk).update(status=ConversationStatus.RESOLVED)
    found = begin(desk, talk.contact_id, talk.channel.slug)
    assert (found.status_code, found.json()["id"], found.json()["status"]) == (200, str(talk.pk), "open")


def test_what_cannot_be_is_said(cast, desk):
    mute = someone(desk, email="nobody@example.org")
    assert begin(desk, mute["id"], cast.channel.slug).json()["errors"].keys() == {"contact"}
    contact = someone(desk)
    assert begin(desk, contact["id"], "no-such").json()["errors"].keys() == {"channel"}
    assert begin(desk, uuid4(), cast.channel.slug).status_code == 404
    assert begin(desk, contact["id"], cast.channel.slug, "vic").status_code == 403
    assert begin(desk, contact["id"], cast.channel.slug, "cleo").status_code == 404


def test_channels_are_told_without_their_secrets(cast, desk):
    rows = desk.vic.get("channels/").json()["results"]
    assert {row["slug"] for row in rows} >= {cast.channel.slug}
    assert all(row.keys() == {"id", "slug", "kind", "name", "phone", "is_active"} for row in rows)
    assert desk.cleo.get("channels/").status_code == 404


def test_where_a_channel_has_two_ways_one_is_chosen(cast, desk):
    twilio = make_channel(cast.workspace, ChannelKind.TWILIO)
    for via, window in (("sms", True), ("whatsapp", False)):
        contact = someone(desk)
        made = desk.ben.post("conversations/", {"contact": contact["id"], "channel": twilio.slug, "via": via})
        assert (made.status_code, made.json()["window"]["open"]) == (201, window)
        talk = Conversation.objects.get(pk=made.json()["id"])
        assert talk.peer_address == ("whatsapp:" if via == "whatsapp" else "") + contact["phone"]
        # What has gone one way goes on so
        desk.ben.post("conversations/", {"contact": contact["id"], "channel": twilio.slug, "via": "sms"})
        talk.refresh_from_db()
        assert talk.peer_address.startswith("whatsapp:") == (via == "whatsapp")
