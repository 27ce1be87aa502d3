"""What each kind of message becomes in the inbox, and what edits, deletions and reactions do to it, in any order."""

import copy
import json
import random
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from config.live.events import events_after, head
from inbox import topics
from inbox.models import Attachment, Conversation, ConversationReader, Message
from inbox.payloads import message_payload
from inbox.queries import message_payloads, with_parts
from inbox.states import ConversationStatus, Direction, MessageStatus, SenderKind
from jobs.models import Job
from tests.cast import unique
from tests.jobs_at_hand import run_job
from webhooks.models import Delivery
from webhooks.services.deliveries import unpack

SECRET_ADDRESS = "https://app.kapso.ai/rails/active_storage/blobs/redirect/TOKEN--SIG/photo.jpg"
NUMBER = "6281234567890"
START = 1_763_668_790


def message_of(kind: str, content: Any, *, second: int = 0, number: str = NUMBER, **more: Any) -> dict[str, Any]:
    return {
        "id": unique("wamid"),
        "timestamp": str(START + second),
        "type": kind,
        "from": number,
        kind: content,
        "kapso": {"direction": "inbound", "status": "received", "origin": "cloud_api"},
        **more,
    }


def text(body: str = "Halo", **more: Any) -> dict[str, Any]:
    return message_of("text", {"body": body}, **more)


def edit(target: str, body: str, **more: Any) -> dict[str, Any]:
    now = {"type": "text", "text": {"body": body}}
    return message_of("edit", {"original_message_id": target, "message": now}, **more)


def revoke(target: str, **more: Any) -> dict[str, Any]:
    return message_of("revoke", {"original_message_id": target}, **more)


def reaction(target: str, emoji: str | None, **more: Any) -> dict[str, Any]:
    return message_of("reaction", {"message_id": target, **({"emoji": emoji} if emoji is not None else {})}, **more)


def envelope(message: dict[str, Any]) -> dict[str, Any]:
    return {
        "message": message,
        "conversation": {"phone_number": f"+{message.get('from', NUMBER)}", "kapso": {"contact_name": "Budi"}},
        "phone_number_id": "100000000000001",
    }


def deliver(cast, body: dict[str, Any], event: str = "whatsapp.message.received") -> Delivery:
    """Kept, unpacked, and every item of it run."""
    delivery = Delivery.objects.create(
        provider="kapso",
        channel_id=cast.channel.pk,
        workspace_id=cast.workspace.pk,
        event_key=unique("key"),
        event=event,
        headers={"x-webhook-event": event},
        body=json.dumps(body).encode(),
    )
    unpack(delivery_id=delivery.pk)
    delivery.refresh_from_db()
    for job in Job.objects.filter(key__in=delivery.outcome.get("items", [])).order_by("id"):
        run_job(job.pk)
    return delivery


def come(cast, *messages: dict[str, Any]) -> None:
    for message in messages:
        deliver(cast, envelope(message))


def job_of(delivery: Delivery) -> Job:
    return Job.objects.get(key=delivery.outcome["items"][0])


def stored(cast, message: dict[str, Any]) -> Message:
    return Message.objects.select_related("conversation", "reply_to").get(
        channel=cast.channel, provider_id=message["id"]
    )


def shown(cast) -> list[str]:
    """What a reader of the thread finds."""
    conversation = Conversation.objects.get(channel=cast.channel, deleted_at=None)
    rows = with_parts(Message.objects.filter(conversation=conversation, deleted_at=None).order_by("pk"))
    return [payload["body"] for payload in message_payloads(conversation, rows)]


def the_conversation(cast) -> Conversation:
    return Conversation.objects.get(channel=cast.channel, deleted_at=None)


