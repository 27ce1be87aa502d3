"""What Twilio's requests become: messages with their files, receipts that only climb, wishes to stop."""

import itertools
import random

import httpx
import pytest
from asgiref.sync import sync_to_async

from config.asgi import application
from config.live import pool
from inbox.clients.twilio_errors import MEANINGS, explain
from inbox.models import Attachment, Conversation, Message, OptOut
from inbox.services.opt_outs import wish_of
from inbox.states import Direction, MessageStatus, SenderKind
from tests.cast import make_cast, unique
from tests.webhooks.twilio_calls import OUR_NUMBER, THEIRS, call, kept, make_line, run_all, sms, status, whatsapp
from webhooks.twilio.form import Parameters
from webhooks.twilio.items import Inbound, Other, Receipt
from webhooks.twilio.payload import event_key, event_of, read_item

MEDIA_URL = "https://api.twilio.com/2010-04-01/Accounts/AC1/Messages/MM1/Media/ME{}"


@pytest.fixture
async def client():
    transport = httpx.ASGITransport(app=application)
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
        yield client
    await pool.close_hot_pool()


@pytest.fixture
async def channel():
    return await sync_to_async(lambda: make_line(make_cast()))()


async def received(client, channel, form) -> Message:
    assert (await call(client, channel, form)).status_code == 200
    await run_all(channel)
    return await Message.objects.select_related("conversation__contact", "reply_to").aget(
        channel=channel, provider_id=form["MessageSid"]
    )


async def test_a_text_message_opens_a_conversation_with_its_number(client, channel):
    message = await received(client, channel, sms("Hello"))
    conversation = message.conversation
    assert (message.direction, message.type, message.body) == ("in", "text", "Hello")
    assert conversation.peer_address == THEIRS
    assert conversation.contact.phone_normalized == THEIRS


async def test_the_same_person_by_text_and_by_whatsapp_is_one_contact(client, channel):
    first = await received(client, channel, sms(From="+5511987654321"))
    second = await received(client, channel, whatsapp(wa_id="551187654321"))
    assert first.conversation.contact_id == second.conversation.contact_id
    assert second.conversation.peer_address == "whatsapp:+551187654321"
    assert second.conversation.contact.name == "Budi"


@pytest.mark.parametrize(
    "address", ["72345", "722345", "BANK-NEWS", "whatsapp:US.13491208655302741918", "whatsapp:", "+1", "é"]
)
async def test_senders_that_are_no_numbers_are_people_too(client, channel, address):
    first = await received(client, channel, sms("Your code is 1", From=address))
    second = await received(client, channel, sms("Your code is 2", From=address))
    assert first.conversation_id == second.conversation_id
    assert second.conversation.peer_address == address
    assert second.conversation.contact.phone_normalized == ""


async def test_files_are_attached_and_fetched_later(client, channel):
    form = sms(
        "Two of them",
        NumMedia="2",
        MediaUrl0=MEDIA_URL.format(0),
        MediaContentType0="image/jpeg",
        MediaUrl1=MEDIA_URL.format(1),
        MediaContentType1="application/pdf",
    )
    message = await received(client, channel, form)
    files = [file async for file in Attachment.objects.filter(message=message).order_by("position")]
    assert (message.type, message.body) == ("image", "Two of them")
    assert [(file.kind, file.content_type) for file in files] == [
        ("image", "image/jpeg"),
        ("document", "application/pdf"),
    ]
    assert [file.source for file in files] == [{"url": MEDIA_URL.format(0)}, {"url": MEDIA_URL.format(1)}]
    assert "api.twilio.com" not in str(message.detail)


@pytest.mark.parametrize(
    ("form", "kind", "body", "detail"),
    [
        (
            {"MessageType": "location", "Latitude": "-6.2", "Longitude": "106.8", "Label": "Home", "Address": "Jl. 1"},
            "location",
            "Home, Jl. 1",
            {"location": {"latitude": -6.2, "longitude": 106.8, "name": "Home", "address": "Jl. 1"}},
        ),
        (
            {"MessageType": "button", "ButtonText": "Yes", "ButtonPayload": "y"},
            "button",
            "Yes",
            {"button": {"text": "Yes", "payload": "y"}},
        ),
        (
            {"MessageType": "interactive", "ListId": "1", "ListTitle": "Monday"},
            "interactive",
            "Monday",
            {"interactive": {"type": "list_reply", "list_reply": {"id": "1", "title": "Monday"}}},
        ),
        ({"MessageType": "hologram"}, "hologram", "", {}),
        (
            {"MessageType": "sticker", "NumMedia": "1", "MediaUrl0": "https://x", "MediaContentType0": "image/webp"},
            "sticker",
            "",
            {},
        ),
        (
            {"MessageType": "text", "NumMedia": "1", "MediaUrl0": "https://x", "MediaContentType0": "audio/ogg"},
            "audio",
            "",
            {},
        ),
    ],
    ids=["location", "button", "list", "unknown", "sticker", "voice"],
)
async def test_each_kind_of_whatsapp_is_read(client, channel, form, kind, body, detail):
    message = await received(client, channel, whatsapp("", **form))
    assert (message.type, message.body, message.detail) == (kind, body, detail)


async def test_a_quoted_message_is_what_is_replied_to(client, channel):
    first = await received(client, channel, whatsapp("Question"))
    second = await received(client, channel, whatsapp("Answer", OriginalRepliedMessageSid=first.provider_id))
    assert second.reply_to_id == first.pk


# --- Receipts -----------------------------------------------------------------------------------------------


