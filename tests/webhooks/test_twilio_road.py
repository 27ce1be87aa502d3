"""/webhooks/twilio/<channel> from the outside: checked in the contract's order, kept once, answered in TwiML."""

import asyncio
import hashlib
import json
from urllib.parse import urlencode

import httpx
import pytest
from asgiref.sync import sync_to_async

from config.asgi import application
from config.live import pool
from inbox.models import Message
from jobs.models import Job
from tests.cast import make_cast, unique
from tests.webhooks.twilio_calls import call, kept, make_line, run_all, signature, sms, status, whatsapp
from webhooks.twilio.road import MOST

TWIML = '<?xml version="1.0" encoding="UTF-8"?><Response></Response>'
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
async def client():
    transport = httpx.ASGITransport(app=application)
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
        yield client
    await pool.close_hot_pool()


@pytest.fixture
async def channel():
    return await sync_to_async(lambda: make_line(make_cast()))()


@sync_to_async
def bodies(channel) -> list[str]:
    return list(Message.objects.filter(channel=channel).order_by("id").values_list("body", flat=True))


async def test_a_signed_text_is_answered_in_twiml_and_becomes_a_message(client, channel):
    answer = await call(client, channel, sms("Is the 9 o'clock free?"))
    assert (answer.status_code, answer.text, answer.headers["content-type"]) == (200, TWIML, "text/xml")
    (delivery,) = await kept(channel)
    assert delivery.event == "message.received"
    assert "x-twilio-signature" not in delivery.headers
    await run_all(channel)
    assert await bodies(channel) == ["Is the 9 o'clock free?"]


async def test_a_status_is_answered_in_twiml_too(client, channel):
    answer = await call(client, channel, status(unique("SM"), "delivered"), road="/status")
    assert (answer.status_code, answer.text) == (200, TWIML)
    (delivery,) = await kept(channel)
    assert delivery.event == "message.delivered"
    await run_all(channel)


async def test_what_was_said_counts_and_not_the_road_it_came(client, channel):
    await call(client, channel, sms("By the other door"), road="/status")
    await call(client, channel, status(unique("SM"), "sent"))
    await run_all(channel)
    assert await bodies(channel) == ["By the other door"]


async def test_twenty_identical_requests_at_once_have_one_effect(client, channel):
    form = sms()
    answers = await asyncio.gather(*(call(client, channel, form) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert len(await kept(channel)) == 1
    await run_all(channel)
    assert len(await bodies(channel)) == 1


async def test_the_message_makes_it_the_same_and_not_the_token(client, channel):
    form = sms()
    await call(client, channel, form, **{"I-Twilio-Idempotency-Token": "one"})
    await call(client, channel, {**form, "ErrorCode": "11200"}, **{"I-Twilio-Idempotency-Token": "two"})
    await call(client, channel, sms(), **{"I-Twilio-Idempotency-Token": "one"})
    assert len(await kept(channel)) == 2


async def test_each_status_of_a_message_is_a_request_of_its_own(client, channel):
    sid = unique("SM")
    for state in ("sent", "delivered", "delivered"):
        await call(client, channel, status(sid, state), road="/status")
    assert [delivery.event for delivery in await kept(channel)] == ["message.sent", "message.delivered"]


async def test_the_public_address_is_what_is_signed_whatever_the_host_says(client, channel):
    form = sms()
    assert (await call(client, channel, form, Host="testserver:81")).status_code in (200, 400)
    assert (await call(client, channel, sms(), query="?tenant=a%20b&x=")).status_code == 200
    path = f"/webhooks/twilio/{channel.slug.upper()}"
    headers = {"X-Twilio-Signature": signature(path, form), **FORM}
    assert (await client.post(path, content=urlencode(form), headers=headers)).status_code == 200
    assert (await client.post(path.lower(), content=urlencode(form), headers=headers)).status_code == 401


@pytest.mark.parametrize("value", ["", "0" * 28, "AAAA", "é", "A" * 27 + "=", "a,b"])
async def test_a_bad_signature_is_401_and_leaves_nothing(client, channel, value):
    headers = [*FORM.items(), *([("X-Twilio-Signature", value.encode())] if value else [])]
    for road in ("", "/status"):
        answer = await client.post(f"/webhooks/twilio/{channel.slug}{road}", content=urlencode(sms()), headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "bad_signature")
    assert await kept(channel) == []


async def test_a_changed_parameter_is_401(client, channel):
    form = sms()
    headers = {"X-Twilio-Signature": signature(f"/webhooks/twilio/{channel.slug}", form), **FORM}
    body = urlencode({**form, "Body": "Something else"})
    assert (await client.post(f"/webhooks/twilio/{channel.slug}", content=body, headers=headers)).status_code == 401


async def test_an_older_token_and_a_shared_key_count_too(client, channel):
    path = f"/webhooks/twilio/{channel.slug}"
    form = sms()
    older = {"X-Twilio-Signature": signature(path, form, "the-older-one"), **FORM}
    assert (await client.post(path, content=urlencode(form), headers=older)).status_code == 200
    shared = {
        "X-Twilio-Signature": signature(path, form, "shared", "HMAC_SHA256"),
        "X-Twilio-Webhooks-Signature-Settings": "key=webhooks_sharedkey_1,algorithm=HMAC_SHA256",
        **FORM,
    }
    assert (await client.post(path, content=urlencode(form), headers=shared)).status_code == 200


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", "application/x-www-form-urlencoded"),
        (b"\xff\xfe\x00", "application/x-www-form-urlencoded"),
        (b"Body=%ff%fe", "application/x-www-form-urlencoded"),
        (b"not a form", "application/x-www-form-urlencoded"),
        (b'{"MessageSid": "SM1", "Body": "x", "From": "+15551234567"}', "application/json"),
        (b"<xml/>", "text/xml"),
    ],
    ids=["empty", "not UTF-8", "not UTF-8 inside", "words", "JSON that is not signed", "XML"],
)
async def test_a_body_that_is_no_form_is_400_and_stands_in_the_journal(client, channel, body, content_type):
    path = f"/webhooks/twilio/{channel.slug}"
    form = {"Body": "\ufffd\ufffd"} if body.startswith(b"Body=") else {}
    headers = {"X-Twilio-Signature": signature(path, form), "Content-Type": content_type}
    answer = await client.post(path, content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "unreadable")
    (delivery,) = await kept(channel)
    assert (delivery.state, bytes(delivery.body)) == ("failed", body)
    assert delivery.outcome["reason"]
    assert not await sync_to_async(Job.objects.filter(key=f"delivery:{delivery.pk}").exists)()
    await call(client, channel, sms("The channel goes on"))
    await run_all(channel)
    assert await bodies(channel) == ["The channel goes on"]