TOLD = ("location", "contacts", "interactive", "button", "order", "unsupported")
FILES = ("image", "audio", "video", "document", "sticker")
KINDS = [
    ("image", {"id": "1", "mime_type": "image/jpeg", "caption": "Receipt", "link": SECRET_ADDRESS}, "Receipt"),
    ("audio", {"id": "1", "mime_type": "audio/ogg", "voice": True}, ""),
    ("video", {"id": "1", "mime_type": "video/mp4"}, ""),
    ("document", {"id": "1", "mime_type": "application/pdf", "filename": "a.pdf"}, ""),
    ("sticker", {"id": "1", "mime_type": "image/webp"}, ""),
    ("location", {"latitude": 1.5, "longitude": -2, "name": "Office"}, "Office"),
    ("contacts", [{"name": {"formatted_name": "Ada"}, "phones": [{"phone": "+1"}]}], "Ada"),
    ("interactive", {"type": "list_reply", "list_reply": {"id": "r", "title": "Monday"}}, "Monday"),
    (
        "interactive",
        {"type": "nfm_reply", "nfm_reply": {"body": "Sent", "response_json": '{"day": "Mon", "flow_token": "t"}'}},
        "day: Mon",
    ),
    ("button", {"payload": "p", "text": "Yes"}, "Yes"),
    (
        "order",
        {
            "text": "Please",
            "product_items": [{"product_retailer_id": "tea", "quantity": 2, "item_price": 3, "currency": "EUR"}],
        },
        "Please\n2 × tea (3 EUR)",
    ),
    ("unsupported", {"type": "poll"}, ""),
    ("hologram", {"caption": "From the future"}, "From the future"),
]


@pytest.mark.parametrize(("kind", "content", "body"), KINDS, ids=[f"{row[0]}-{at}" for at, row in enumerate(KINDS)])
def test_every_kind_becomes_a_message_with_its_words_and_details(cast, kind, content, body):
    message = message_of(kind, content)
    message["kapso"] |= {"content": f"x {SECRET_ADDRESS}", "media_url": SECRET_ADDRESS}
    come(cast, message)
    row = stored(cast, message)
    payload = message_payload(row, "Budi")
    assert (payload["type"], payload["body"]) == (kind, body)
    assert payload["detail"] == ({kind: content} if kind in TOLD else {})
    assert SECRET_ADDRESS not in f"{payload} {row.detail}"
    files = list(Attachment.objects.filter(message=row))
    if kind in FILES:
        (file,) = files
        assert (file.kind, file.provider_media_id, file.source) == (kind, "1", {"url": SECRET_ADDRESS})
        assert Job.objects.filter(type="inbox.fetch_attachment", payload__attachment_id=str(files[0].pk)).exists()
    else:
        assert files == []


# --- Edited ---------------------------------------------------------------------------------------------------


def test_an_edit_changes_the_words_and_says_so(cast):
    first = text("Nine o clock")
    come(cast, first)
    conversation = the_conversation(cast)
    before = head(topics.conversation(conversation.pk))
    come(cast, edit(first["id"], "Ten o'clock", second=5))
    row = stored(cast, first)
    assert row.body == "Ten o'clock"
    assert row.edited_at.timestamp() == START + 5
    told = events_after(topics.conversation(conversation.pk), before)
    assert (told[0].type, told[0].data.get("body")) == ("message.updated", "Ten o'clock")
    assert the_conversation(cast).last_message.body == "Ten o'clock"
    assert the_conversation(cast).inbound_count == 1


def test_the_same_edit_again_and_an_older_one_change_nothing(cast):
    first = text("one")
    come(cast, first, edit(first["id"], "three", second=9))
    seq = head(topics.conversation(the_conversation(cast).pk))
    come(cast, edit(first["id"], "three", second=9), edit(first["id"], "two", second=5))
    assert shown(cast) == ["three"]
    assert head(topics.conversation(the_conversation(cast).pk)) == seq


def test_an_edit_that_is_quicker_than_its_message_wins(cast):
    first = text("Wrong")
    come(cast, edit(first["id"], "Right", second=5), first)
    assert shown(cast) == ["Right"]
    assert stored(cast, first).edited_at
    assert the_conversation(cast).inbound_count == 1


def test_an_edit_that_nobody_tells_the_words_of_marks_the_message(cast):
    first = text("Words")
    come(cast, first, message_of("unsupported", {"type": "edit"}, context={"id": first["id"]}, second=5))
    row = stored(cast, first)
    assert (row.body, bool(row.edited_at)) == ("Words", True)


