"""What the demo shows is consistent: as if the services had written every row of it."""

import unicodedata
from collections import Counter, defaultdict
from datetime import timedelta
from random import Random

import pytest
from django.db.models import Count, F
from django.utils import timezone

from config.run.demo.load import SEED, load
from config.run.demo.people import DEMO, ELSEWHERE, PASSWORD, USERS
from config.run.demo.persons import Crowd
from config.run.demo.threads import demo_threads
from crm import phones
from crm.access import member_of
from crm.actors import System
from crm.issuer.accounts import authenticate
from crm.models import Contact, ContactIdentity, Member, UserIdentity, Workspace
from crm.services.contacts import Sender, contact_for_sender
from inbox.models import Channel, Conversation, ConversationReader, Message
from inbox.narrowing import ListFilter
from inbox.queries import get_tab_counts, lines_for_reader, list_conversations
from inbox.states import ChannelKind, ConversationStatus, Direction, MessageStatus, SenderKind
from inbox.windows import WINDOW
from tests.run.demo_data import demo_loaded

WORKSPACES = [DEMO.id, ELSEWHERE.id]
RUNGS = [MessageStatus.SENT, MessageStatus.DELIVERED, MessageStatus.READ]


@pytest.fixture(scope="module", autouse=True)
def loaded():
    with demo_loaded() as loaded:
        yield loaded


@pytest.fixture(scope="module")
def threads(loaded):
    """Every conversation with its messages, oldest first."""
    messages = defaultdict(list)
    for message in Message.objects.filter(workspace__in=WORKSPACES).order_by("id"):
        messages[message.conversation_id].append(message)
    rows = Conversation.objects.filter(workspace__in=WORKSPACES).select_related("channel", "contact")
    return [(row, messages[row.pk]) for row in rows]


def test_there_is_enough_of_it(loaded):
    assert loaded.contacts >= 300
    assert loaded.conversations >= 300
    longest = Conversation.objects.annotate(messages_count=Count("messages")).order_by("-messages_count").first()
    assert longest is not None
    assert longest.messages_count >= 400


def test_the_second_load_does_nothing(assert_queries):
    before = Message.objects.count()
    with assert_queries(1):
        assert load() is None
    assert Message.objects.count() == before


def test_the_same_stories_are_told_in_every_copy():
    now = timezone.now()

    def told():
        rng = Random(SEED)
        return demo_threads(now, rng, Crowd(rng))

    assert told() == told()


def test_everybody_signs_in_with_the_published_password():
    for user in USERS.values():
        assert authenticate(user.email, PASSWORD).user_id == user.id
        assert UserIdentity.objects.get(provider="supabase", subject=str(user.id)).user_id == user.id


def test_members_are_those_of_the_contract():
    roles = Member.objects.filter(workspace__in=WORKSPACES).values_list("workspace__slug", "user__email", "role")
    assert set(roles) == {
        ("demo", "ada@demo.example", "owner"),
        ("demo", "ben@demo.example", "agent"),
        ("demo", "bea@demo.example", "agent"),
        ("demo", "tia@demo.example", "tutor"),
        ("demo", "vic@demo.example", "viewer"),
        ("elsewhere", "cleo@demo.example", "owner"),
    }


def test_channels_are_those_of_the_contract():
    kapso, twilio, widget = (Channel.objects.get(slug=f"demo-{word}") for word in ("kapso", "twilio", "widget"))
    assert (kapso.identifier, kapso.phone) == ("100000000000001", "+15550100001")
    assert kapso.credentials["webhook_secrets"] == ["demo-kapso-secret"]
    assert (twilio.identifier, twilio.phone) == ("AC00000000000000000000000000000001", "+15550100002")
    assert twilio.credentials == {"auth_tokens": ["demo-twilio-token"]}
    assert widget.kind == ChannelKind.WIDGET
    assert {kapso.workspace_id, twilio.workspace_id, widget.workspace_id} == {DEMO.id}
    other = Channel.objects.get(workspace=ELSEWHERE.id)
    assert other.credentials["webhook_secrets"] != kapso.credentials["webhook_secrets"]


