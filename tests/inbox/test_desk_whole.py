"""Whole conversations: begun by us, joined, forwarded, printed; contacts who are blocked; who is there to answer."""

from uuid import uuid4

import pytest

from config.live import presence
from config.live.events import events_after, head
from crm.models import Contact
from crm.presence import shown_as, topic_of
from inbox import topics
from inbox.models import Attachment, AttachmentState, Conversation, Message, Notice
from inbox.services.attachments import upload
from inbox.states import ChannelKind
from tests.cast import make_channel, receive, sender, unique


def start(desk, contact, channel, **more):
    body = {"channel": channel.slug, "client_id": str(uuid4()), "body": "Good day", **more}
    return desk.ben.post(f"contacts/{contact.pk}/messages", body)


def make_contact(cast, phone="+34600123123"):
    number = f"{phone[:-3]}{Contact.objects.filter(workspace=cast.workspace).count():03d}"
    return Contact.objects.create(workspace=cast.workspace, name="Nora", phone=number, phone_normalized=number)


# --- We write first -----------------------------------------------------------------------------------------


def test_we_write_first_by_sms_and_the_conversation_is_ours(cast, desk):
    channel, contact = make_channel(cast.workspace, ChannelKind.TWILIO), make_contact(cast)
    (sms, whatsapp) = [one for one in roads(desk, contact) if one["channel"]["slug"] == channel.slug]
    assert (sms["via"], sms["can"], whatsapp["via"], whatsapp["can"]) == ("sms", "reply", "whatsapp", "send_template")
    made = start(desk, contact, channel)
    assert made.status_code == 201, made.content
    row = Conversation.objects.get(pk=made.json()["conversation"])
    assert (row.assignee, row.status, row.peer_address) == (cast.ben, "open", contact.phone_normalized)
    again = start(desk, contact, channel, body="And more").json()
    assert again["conversation"] == made.json()["conversation"]
    (sms,) = [one for one in roads(desk, contact) if one["channel"]["slug"] == channel.slug]
    assert (sms["is_open"], sms["conversation"]) == (True, str(row.pk))


def roads(desk, contact):
    return desk.ben.get(f"contacts/{contact.pk}/channels").json()["results"]


def test_the_same_click_twice_is_one_message(cast, desk):
    channel, contact = make_channel(cast.workspace, ChannelKind.TWILIO), make_contact(cast)
    given = {"client_id": str(uuid4())}
    first, second = start(desk, contact, channel, **given), start(desk, contact, channel, **given)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["id"] == second.json()["id"]


def test_outside_of_the_window_nothing_but_a_template_goes_and_nothing_is_left_behind(cast, desk):
    contact = make_contact(cast)
    refused = start(desk, contact, cast.channel)
    assert (refused.status_code, refused.json()["code"]) == (409, "window_closed")
    assert not Conversation.objects.filter(contact=contact).exists()


def test_what_was_resolved_is_gone_on_with(cast, desk):
    who = sender()
    conversation = receive(cast, who=who)
    desk.ben.post(f"conversations/{conversation.pk}/status", {"status": "resolved"})
    made = start(desk, conversation.contact, cast.channel)
    assert made.json()["conversation"] == str(conversation.pk)
    assert Conversation.objects.get(pk=conversation.pk).status == "open"


def test_a_channel_that_does_not_reach_them_is_refused(cast, desk):
    contact = make_contact(cast)
    for channel in (make_channel(cast.workspace, ChannelKind.WIDGET), make_channel(cast.elsewhere)):
        assert start(desk, contact, channel).status_code == 400
    path, body = (
        f"contacts/{contact.pk}/messages",
        {"channel": cast.channel.slug, "client_id": str(uuid4()), "body": "Hi"},
    )
    assert desk.vic.post(path, body).status_code == 403
    assert desk.cleo.post(path, body).status_code == 404
    assert desk.cleo.get(f"contacts/{contact.pk}/channels").status_code == 404


# --- Blocked ------------------------------------------------------------------------------------------------