def test_such_an_edit_waits_for_its_message_and_gives_up_in_sight(cast):
    first = text("Words")
    delivery = deliver(cast, envelope(message_of("unsupported", {"type": "edit", "original_message_id": first["id"]})))
    job = job_of(delivery)
    assert (job.status, job.attempts) == ("pending", 1)
    come(cast, first)
    Job.objects.filter(pk=job.pk).update(next_attempt=timezone.now())
    run_job(job.pk)
    assert stored(cast, first).edited_at

    astray = message_of("unsupported", {"type": "edit", "original_message_id": "wamid.no"})
    lost = job_of(deliver(cast, envelope(astray)))
    Job.objects.filter(pk=lost.pk).update(next_attempt=timezone.now(), attempts=lost.max_attempts - 1)
    run_job(lost.pk)
    lost.refresh_from_db()
    assert lost.status == "failed"


# --- Taken back -----------------------------------------------------------------------------------------------


def test_a_deletion_takes_the_message_out_and_sets_everything_right(cast):
    first, second = text("one"), text("two", second=1)
    come(cast, first, second)
    conversation = the_conversation(cast)
    ConversationReader.objects.create(workspace=cast.workspace, conversation=conversation, user=cast.ben, seen_count=2)
    waiting = conversation.waiting_since
    before, mine = head(topics.conversation(conversation.pk)), head(topics.user(cast.ben.pk))
    come(cast, revoke(second["id"], second=5))
    assert shown(cast) == ["one"]
    told = events_after(topics.conversation(conversation.pk), before)
    assert ("message.updated", {"id": str(stored(cast, second).pk), "deleted": True}) in [
        (event.type, event.data) for event in told
    ]
    conversation = the_conversation(cast)
    assert conversation.last_message.body == "one"
    assert (conversation.inbound_count, conversation.waiting_since) == (1, waiting)
    assert conversation.readers.get().seen_count == 1
    (read,) = events_after(topics.user(cast.ben.pk), mine)
    assert read.data["seen_count"] == 1


def test_the_last_one_taken_back_leaves_an_empty_thread_that_waits_for_nobody(cast):
    first = text("oops")
    come(cast, first, revoke(first["id"], second=1))
    conversation = the_conversation(cast)
    assert (conversation.last_message, conversation.waiting_since, conversation.inbound_count) == (None, None, 0)


def test_an_unread_message_taken_back_is_no_longer_unread(cast):
    first, second = text("one"), text("two", second=1)
    come(cast, first)
    conversation = the_conversation(cast)
    ConversationReader.objects.create(workspace=cast.workspace, conversation=conversation, user=cast.ben, seen_count=1)
    come(cast, second, revoke(second["id"], second=5))
    assert (the_conversation(cast).inbound_count, conversation.readers.get().seen_count) == (1, 1)


def test_a_deletion_that_is_quicker_than_its_message_wins(cast):
    known, first = text("Earlier"), text("Secret", second=1)
    come(cast, known, revoke(first["id"], second=5), first)
    assert shown(cast) == ["Earlier"]
    assert the_conversation(cast).inbound_count == 1


def test_also_from_somebody_who_never_wrote_before(cast):
    first, second = text("Secret", number="6289999999999"), text("Hello", number="6289999999999", second=9)
    come(cast, revoke(first["id"], second=5, number="6289999999999"), first)
    assert not Conversation.objects.filter(channel=cast.channel, deleted_at=None).exists()
    come(cast, second)
    assert shown(cast) == ["Hello"]


def test_the_same_deletion_again_changes_nothing_and_no_edit_brings_it_back(cast):
    first, second = text("one"), text("two", second=1)
    come(cast, first, second, revoke(first["id"], second=5))
    seq = head(topics.conversation(the_conversation(cast).pk))
    come(cast, revoke(first["id"], second=6), edit(first["id"], "back", second=7))
    assert shown(cast) == ["two"]
    assert head(topics.conversation(the_conversation(cast).pk)) == seq


def test_staff_can_take_back_on_the_phone_what_they_typed_there(cast):
    come(cast, text("Hello"))
    typed = {
        "id": unique("wamid"),
        "timestamp": str(START + 1),
        "type": "text",
        "to": NUMBER,
        "text": {"body": "Mistyped"},
        "kapso": {"direction": "outbound", "status": "sent", "origin": "business_app"},
    }
    gone = {**typed, "id": unique("wamid"), "type": "revoke", "revoke": {"original_message_id": typed["id"]}}
    for message in (typed, gone):
        deliver(cast, envelope(message), "whatsapp.message.sent")
    assert shown(cast) == ["Hello"]


