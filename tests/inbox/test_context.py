"""By-phone and context, over the lean road as machines use it and through Django as people do."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import orjson
import pytest
from asgiref.sync import sync_to_async
from django.test import Client
from django.utils import timezone

from config.live import pool
from crm.models import (
    BillingAccount,
    Contact,
    ContactIdentity,
    ContactMemory,
    ContactNote,
    ContactProfile,
    IdentityKind,
    Member,
)
from crm.payloads import contact_payload
from crm.profiles import billing_state_payload, profile_payload, state_payload
from crm.roles import Action
from inbox.access import visible_conversations
from inbox.context import lookup
from inbox.models import Attachment, AttachmentState, Channel, Conversation, ConversationLabel, Label, Message
from inbox.payloads import conversation_payload, message_payload
from inbox.queries import with_lines, with_parts
from inbox.services.messages import send_message
from inbox.states import ChannelKind, Direction, MessageStatus, SenderKind
from tests.api import Api
from tests.cast import make_cast, make_channel, receive, sender, unique
from tests.inbox.context_scene import Asker, asgi_client, make_contact, make_key

NUMBER = "+6281234567890"


@pytest.fixture(autouse=True)
def _own_issuer(settings):
    settings.SUPABASE_URL = ""
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "whitenoise" not in name]


@pytest.fixture
async def cast():
    return await sync_to_async(make_cast)()


@pytest.fixture
async def client():
    async with asgi_client() as client:
        yield client
    await pool.close_hot_pool()


@pytest.fixture
async def key(cast):
    return await sync_to_async(make_key)(cast.workspace, cast.ben)


@pytest.fixture
async def ask(client, cast, key):
    return Asker(client, cast.workspace.slug, key)


def plain(payload: Any) -> Any:
    """As it is once read from JSON."""
    return times(orjson.loads(orjson.dumps(payload)))


def times(value: Any) -> Any:
    """Times as times: their spelling is free."""
    if isinstance(value, dict):
        return {name: times(part) for name, part in value.items()}
    if isinstance(value, list):
        return [times(part) for part in value]
    if isinstance(value, str) and len(value) > 18 and value[4:5] == "-" and value[10:11] == "T":
        return datetime.fromisoformat(value)
    return value


# --- Shapes ---------------------------------------------------------------------------------------------------


def rich(cast) -> dict[str, Any]:
    """A contact with something of everything, and what REST shows of each."""
    thread = receive(cast, "Halo", who=sender(NUMBER[1:], "Budi"))
    label = Label.objects.create(workspace=cast.workspace, name="Billing", hue=2)
    ConversationLabel.objects.create(workspace=cast.workspace, conversation=thread, label=label)
    ben = cast.actor(cast.ben)
    send_message(actor=ben, conversation_id=thread.pk, client_id=uuid4(), body='Selamat pagi "Budi" \\ 你好')
    send_message(actor=ben, conversation_id=thread.pk, client_id=uuid4(), body="promised a refund", note=True)
    receive(cast, "", who=sender(NUMBER[1:]), type="location", detail={"location": {"latitude": 1.5}, "secret": 1})
    photo = Message.objects.filter(conversation=thread).latest("id")
    Attachment.objects.create(
        workspace=cast.workspace, message=photo, kind="image", name="a.png", state=AttachmentState.STORED, size=3
    )
    Attachment.objects.create(
        workspace=cast.workspace,
        message=photo,
        position=1,
        kind="image",
        state=AttachmentState.FAILED,
        error_code="gone",
        error_message="The provider no longer has it.",
    )
    failed = Message.objects.filter(conversation=thread, direction=Direction.OUT).latest("id")
    failed.status, failed.error_code, failed.error_message = MessageStatus.FAILED, "131026", "No WhatsApp"
    failed.sent_at = failed.failed_at = timezone.now()
    failed.save()
    Conversation.objects.filter(pk=thread.pk).update(assignee=cast.ben, priority="high")
    contact = thread.contact
    contact.tags, contact.metadata, contact.owner = ["vip"], {"Town": "Bandung"}, cast.ada
    contact.lead_status, contact.lead_score = "qualified", 80
    contact.save()
    profile = ContactProfile.objects.create(
        contact=contact,
        workspace=cast.workspace,
        first_name="Budi",
        burnout_score="62.50",
        burnout_band="high",
        pressure_zones=["sleep"],
        last_contact_at=timezone.now(),
        assessment={"step": 2},
    )
    profile.refresh_from_db()
    ContactMemory.objects.filter(contact=contact).update(
        historical_summary="Asks about deliveries.", recent_messages=[{"role": "user", "content": "Halo"}]
    )
    account = BillingAccount.objects.create(
        workspace=cast.workspace, contact=contact, stripe_customer_id=unique("cus"), status="past_due", price_id="p"
    )
    note = ContactNote.objects.create(
        workspace=cast.workspace, contact=contact, author=cast.ada, body="Calls back on Monday", mentions=[cast.ben.pk]
    )
    ContactNote.objects.create(
        workspace=cast.workspace, contact=contact, author=cast.ada, body="gone", deleted_at=timezone.now()
    )
    row = with_lines(Conversation.objects.all()).get(pk=thread.pk)
    messages = with_parts(Message.objects.filter(conversation=thread, direction__in=["in", "out"])).order_by("-id")
    return {
        "contact": contact_payload(Contact.objects.get(pk=contact.pk)),
        "profile": profile_payload(profile),
        "state": state_payload(ContactMemory.objects.get(contact=contact)),
        "billing": billing_state_payload(account),
        "conversation": conversation_payload(row),
        "messages": [message_payload(message, "Budi", contact.pk) for message in messages],
        "note": note.body,
        "window": conversation_payload(row)["window"],
    }


async def test_the_statement_shows_what_rest_shows(cast, ask):
    expected = plain(await sync_to_async(rich)(cast))
    got = times((await ask.context(NUMBER)).json())
    assert list(got) == [
        "contact", "profile", "state", "billing", "conversation", "messages", "notes", "window", "allowed_actions"
    ]  # fmt: skip
    for part in ("contact", "profile", "state", "billing", "messages", "window"):
        assert got[part] == expected[part], part
    conversation = got["conversation"]
    assert conversation | expected["conversation"] == conversation
    assert (conversation["unread_count"], conversation["seen_count"]) == (2, 0)
    assert [(note["body"], note["conversation"] is None) for note in got["notes"]] == [
        ("Calls back on Monday", True),
        ("promised a refund", False),
    ]
    assert got["notes"][0]["author"] == {"id": str(cast.ada.pk), "name": "Ada"}
    assert times((await ask.by_phone(NUMBER)).json()) == expected["contact"]


async def test_both_roads_give_the_same_answer(cast, ask):
    await sync_to_async(rich)(cast)
    lean = (await ask.context(NUMBER)).json()
    seen = await sync_to_async(lambda: Api(cast.vic).of(cast.workspace.slug).get("contacts/context", phone=NUMBER))()
    assert seen.status_code == 200
    theirs = seen.json()
    for answer in (lean, theirs):
        del answer["conversation"]["unread_count"], answer["conversation"]["seen_count"]
    assert theirs == lean


async def test_what_is_not_there_is_null_or_empty(cast, ask):
    await sync_to_async(make_contact)(cast.workspace, NUMBER)
    got = (await ask.context(NUMBER)).json()
    assert [got[part] for part in ("profile", "state", "billing", "conversation")] == [None] * 4
    assert (got["messages"], got["notes"], got["allowed_actions"]) == ([], [], [])
    assert got["window"] == {"open": False, "closes_at": None}


async def test_messages_are_the_newest_first_and_as_many_as_wanted(cast, ask):
    def told():
        for number in range(25):
            receive(cast, f"nr {number}", who=sender(NUMBER[1:]))

    await sync_to_async(told)()
    assert [m["body"] for m in (await ask.context(NUMBER)).json()["messages"]] == [f"nr {n}" for n in range(24, 4, -1)]
    assert [m["body"] for m in (await ask.context(NUMBER, limit=2)).json()["messages"]] == ["nr 24", "nr 23"]
    assert len((await ask.context(NUMBER, limit=100)).json()["messages"]) == 25
    for wrong in ("0", "101", "-1", "x", "٣", "9" * 30):
        answer = await ask.context(NUMBER, limit=wrong)
        assert answer.status_code == 400
        assert "limit" in answer.json()["errors"]


# --- Numbers --------------------------------------------------------------------------------------------------

# Region of the workspace, number as it is kept, ways to ask for it
FORMS = [
    ("ID", "+6281234567890", [
        "+6281234567890", "6281234567890", "081234567890", "0812-3456-7890", "(0812) 3456 7890", "0812.3456.7890",
        "81234567890", "+62 812 3456 7890", "+62 (0)812 3456 7890", "+62081234567890", "006281234567890",
        "0062 812 3456 7890", "008 62 812 3456 7890", " 6281234567890", "whatsapp:+6281234567890",
        "whatsapp: 6281234567890", "WhatsApp:+6281234567890", "tel:+62-812-3456-7890",
        "tel:0812-3456-7890;phone-context=+62",
        "+6281234567890 x123", "+62 812-3456-7890 ext. 5", "＋６２８１２３４５６７８９０", "٠٨١٢٣٤٥٦٧٨٩٠",
        "+٦٢٨١٢٣٤٥٦٧٨٩٠", "\u202a+62 812\u20113456\u20117890\u202c", "6281234567890@s.whatsapp.net",
        "https://wa.me/6281234567890", "+0812 3456 7890", "%2B6281234567890",
    ]),
    ("US", "+12025550123", [
        "+12025550123", "12025550123", "2025550123", "(202) 555-0123", "202.555.0123", "1-202-555-0123",
        "011 1 202 555 0123", "0012025550123", "+1 (202) 555-0123 x7", " 12025550123",
    ]),
    ("BR", "+5511987654321", [
        "+5511987654321", "5511987654321", "551187654321", "+551187654321", "11987654321", "(11) 98765-4321",
        "11 8765-4321", "011 98765-4321", "whatsapp:+551187654321",
    ]),
    ("US", "+553196883193", ["+553196883193", "553196883193", "+5531996883193", "5531996883193"]),
    ("MX", "+525512345678", [
        "+525512345678", "5215512345678", "+5215512345678", "+52 1 55 1234 5678", "55 1234 5678", "044 55 1234 5678",
        "525512345678",
    ]),
    ("AR", "+5491123456789", [
        "+5491123456789", "5491123456789", "+541123456789", "541123456789", "011 15 2345 6789", "+54 11 15 2345 6789",
    ]),
    ("AR", "+541123456789", ["+541123456789", "+5491123456789", "5491123456789", "011 2345 6789"]),
    ("IT", "+390612345678", ["+390612345678", "390612345678", "06 1234 5678", "+39 06 1234 5678", "0039 06 12345678"]),
    ("GB", "+447911123456", ["07911 123456", "00447911123456", "+44 (0)7911 123456", "447911123456"]),
    ("CI", "+2250712345678", ["0712345678", "+225 07 12 34 56 78", "2250712345678"]),
]  # fmt: skip


@pytest.mark.parametrize(("region", "kept", "forms"), FORMS, ids=[f"{region}-{kept}" for region, kept, _ in FORMS])
async def test_every_way_to_write_a_number_leads_to_its_contact(cast, ask, region, kept, forms):
    def scene():
        cast.workspace.default_region = region
        cast.workspace.save()
        make_contact(cast.workspace, "+12125550199", name="Somebody else")
        return make_contact(cast.workspace, kept)

    contact = await sync_to_async(scene)()
    found = {form: (await ask.by_phone(form)) for form in forms}
    wrong = {form: answer.text for form, answer in found.items() if answer.status_code != 200}
    assert not wrong
    assert {answer.json()["id"] for answer in found.values()} == {str(contact.pk)}


async def test_a_plus_that_the_address_lost_is_understood(cast, ask, client, key):
    await sync_to_async(make_contact)(cast.workspace, NUMBER)
    path = f"/api/v1/workspaces/{cast.workspace.slug}/contacts/by-phone?phone="
    for written in (NUMBER, "%2B6281234567890", "%252B6281234567890", "whatsapp:+6281234567890"):
        answer = await client.get(path + written, headers={"X-API-Key": key})
        assert answer.status_code == 200, (written, answer.text)


async def test_a_contact_whose_number_stands_in_the_column_alone_is_found(cast, ask):
    def scene():
        return Contact.objects.create(workspace=cast.workspace, phone="x", phone_normalized="+5511987654321")

    contact = await sync_to_async(scene)()
    for form in ("+5511987654321", "+551187654321"):
        assert (await ask.by_phone(form)).json()["id"] == str(contact.pk)


async def test_an_unknown_number_is_told_as_it_was_read(cast, ask):
    for ask_it in (ask.by_phone, ask.context):
        answer = await ask_it("(202) 555-0177")
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json() | {"code": "not_found", "phone_normalized": "+12025550177"} == answer.json()


@pytest.mark.parametrize("phone", ["abc", "12", "1-800-FLOWERS", "+", "+1", "0812 3456 7890", "+" + "9" * 40, "\x00"])
async def test_what_is_no_number_is_refused_by_its_field(ask, phone):
    answer = await ask.by_phone(phone)
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == ["phone"]


@pytest.mark.parametrize("phone", [None, "", "  "])
async def test_a_number_is_needed(ask, phone):
    answer = await ask.context(phone)
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == ["phone"]


async def test_two_hits_are_no_reason_to_guess(cast, ask):
    def scene():
        first = make_contact(cast.workspace, NUMBER)
        other = Contact.objects.create(workspace=cast.workspace, phone_normalized="+6281234567891")
        ContactIdentity.objects.filter(contact=first).delete()
        ContactIdentity.objects.create(
            workspace=cast.workspace, contact=other, kind=IdentityKind.MATCH, value=NUMBER[1:]
        )
        return {str(first.pk), str(other.pk)}

    both = await sync_to_async(scene)()
    answer = await ask.context(NUMBER)
    assert answer.status_code == 409
    assert answer.json()["code"] == "several_contacts"
    assert answer.json()["phone_normalized"] == NUMBER
    assert set(answer.json()["contacts"]) == both


async def test_the_very_number_counts_before_argentinas_other_form(cast, ask):
    fixed, mobile = [
        await sync_to_async(make_contact)(cast.workspace, number) for number in ("+541123456789", "+5491123456789")
    ]
    assert (await ask.by_phone("+541123456789")).json()["id"] == str(fixed.pk)
    assert (await ask.by_phone("+5491123456789")).json()["id"] == str(mobile.pk)


async def test_digits_that_may_be_a_number_here_or_an_id_from_abroad_are_not_guessed(cast, ask):
    def scene():
        cast.workspace.default_region = "ID"
        cast.workspace.save()
        return make_contact(cast.workspace, "+81234567890")

    japanese = await sync_to_async(scene)()
    assert (await ask.by_phone("81234567890")).json()["id"] == str(japanese.pk)
    await sync_to_async(make_contact)(cast.workspace, NUMBER)
    assert (await ask.by_phone("81234567890")).status_code == 409


async def test_the_deleted_are_unknown_and_the_merged_lead_to_whom_they_were_merged_into(cast, ask):
    def scene():
        winner = make_contact(cast.workspace, "+6281111111111", name="Winner")
        middle = make_contact(cast.workspace, "+6281111111112", merged_into=winner, deleted_at=timezone.now())
        make_contact(cast.workspace, NUMBER, merged_into=middle, deleted_at=timezone.now())
        make_contact(cast.workspace, "+6281111111113", deleted_at=timezone.now())
        return winner

    winner = await sync_to_async(scene)()
    assert (await ask.by_phone(NUMBER)).json()["id"] == str(winner.pk)
    assert (await ask.context("+6281111111112")).json()["contact"]["id"] == str(winner.pk)
    assert (await ask.by_phone("+6281111111113")).status_code == 404
    await sync_to_async(Contact.objects.filter(pk=winner.pk).update)(deleted_at=timezone.now())
    assert (await ask.by_phone(NUMBER)).status_code == 404


# --- Who may ask ------------------------------------------------------------------------------------------------


async def test_only_a_good_key_of_this_workspace_may_ask(cast, client):
    def scene():
        make_contact(cast.workspace, NUMBER)
        past = timezone.now() - timedelta(seconds=1)
        gone = make_key(cast.workspace, cast.bea)
        Member.objects.filter(workspace=cast.workspace, user=cast.bea).delete()
        return {
            "good": (make_key(cast.workspace, cast.ben), 200, None),
            "of another workspace": (make_key(cast.elsewhere, cast.cleo), 404, "not_found"),
            "revoked": (make_key(cast.workspace, cast.ben, revoked_at=past), 401, "key_invalid"),
            "expired": (make_key(cast.workspace, cast.ben, expires_at=past), 401, "key_expired"),
            "without the scope": (make_key(cast.workspace, cast.ben, scopes=["reply"]), 403, "forbidden"),
            "wider than its creator": (make_key(cast.workspace, cast.tia), 403, "forbidden"),
            "whose creator left": (gone, 401, "key_invalid"),
            "unknown": ("sb_" + "x" * 43, 401, "key_invalid"),
            "no key at all": ("sb_", 401, "key_invalid"),
        }

    for name, (key, status, code) in (await sync_to_async(scene)()).items():
        ask = Asker(client, cast.workspace.slug, key)
        for answer in (await ask.by_phone(NUMBER), await ask.context(NUMBER)):
            assert answer.status_code == status, name
            assert status == 200 or answer.json()["code"] == code, name
            assert status == 200 or "phone_normalized" not in answer.json(), name
            assert status != 401 or answer.headers["www-authenticate"] == "Bearer"


async def test_a_workspace_that_is_not_there_looks_like_somebody_elses(cast, client, key):
    for slug in ("not-there", cast.elsewhere.slug, "%00", "x" * 200):
        answer = await Asker(client, slug, key).by_phone(NUMBER)
        assert answer.status_code == 404
        assert answer.json()["code"] == "not_found"


async def test_the_old_single_key_is_good_in_its_workspace_and_for_nothing_else(cast, client, settings):
    settings.CRM_API_KEY, settings.CRM_API_KEY_WORKSPACE = "old-single-key", cast.workspace.slug
    await sync_to_async(make_contact)(cast.workspace, NUMBER)
    here = Asker(client, cast.workspace.slug, "old-single-key")
    assert (await here.by_phone(NUMBER)).status_code == 200
    assert (await here.context(NUMBER)).json()["allowed_actions"] == []
    assert (await Asker(client, cast.elsewhere.slug, "old-single-key").by_phone(NUMBER)).status_code == 404
    path = f"/api/v1/workspaces/{cast.workspace.slug}/"
    for headers in ({"Authorization": "Bearer old-single-key"}, {"X-API-Key": "old-single-key"}):
        assert (await client.get(f"{path}contacts/by-phone?phone=2025550123", headers=headers)).status_code == 404
        refused = await sync_to_async(Client(headers=headers).get)(f"{path}conversations/")
        assert refused.status_code == 401
    settings.CRM_API_KEY = ""
    headers = {"X-API-Key": "old-single-key"}
    assert (await client.get(f"{path}contacts/by-phone?phone=2025550123", headers=headers)).status_code == 401


async def test_strangers_learn_nothing(cast):
    await sync_to_async(make_contact)(cast.workspace, NUMBER)

    def told(user: Any) -> int:
        return Api(user).of(cast.workspace.slug).get("contacts/context", phone=NUMBER).status_code

    statuses = [await sync_to_async(told)(user) for user in (None, cast.cleo, cast.sam, cast.tia, cast.vic, cast.ben)]
    assert statuses == [401, 404, 404, 403, 200, 200]


async def test_a_key_is_held_to_its_rate(cast, client):
    key = await sync_to_async(make_key)(cast.workspace, cast.ben, rate=3)
    ask = Asker(client, cast.workspace.slug, key)
    answers = [await ask.by_phone(NUMBER) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [404, 404, 404, 429]
    assert int(answers[-1].headers["retry-after"]) > 0


async def test_the_same_rules_decide_on_both_engines(cast, client):
    """Every role and scope, over every kind of conversation: what the querysets show is what the statement shows."""

    def scene() -> list[tuple[str, Any]]:
        mine = receive(cast, "seen", who=sender(NUMBER[1:]))
        second = make_channel(cast.workspace, ChannelKind.TWILIO)
        for hidden in ({"scope": "exam"}, {"deleted_at": timezone.now()}, {"merged_into": mine}):
            thread = receive(cast, "hidden", who=sender(NUMBER[1:]), channel=second)
            Conversation.objects.filter(pk=thread.pk).update(**hidden)
        keys = []
        for user in (cast.ada, cast.ben, cast.tia, cast.vic):
            for scopes in ([], [Action.READ_INBOX], [Action.REPLY], [Action.READ_INBOX, Action.REPLY, Action.NOTE]):
                role = cast.actor(user).role
                may = {scope for scope in scopes if cast.actor(user).may(scope)}
                shown = visible_conversations(cast.actor(user)).filter(contact=mine.contact_id)
                expected = [str(row.pk) for row in shown] if Action.READ_INBOX in may else None
                allowed = [name for name, action in (("reply", Action.REPLY), ("note", Action.NOTE)) if action in may]
                keys.append((f"{role} {scopes}", (make_key(cast.workspace, user, scopes=scopes), expected, allowed)))
        return keys

    for name, (key, expected, allowed) in await sync_to_async(scene)():
        answer = await Asker(client, cast.workspace.slug, key).context(NUMBER)
        if expected is None:
            assert answer.status_code == 403, name
            continue
        assert [answer.json()["conversation"]["id"]] == expected, name
        assert [message["body"] for message in answer.json()["messages"]] == ["seen"], name
        assert answer.json()["allowed_actions"] == allowed, name


# --- What it costs --------------------------------------------------------------------------------------------


async def test_one_statement_answers(cast, ask, settings):
    settings.DEBUG = True
    await sync_to_async(rich)(cast)
    await ask.by_phone("202-555-0123")  # tells this process by which country's habits the workspace writes numbers
    for form in (NUMBER, "6281234567890", "202-555-0123", "+5511987654321", "+541123456789"):
        for answer in (await ask.by_phone(form), await ask.context(form)):
            assert 'desc="1 queries"' in answer.headers["server-timing"], form


async def test_a_member_costs_one_more_for_who_it_is(cast, assert_queries):
    def told() -> None:
        rich(cast)
        api = Api(cast.ben).of(cast.workspace.slug)
        api.get("contacts/by-phone", phone="2025550123")
        with assert_queries(2):
            assert api.get("contacts/context", phone=NUMBER).status_code == 200

    await sync_to_async(told)()


async def test_only_a_region_never_seen_before_takes_a_second_statement(cast, ask, settings, monkeypatch):
    settings.DEBUG = True
    monkeypatch.setattr(lookup, "regions", lookup._Regions())
    await sync_to_async(type(cast.workspace).objects.filter(pk=cast.workspace.pk).update)(default_region="ID")
    counts = [(await ask.by_phone("0812 3456 7890")).headers["server-timing"].split('"')[1] for _ in range(2)]
    assert counts == ["2 queries", "1 queries"]


async def test_many_at_once_are_all_answered(cast, ask):
    await sync_to_async(rich)(cast)
    answers = await asyncio.gather(*(ask.context(NUMBER) for _ in range(40)))
    assert {answer.status_code for answer in answers} == {200}


async def test_a_database_that_is_away_is_said_to_be(cast, ask, monkeypatch):
    async def no_pool() -> None:
        raise OSError

    monkeypatch.setattr("inbox.context.road.hot_pool", no_pool)
    answer = await ask.by_phone(NUMBER)
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"


# --- The window -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "address", "hours"),
    [
        ("kapso", "6281234567890", 1),
        ("kapso", "6281234567890", 25),
        ("kapso", "6281234567890", None),
        ("twilio", "whatsapp:+6281234567890", 1),
        ("twilio", "whatsapp:+6281234567890", 25),
        ("twilio", "+6281234567890", 25),
        ("twilio", "+6281234567890", None),
        ("widget", "", None),
    ],
)
async def test_the_window_is_the_one_that_the_inbox_shows(cast, ask, kind, address, hours):
    at = None if hours is None else datetime.now(UTC) - timedelta(hours=hours)

    def scene() -> Any:
        contact = make_contact(cast.workspace, NUMBER)
        channel = make_channel(cast.workspace, ChannelKind(kind))
        row = Conversation.objects.create(
            workspace=cast.workspace,
            contact=contact,
            channel=Channel.objects.get(pk=channel.pk),
            peer_address=address,
            last_inbound_at=at,
            last_activity_at=timezone.now(),
        )
        Message.objects.create(
            workspace=cast.workspace,
            conversation=row,
            channel=channel,
            direction=Direction.ACTIVITY,
            sender_kind=SenderKind.SYSTEM,
            status=MessageStatus.RECEIVED,
            body="assigned",
        )
        return {"open": row.window.open, "closes_at": row.window.closes_at}

    expected = plain(await sync_to_async(scene)())
    got = times((await ask.context(NUMBER)).json())
    assert got["window"] == got["conversation"]["window"] == expected
    assert got["messages"] == []  # who was assigned is nothing that was said