def test_what_a_blocked_contact_writes_is_kept_and_wakes_nobody(cast, desk):
    who = sender()
    conversation = receive(cast, who=who)
    desk.bea.post(f"conversations/{conversation.pk}/claim")
    assert desk.ben.post(f"contacts/{conversation.contact_id}/block", {"blocked": True}).json()["blocked"]
    before = Conversation.objects.get(pk=conversation.pk)
    receive(cast, "Let me in", who=who)
    now = Conversation.objects.get(pk=conversation.pk)
    assert (now.inbound_count, now.waiting_since) == (before.inbound_count, before.waiting_since)
    assert now.spam_at is not None
    shown = desk.ben.get(f"conversations/{conversation.pk}/messages/").json()["results"]
    assert "Let me in" in [row["body"] for row in shown]
    assert desk.ben.get("conversations/").json()["results"] == []
    assert not Notice.objects.filter(user=cast.bea).exists()
    desk.ben.post(f"conversations/{conversation.pk}/status", {"status": "resolved"})
    receive(cast, "Hello?", who=who)
    assert Conversation.objects.get(pk=conversation.pk).status == "resolved"


def test_blocked_from_the_first_word_on_a_new_channel(cast, desk):
    who = sender()
    contact = receive(cast, who=who).contact
    desk.ben.post(f"contacts/{contact.pk}/block", {"blocked": True})
    other = receive(cast, "Here then", who=who, channel=make_channel(cast.workspace))
    assert (other.spam_at is not None, other.inbound_count) == (True, 0)
    assert desk.ben.get(f"conversations/{other.pk}/").json()["unread_count"] == 0


def test_unblocking_brings_back_what_only_that_hid(cast, desk):
    who, blocked = sender(), {"blocked": True}
    conversation, other = receive(cast, who=who), receive(cast, who=who, channel=make_channel(cast.workspace))
    desk.ben.post(f"conversations/{other.pk}/spam", {"spam": True})
    path = f"contacts/{conversation.contact_id}/block"
    desk.ben.post(path, blocked)
    assert desk.ben.post(path, {"blocked": False}).json() == {"blocked": False, "blocked_at": None}
    assert [row["id"] for row in desk.ben.get("conversations/").json()["results"]] == [str(conversation.pk)]
    assert desk.vic.post(path, blocked).status_code == 403
    assert desk.cleo.post(path, blocked).status_code == 404
    assert desk.vic.get(path).json()["blocked"] is False


# --- Two become one -----------------------------------------------------------------------------------------


@pytest.fixture
def two(cast, desk):
    """One that is resolved and one that is open, with one person on one channel."""
    who = sender()
    old = receive(cast, "First", who=who)
    desk.ben.post(f"conversations/{old.pk}/status", {"status": "resolved"})
    new = Conversation.objects.create(
        workspace=cast.workspace,
        channel=cast.channel,
        contact=old.contact,
        peer_address=old.peer_address,
        last_activity_at=old.last_activity_at,
    )
    receive(cast, "Second", who=who)
    return old, new


def test_two_become_one_thread_in_order_and_the_other_leads_there(cast, desk, two):
    old, new = two
    desk.ben.post(f"conversations/{old.pk}/read", {})
    after = head(topics.inbox(cast.workspace.slug))
    merged = desk.ben.post(f"conversations/{old.pk}/merge", {"conversation": str(new.pk)})
    assert merged.status_code == 200, merged.content
    assert (merged.json()["status"], merged.json()["unread_count"], merged.json()["inbound_count"]) == ("open", 1, 2)
    shown = desk.ben.get(f"conversations/{old.pk}/messages/").json()["results"]
    assert [row["body"] for row in reversed(shown) if row["direction"] == "in"] == ["First", "Second"]
    led = desk.ben.get(f"conversations/{new.pk}/")
    assert (led.status_code, led.json()["merged_into"]) == (301, str(old.pk))
    assert led["Location"].endswith(f"/conversations/{old.pk}/")
    gone = [event.data for event in events_after(topics.inbox(cast.workspace.slug), after) if event.data.get("deleted")]
    assert [(one["id"], one["merged_into"]) for one in gone] == [(str(new.pk), str(old.pk))]
    receive(cast, "Third", who=sender(old.peer_address))
    assert Message.objects.filter(conversation=old, body="Third").exists()
    assert desk.cleo.get(f"conversations/{new.pk}/").status_code == 404


def test_only_of_one_contact_on_one_channel(cast, desk, two):
    old, _ = two
    for other in (receive(cast).pk, old.pk):
        answer = desk.ben.post(f"conversations/{old.pk}/merge", {"conversation": str(other)})
        assert answer.json()["code"] == "cannot_merge"
    assert desk.ben.post(f"conversations/{old.pk}/merge", {"conversation": str(uuid4())}).status_code == 404
    assert desk.vic.post(f"conversations/{old.pk}/merge", {"conversation": str(two[1].pk)}).status_code == 403