def test_customers_cannot_touch_what_we_wrote(cast):
    first = text("Hello")
    come(cast, first)
    ours = send(cast, first)
    come(cast, edit(ours.provider_id, "Something else", second=4), text("More", second=5))
    ours.refresh_from_db()
    assert (ours.body, ours.edited_at) == ("Out", None)


def send(cast, to: dict[str, Any]) -> Message:
    conversation = stored(cast, to).conversation
    return Message.objects.create(
        workspace=cast.workspace,
        conversation=conversation,
        channel=cast.channel,
        direction=Direction.OUT,
        sender_kind=SenderKind.SYSTEM,
        body="Out",
        provider_id=unique("wamid.out"),
        status=MessageStatus.SENT,
    )


# --- Reacted to -----------------------------------------------------------------------------------------------


def test_a_reaction_is_a_message_at_its_target_and_keeps_nobody_waiting(cast):
    first = text("Hello")
    come(cast, first)
    ours = send(cast, first)
    Conversation.objects.filter(pk=ours.conversation_id).update(waiting_since=None, status=ConversationStatus.RESOLVED)
    thumb = reaction(ours.provider_id, "👍", second=5)
    come(cast, thumb, thumb)
    row = stored(cast, thumb)
    assert (row.type, row.body, row.reply_to_id) == ("reaction", "👍", ours.pk)
    conversation = the_conversation(cast)
    assert (conversation.waiting_since, conversation.status, conversation.inbound_count) == (None, "resolved", 1)


def test_a_newer_reaction_takes_the_place_of_the_older(cast):
    first = text("Hello")
    come(cast, first, reaction(first["id"], "👍", second=1), reaction(first["id"], "❤️", second=2))
    assert shown(cast) == ["Hello", "❤️"]
    come(cast, reaction(first["id"], "😢", second=1))  # late
    assert shown(cast) == ["Hello", "❤️"]


@pytest.mark.parametrize("nothing", ["", None], ids=["empty", "missing"])
def test_a_reaction_without_an_emoji_takes_the_earlier_one_back(cast, nothing):
    first = text("Hello")
    thumb = reaction(first["id"], "👍", second=1)
    come(cast, first, thumb)
    conversation = the_conversation(cast)
    before = head(topics.conversation(conversation.pk))
    come(cast, reaction(first["id"], nothing, second=2))
    assert shown(cast) == ["Hello"]
    assert the_conversation(cast).last_message.body == "Hello"
    told = [(event.type, event.data) for event in events_after(topics.conversation(conversation.pk), before)]
    assert ("message.updated", {"id": str(stored(cast, thumb).pk), "deleted": True}) in told


def test_taking_back_may_be_quicker_than_the_reaction(cast):
    first = text("Hello")
    come(cast, first, reaction(first["id"], "", second=2), reaction(first["id"], "👍", second=1))
    assert shown(cast) == ["Hello"]


def test_a_reaction_to_what_nobody_knows_is_shown_all_the_same(cast):
    come(cast, text("Hello"), reaction("wamid.unknown", "👍", second=1))
    assert shown(cast) == ["Hello", "👍"]


# --- Other news -----------------------------------------------------------------------------------------------


def test_a_new_number_is_a_line_in_the_thread_and_where_replies_go(cast):
    come(cast, text("Hello"))
    news = {"body": "Budi changed their number", "wa_id": "6287777777777", "type": "user_changed_number"}
    come(cast, message_of("system", news, second=1))
    conversation = the_conversation(cast)
    assert conversation.peer_address == "6287777777777"
    assert conversation.contact.phone_normalized == "+6287777777777"
    line = Message.objects.get(conversation=conversation, direction=Direction.ACTIVITY)
    assert line.body == "Budi changed their number"
    assert conversation.inbound_count == 1
    come(cast, text("From the new one", second=2, number="6287777777777"))
    assert shown(cast)[-1] == "From the new one"