def test_what_the_list_shows_is_what_the_threads_say(threads):
    for row, messages in threads:
        spoken = [m for m in messages if m.direction in (Direction.IN, Direction.OUT)]
        received = [m for m in messages if m.direction == Direction.IN]
        assert row.last_message_id == spoken[-1].pk
        assert row.inbound_count == len(received)
        assert row.last_inbound_at == max((m.provider_time for m in received), default=None)
        assert row.last_activity_at == max(m.created_at for m in messages if m.direction != Direction.ACTIVITY)
        assert row.waiting_since == waiting_since(row, spoken)
        assert row.created_at <= messages[0].created_at


def waiting_since(row, spoken):
    """A person's answer ends the waiting, a bot's does not; nobody waits in what is resolved."""
    since = None
    for message in spoken:
        if message.direction == Direction.IN:
            since = since or message.created_at
        elif message.sender_kind != SenderKind.BOT:
            since = None
    return None if row.status == ConversationStatus.RESOLVED else since


def test_messages_stand_in_the_order_of_their_times(threads):
    now = timezone.now()
    for _, messages in threads:
        times = [message.created_at for message in messages]
        assert times == sorted(times)
        assert times[-1] <= now


def test_statuses_climbed_one_after_the_other():
    now = timezone.now()
    sent = Message.objects.filter(workspace__in=WORKSPACES, direction=Direction.OUT)
    assert set(sent.values_list("status", flat=True)) == {*RUNGS, MessageStatus.FAILED}
    for message in sent.exclude(status=MessageStatus.FAILED):
        rungs = [message.created_at, message.sent_at, message.delivered_at, message.read_at]
        times = [at for at in rungs if at]
        assert rungs[: len(times)] == sorted(times)
        assert message.status == RUNGS[len(times) - 2]
        assert times[-1] <= now
    assert not sent.filter(channel__kind=ChannelKind.TWILIO, status=MessageStatus.READ).exists()


def test_some_failed_for_the_providers_reasons():
    failed = Message.objects.filter(workspace=DEMO.id, status=MessageStatus.FAILED)
    assert set(failed.values_list("error_code", flat=True)) == {"131026", "131047"}
    assert all(message.error_message and message.failed_at for message in failed)


def test_free_text_went_out_in_open_windows_only(threads):
    for row, messages in threads:
        if row.channel.kind != ChannelKind.KAPSO:
            continue
        last = None
        for message in messages:
            if message.direction == Direction.IN:
                last = message.provider_time
            elif message.direction == Direction.OUT and message.type == "text" and message.error_code != "131047":
                assert last is not None
                assert message.created_at - last <= WINDOW


def test_windows_are_open_closing_soon_and_shut():
    now = timezone.now()
    closing = [
        row.window.closes_at - now
        for row in Conversation.objects.filter(workspace=DEMO.id, status="open", channel__kind="kapso").select_related(
            "channel"
        )
        if row.window.closes_at
    ]
    assert sum(left > timedelta(hours=1) for left in closing) >= 20
    assert sum(timedelta() < left < timedelta(hours=1) for left in closing) >= 4
    assert sum(left < timedelta() for left in closing) >= 10


def test_every_number_finds_its_contact_again():
    """And teaches us nothing new: the identities are those that its messages would have left."""
    before = set(ContactIdentity.objects.filter(workspace__in=WORKSPACES).values_list("contact", "kind", "value"))
    rows = Conversation.objects.filter(workspace__in=WORKSPACES).exclude(peer_address="").select_related("channel")
    assert len(rows) >= 300
    for row in rows:
        by_whatsapp = row.channel.kind == ChannelKind.KAPSO
        sender = Sender(
            phone=phones.from_international(row.peer_address), whatsapp=row.peer_address if by_whatsapp else ""
        )
        assert contact_for_sender(actor=System(row.workspace_id, "test"), sender=sender).pk == row.contact_id
    after = set(ContactIdentity.objects.filter(workspace__in=WORKSPACES).values_list("contact", "kind", "value"))
    assert after == before