@sync_to_async
def message_sent(channel) -> Message:
    conversation = Conversation.objects.get(channel=channel)
    return Message.objects.create(
        workspace_id=channel.workspace_id,
        conversation=conversation,
        channel=channel,
        direction=Direction.OUT,
        sender_kind=SenderKind.SYSTEM,
        body="Out",
        provider_id=unique("SM"),
        status=MessageStatus.SENDING,
    )


@pytest.mark.parametrize("order", list(itertools.permutations(["queued", "sent", "delivered", "read"])), ids="-".join)
async def test_in_whatever_order_the_states_come_the_highest_stands(client, channel, order):
    await received(client, channel, sms())
    message = await message_sent(channel)
    for state in order:
        await call(client, channel, status(message.provider_id, state), road="/status")
    await run_all(channel)
    await message.arefresh_from_db()
    assert message.status == "read"
    assert message.sent_at
    assert message.delivered_at


@pytest.mark.parametrize("state", ["failed", "undelivered", "canceled"])
async def test_a_failure_says_why_in_a_sentence(client, channel, state):
    await received(client, channel, sms())
    message = await message_sent(channel)
    for one in ("sent", state, "sending"):
        more = {"ErrorCode": "30003"} if one == state else {}
        await call(client, channel, status(message.provider_id, one, **more), road="/status")
    await run_all(channel)
    await message.arefresh_from_db()
    assert (message.status, message.error_code) == ("failed", "30003")
    assert message.error_message == explain("30003")


async def test_a_failure_without_a_code_still_says_something(client, channel):
    await received(client, channel, sms())
    message = await message_sent(channel)
    await call(client, channel, status(message.provider_id, "undelivered", ErrorCode=""), road="/status")
    await run_all(channel)
    await message.arefresh_from_db()
    assert (message.status, message.error_code) == ("failed", "undelivered")
    assert message.error_message.endswith(".")


async def test_a_receipt_before_we_know_its_message_is_kept_for_it(client, channel):
    assert (await call(client, channel, status(unique("SM"), "delivered"), road="/status")).status_code == 200
    await run_all(channel)
    (delivery,) = await kept(channel)
    assert delivery.state == "applied"


def test_every_code_has_a_sentence_without_a_code_in_it():
    assert all(meaning.sentence.endswith(".") and len(meaning.sentence) < 300 for meaning in MEANINGS.values())
    assert explain("63016") != explain("21610") != explain("999999")
    assert explain("999999", "Their own words") == "Their own words"


# --- Wishes to stop -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "word", ["STOP", "stop", " Stop ", "st op", "UNSUBSCRIBE", "end", "Quit", "stopall", "Revoke", "opt out", "CANCEL"]
)
def test_a_word_alone_is_a_wish_to_stop(word):
    assert wish_of(word) == "STOP"


@pytest.mark.parametrize("word", ["", "Please stop", "Stop it.", "HELP", "INFO", "YES", "stop " * 20, "Halt"])
def test_other_words_are_none(word):
    assert wish_of(word) is None


async def test_stop_and_start_are_recorded_for_the_sender_and_still_show(client, channel):
    message = await received(client, channel, sms(" Stop\n"))
    assert message.body == " Stop\n"
    row = await OptOut.objects.aget(channel=channel)
    assert (row.sender, row.address, row.keyword) == (OUR_NUMBER, THEIRS, "Stop")
    assert row.opted_out_at
    assert row.opted_in_at is None
    await received(client, channel, sms("unstop"))
    await row.arefresh_from_db()
    assert row.opted_in_at > row.opted_out_at


async def test_a_messaging_service_is_the_sender_that_was_stopped(client, channel):
    await received(client, channel, sms("Leave me alone", OptOutType="STOP", MessagingServiceSid="MG1"))
    row = await OptOut.objects.aget(channel=channel)
    assert (row.sender, bool(row.opted_out_at)) == ("MG1", True)


async def test_on_whatsapp_only_the_provider_tells(client, channel):
    await received(client, channel, whatsapp("Cancel"))
    assert not await OptOut.objects.filter(channel=channel).aexists()
    await received(client, channel, whatsapp("Cancel", OptOutType="STOP"))
    assert await OptOut.objects.filter(channel=channel, address="whatsapp:+6281234567890").aexists()


# --- Odd input ----------------------------------------------------------------------------------------------

NAMES = [
    "MessageSid", "SmsSid", "MessageStatus", "SmsStatus", "From", "To", "Body", "NumMedia", "MediaUrl0", "MediaUrl1",
    "MediaContentType0", "MessageType", "WaId", "ProfileName", "Latitude", "Longitude", "ListId", "ButtonText",
    "InteractiveData", "OptOutType", "ErrorCode", "EventType", "ExternalUserId", "OriginalRepliedMessageSid",
]  # fmt: skip
VALUES = [
    "",
    " ",
    "\x00",
    "x" * 5_000,
    "-1",
    "٣",
    "9" * 30,
    "🙂",
    "whatsapp:",
    "+",
    "NaN",
    "1e400",
    "received",
    "{}",
    "STOP",
]


@pytest.mark.parametrize("seed", range(100))
def test_odd_parameters_never_raise(seed):
    dice = random.Random(seed)  # the same each time is the point
    for _ in range(20):
        given = Parameters([(dice.choice(NAMES), dice.choice(VALUES)) for _ in range(dice.randint(0, 12))])
        item = read_item(given)
        assert isinstance(item, Inbound | Receipt | Other)
        assert event_of(item).isascii()
        assert len(event_key(item, "", b"x")) <= 400