def test_a_changed_identity_is_learnt(cast):
    come(cast, text("Hello", from_user_id="ID.111111"))
    news = {
        "conversation": {"phone_number": f"+{NUMBER}", "business_scoped_user_id": "ID.111111"},
        "contact": {"old_business_scoped_user_id": "ID.111111", "new_business_scoped_user_id": "ID.222222"},
        "phone_number_id": "100000000000001",
    }
    assert deliver(cast, news, "whatsapp.contact.identity_changed").state == "applied"
    without_number = text("It is still me", second=2, from_user_id="ID.222222")
    without_number["from"] = ""
    deliver(cast, {"message": without_number, "phone_number_id": "100000000000001"})
    assert shown(cast) == ["Hello", "It is still me"]


@pytest.mark.parametrize("event", ["created", "ended", "inactive"])
def test_conversation_events_are_kept_with_the_reason_why_nothing_follows(cast, event):
    delivery = deliver(cast, {"conversation": {"id": "1"}}, f"whatsapp.conversation.{event}")
    assert delivery.state == "unhandled"
    assert delivery.outcome["unhandled"][0]["reason"]


def test_a_template_that_somebody_else_sent_is_told_by_its_name_and_values(cast):
    message = {
        "id": unique("wamid"),
        "timestamp": str(START),
        "type": "template",
        "to": NUMBER,
        "template": {
            "name": "order_ready",
            "language": {"code": "en"},
            "components": [{"type": "body", "parameters": [{"type": "text", "text": "Jessica"}]}],
        },
        "kapso": {"direction": "outbound", "status": "sent", "origin": "business_app"},
    }
    deliver(cast, envelope(message), "whatsapp.message.sent")
    assert shown(cast) == ["order_ready: Jessica"]


def test_a_batch_of_everything_is_applied_in_order(cast):
    first = text("one")
    items = [first, text("two", second=1), edit(first["id"], "uno", second=2), reaction(first["id"], "👍", second=3)]
    body = {"type": "whatsapp.message.received", "batch": True, "data": [envelope(message) for message in items]}
    deliver(cast, body)
    assert shown(cast) == ["uno", "two", "👍"]


def test_metas_raw_form_tells_edits_and_deletions_too(cast):
    first, second = text("one"), text("two", second=1)
    value = {
        "metadata": {"phone_number_id": "100000000000001"},
        "messages": [first, second, edit(first["id"], "uno", second=2), revoke(second["id"], second=3)],
    }
    body = {"object": "whatsapp_business_account", "entry": [{"changes": [{"field": "messages", "value": value}]}]}
    deliver(cast, body, "")
    assert shown(cast) == ["uno"]


# --- Odd input ------------------------------------------------------------------------------------------------

PAYLOADS = Path(__file__).parent / "payloads"
ODD: list[Any] = [
    None,
    True,
    0,
    -1,
    1.5,
    1e300,
    "",
    "x",
    "\x00",
    "9" * 400,
    [],
    {},
    [{}],
    [None],
    {"id": 1},
    "🙂" * 300,
]


@pytest.mark.parametrize("name", sorted(path.stem for path in PAYLOADS.glob("v2_*.json")))
def test_nothing_odd_in_a_delivery_fails_a_job(cast, name):
    """What cannot be read is kept as such; what can be is applied."""
    dice = random.Random(name)
    whole = json.loads((PAYLOADS / f"{name}.json").read_text())
    for _ in range(12):
        body = copy.deepcopy(whole)
        for _ in range(dice.randint(1, 3)):
            spoil(body, dice)
        delivery = deliver(cast, body)
        assert delivery.state in ("applied", "unhandled")
        jobs = Job.objects.filter(key__in=delivery.outcome["items"]).exclude(status="completed")
        assert [(job.type, job.last_error) for job in jobs if "not come yet" not in job.last_error] == []


def spoil(data: Any, dice: random.Random) -> None:
    while isinstance(data, dict | list) and data:
        key = dice.choice(list(data) if isinstance(data, dict) else list(range(len(data))))
        if not isinstance(data[key], dict | list) or not data[key] or dice.random() < 0.3:
            data[key] = dice.choice(ODD)
            return
        data = data[key]