def test_typed_numbers_are_possible_and_agree_with_their_normal_form():
    contacts = Contact.objects.filter(workspace__in=WORKSPACES).exclude(phone="")
    assert contacts.count() >= 300
    for contact in contacts:
        parsed = phones.parse(contact.phone)
        assert parsed is not None
        assert parsed.e164 == contact.phone_normalized
        assert contact.identities.filter(kind="match", value=parsed.match).exists()


def test_replies_on_whatsapp_go_to_digits_and_some_of_them_are_old_forms():
    addresses = list(
        Conversation.objects.filter(channel__slug="demo-kapso").values_list("peer_address", flat=True).distinct()
    )
    assert all(address.isdigit() for address in addresses)
    assert any(len(address) == 13 and address.startswith("521") for address in addresses)
    assert any(len(address) == 12 and address.startswith("55") for address in addresses)


def test_ben_and_bea_have_something_to_read_and_vic_nothing():
    unread = {key: unread_of(key) for key in ("ada", "ben", "bea", "vic")}
    assert unread["vic"] == 0
    assert 5 <= unread["ben"] <= 25
    assert 5 <= unread["bea"] <= 25
    assert not ConversationReader.objects.filter(
        workspace__in=WORKSPACES, seen_count__gt=F("conversation__inbound_count")
    ).exists()


def unread_of(key):
    actor = member_of(USERS[key].id, DEMO.id)
    page = list_conversations(actor, ListFilter(status="open", unread=True), limit=100)
    rows = lines_for_reader(actor, page.rows)
    assert all(row["unread_count"] > 0 for row in rows)
    return len(rows)


def test_the_tabs_differ():
    counts = get_tab_counts(member_of(USERS["ben"].id, DEMO.id))
    assert 0 < counts["unassigned"] < counts["mine"] < counts["all"] < counts["capped"]


def test_it_looks_like_work():
    rows = Conversation.objects.filter(workspace=DEMO.id)
    statuses = Counter(rows.values_list("status", flat=True))
    assert statuses["resolved"] > statuses["open"] > statuses["pending"] > 0
    assert set(rows.values_list("priority", flat=True)) >= {"none", "medium", "high", "urgent"}
    assert rows.filter(labels__name="Booking").exists()
    assert Message.objects.filter(workspace=DEMO.id, direction=Direction.NOTE, sender_kind=SenderKind.MEMBER).exists()


def test_no_line_of_the_open_list_is_common():
    lines = Counter(
        Conversation.objects.filter(workspace=DEMO.id, status="open").values_list("last_message__body", flat=True)
    )
    assert max(lines.values()) <= 3


def test_many_scripts_are_read():
    scripts: Counter[str] = Counter()
    for name in Contact.objects.filter(workspace=DEMO.id).values_list("name", flat=True):
        scripts[unicodedata.name(name[0]).split()[0]] += 1
    wanted = ("LATIN", "ARABIC", "CYRILLIC", "HEBREW", "DEVANAGARI", "CJK", "HANGUL", "THAI")
    assert all(scripts[script] >= 5 for script in wanted), scripts


def test_no_slot_was_left_open():
    bodies = Message.objects.filter(workspace__in=WORKSPACES)
    assert not bodies.filter(body__regex=r"[{}|]").exists()
    assert not bodies.filter(body="", attachments=None).exists()


def test_the_workspaces_are_named():
    assert dict(Workspace.objects.filter(pk__in=WORKSPACES).values_list("slug", "name"))["demo"] == "Demo workspace"