async def test_json_with_the_hash_of_its_body_is_read(client, channel):
    body = json.dumps(sms("As JSON")).encode()
    path = f"/webhooks/twilio/{channel.slug}?bodySHA256={hashlib.sha256(body).hexdigest()}"
    headers = {"X-Twilio-Signature": signature(path, {}), "Content-Type": "application/json"}
    assert (await client.post(path, content=body + b" ", headers=headers)).status_code == 401
    assert (await client.post(path, content=body, headers=headers)).status_code == 200
    await run_all(channel)
    assert await bodies(channel) == ["As JSON"]


async def test_a_get_carries_its_parameters_in_the_address(client, channel):
    path = f"/webhooks/twilio/{channel.slug}?{urlencode(whatsapp('By GET'))}"
    assert (await client.get(path)).status_code == 401
    answer = await client.get(path, headers={"X-Twilio-Signature": signature(path, {})})
    assert (answer.status_code, answer.text) == (200, TWIML)
    await run_all(channel)
    assert await bodies(channel) == ["By GET"]


async def test_other_methods_are_405(client, channel):
    answer = await client.put(f"/webhooks/twilio/{channel.slug}", content=b"")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")


@pytest.mark.parametrize("slug", ["no-such-channel", "", "status", "a/b", "%00", "x" * 200, "..%2f", "a/status/status"])
async def test_an_unknown_channel_is_404_before_the_signature_is_looked_at(client, slug):
    assert (await client.post(f"/webhooks/twilio/{slug}", content=b"a=b", headers=FORM)).status_code == 404


async def test_a_channel_of_another_kind_is_404(client):
    cast = await sync_to_async(make_cast)()
    assert (await call(client, cast.channel, sms())).status_code == 404


async def test_too_large_is_413_before_anything_else(client):
    answer = await client.post("/webhooks/twilio/no-such-channel", content=b"x" * (MOST + 1), headers=FORM)
    assert answer.status_code == 413


async def test_a_kind_that_is_not_handled_is_kept_and_visible(client, channel):
    form = {"Level": "ERROR", "Sid": "NO1", "Payload": "{}", "AccountSid": "AC1"}
    assert (await call(client, channel, form)).status_code == 200
    assert (await call(client, channel, status(unique("SM"), "queued"), road="/status")).status_code == 200
    await run_all(channel)
    assert [(row.state, row.event) for row in await kept(channel)] == [
        ("unhandled", "other.error"),
        ("unhandled", "message.queued"),
    ]


async def test_a_trailing_slash_is_another_address(client, channel):
    form = sms()
    headers = {"X-Twilio-Signature": signature(f"/webhooks/twilio/{channel.slug}", form), **FORM}
    answer = await client.post(f"/webhooks/twilio/{channel.slug}/", content=urlencode(form), headers=headers)
    assert answer.status_code == 401