# --- Forwarded, printed -------------------------------------------------------------------------------------


def test_a_message_is_forwarded_once_with_files_of_its_own(cast, desk, tmp_path):
    source, to = receive(cast, "Look at this"), receive(cast)
    message = Message.objects.get(conversation=source)
    body = {"conversation": str(to.pk), "client_id": str(uuid4())}
    path = f"conversations/{source.pk}/messages/{message.pk}/forward"
    first, second = desk.ben.post(path, body), desk.ben.post(path, body)
    assert (first.status_code, second.status_code) == (201, 200), first.content
    assert first.json()["id"] == second.json()["id"]
    assert (first.json()["body"], first.json()["conversation"]) == ("Look at this", str(to.pk))
    assert first.json()["detail"]["forwarded"] == str(message.pk)
    (tmp_path / "a.txt").write_bytes(b"words in a file")
    with (tmp_path / "a.txt").open("rb") as content:
        file = upload(actor=cast.actor(cast.ben), content=content, size=15, name="a.txt", declared="text/plain")
    Attachment.objects.filter(pk=file.pk).update(message=message)
    desk.ben.post(path, {**body, "client_id": str(uuid4())})
    copy = Attachment.objects.get(message__conversation=to)
    assert (copy.name, copy.size, copy.state) == ("a.txt", 15, AttachmentState.STORED)
    assert copy.storage_name != Attachment.objects.get(pk=file.pk).storage_name


def test_notes_are_not_forwarded_and_viewers_forward_nothing(cast, desk):
    source, to = receive(cast), receive(cast)
    made = desk.ben.post(
        f"conversations/{source.pk}/messages/", {"client_id": str(uuid4()), "body": "Secret", "direction": "note"}
    )
    body = {"conversation": str(to.pk), "client_id": str(uuid4())}
    assert desk.ben.post(f"conversations/{source.pk}/messages/{made.json()['id']}/forward", body).status_code == 400
    message = Message.objects.filter(conversation=source, direction="in").get()
    assert desk.vic.post(f"conversations/{source.pk}/messages/{message.pk}/forward", body).status_code == 403
    assert desk.cleo.post(f"conversations/{source.pk}/messages/{message.pk}/forward", body).status_code == 404


def test_a_transcript_has_what_the_customer_saw_and_notes_when_asked(cast, desk):
    conversation = receive(cast, "Привет, こんにちは")
    desk.ben.post(
        f"conversations/{conversation.pk}/messages/", {"client_id": str(uuid4()), "body": "Secret", "direction": "note"}
    )
    path = f"conversations/{conversation.pk}/transcript"
    plain = desk.vic.get(f"{path}.txt")
    assert plain["Content-Disposition"].endswith('.txt"')
    assert "Привет, こんにちは" in plain.content.decode()
    assert "Secret" not in plain.content.decode()
    assert "Ben (private note)\nSecret" in desk.vic.get(f"{path}.txt", notes="true").content.decode()
    paper = desk.vic.get(f"{path}.pdf")
    assert (paper["Content-Type"], paper.content[:5]) == ("application/pdf", b"%PDF-")
    assert desk.cleo.get(f"{path}.txt").status_code == 404


# --- Who is there -------------------------------------------------------------------------------------------


def test_agents_are_listed_with_whether_they_are_here_and_want_work(cast, desk):
    desk.ben.post(f"conversations/{receive(cast).pk}/claim")
    desk.ben.put("availability", {"availability": "away"})
    here = presence.Here(topic_of("workspace", cast.workspace.slug), unique("tab"), shown_as(cast.actor(cast.bea)))
    presence.touch(here)
    rows = {row["name"]: row for row in desk.vic.get("agents/").json()["results"]}
    assert list(rows) == ["Ada", "Bea", "Ben"]
    told = [(rows[name]["availability"], rows[name]["presence"]) for name in ("Bea", "Ben")]
    assert told == [("online", "active"), ("away", "gone")]
    assert (rows["Ben"]["open_conversations"], rows["Bea"]["open_conversations"]) == (1, 0)
    assert desk.tia.get("agents/").status_code == 403
    assert desk.cleo.get("agents/").status_code == 404
