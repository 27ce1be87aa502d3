"""/webhooks/kapso/<channel> from the outside: checked in the contract's order, kept once, answered after the commit."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from asgiref.sync import sync_to_async
from django.conf import settings

from config.asgi import application
from config.live import pool
from inbox.models import Message
from inbox.states import ChannelKind
from jobs.models import Job
from tests.cast import KAPSO_SECRET, make_cast, make_channel, unique
from tests.jobs_at_hand import run_job
from webhooks import channels, journal
from webhooks.kapso.road import MOST
from webhooks.kapso.signature import kapso_signature, meta_signature
from webhooks.models import Delivery

PAYLOADS = Path(__file__).parent / "payloads"


@pytest.fixture
async def client():
    transport = httpx.ASGITransport(app=application)
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
        yield client
    await pool.close_hot_pool()


@pytest.fixture
async def channel():
    return (await sync_to_async(make_cast)()).channel


def text_message(body: str = "Halo", **message: Any) -> dict[str, Any]:
    return {
        "message": {
            "id": unique("wamid"),
            "timestamp": "1763668790",
            "type": "text",
            "from": "6281234567890",
            "text": {"body": body},
            "kapso": {"direction": "inbound", "status": "received", "origin": "cloud_api"},
            **message,
        },
        "conversation": {"phone_number": "+6281234567890", "kapso": {"contact_name": "Budi"}},
        "phone_number_id": "100000000000001",
    }


def signed(body: bytes, *, key: str = "", event: str = "whatsapp.message.received", **more: str) -> dict[str, str]:
    return {
        "Content-Type": "application/json",
        "X-Webhook-Event": event,
        "X-Webhook-Signature": kapso_signature(KAPSO_SECRET, body),
        "X-Idempotency-Key": key or unique("key"),
        **more,
    }


async def deliver(client, channel, payload: Any, **given: str) -> httpx.Response:
    body = json.dumps(payload).encode()
    return await client.post(f"/webhooks/kapso/{channel.slug}", content=body, headers=signed(body, **given))


@sync_to_async
def kept(channel) -> list[Delivery]:
    return list(Delivery.objects.filter(channel_id=channel.pk).order_by("id"))


@sync_to_async
def run_all(channel) -> None:
    """Everything that came in on the channel, to its end."""
    for delivery in Delivery.objects.filter(channel_id=channel.pk).order_by("id"):
        for job in Job.objects.filter(key=f"delivery:{delivery.pk}"):
            run_job(job.pk)
    for job in Job.objects.filter(workspace_id=channel.workspace_id, status="pending").order_by("id"):
        run_job(job.pk)


@sync_to_async
def bodies(channel) -> list[str]:
    return list(Message.objects.filter(channel=channel).order_by("id").values_list("body", flat=True))


async def test_a_signed_delivery_is_kept_and_becomes_a_message(client, channel):
    answer = await deliver(client, channel, text_message("Halo, apakah sudah dikirim?"))
    assert answer.status_code == 200
    (delivery,) = await kept(channel)
    assert delivery.event == "whatsapp.message.received"
    assert "x-webhook-signature" not in delivery.headers
    await run_all(channel)
    assert await bodies(channel) == ["Halo, apakah sudah dikirim?"]
    (delivery,) = await kept(channel)
    assert delivery.state == "applied"


async def test_the_references_example_appears(client, channel):
    body = (PAYLOADS / "v2_received_text.json").read_bytes()
    answer = await client.post(f"/webhooks/kapso/{channel.slug}", content=body, headers=signed(body))
    assert answer.status_code == 200
    await run_all(channel)
    assert len(await bodies(channel)) == 1


async def test_the_slug_is_case_insensitive(client, channel):
    body = json.dumps(text_message()).encode()
    answer = await client.post(f"/webhooks/kapso/{channel.slug.upper()}", content=body, headers=signed(body))
    assert answer.status_code == 200


async def test_twenty_identical_deliveries_at_once_have_one_effect(client, channel):
    payload, key = text_message(), unique("key")
    answers = await asyncio.gather(*(deliver(client, channel, payload, key=key) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert len(await kept(channel)) == 1
    await run_all(channel)
    assert len(await bodies(channel)) == 1


async def test_the_same_message_under_another_key_has_one_effect(client, channel):
    payload = text_message()
    await deliver(client, channel, payload)
    await deliver(client, channel, {"type": "whatsapp.message.received", "batch": True, "data": [payload]})
    assert len(await kept(channel)) == 2
    await run_all(channel)
    assert len(await bodies(channel)) == 1


async def test_a_batch_becomes_its_messages_in_order_and_a_bad_item_harms_no_other(client, channel):
    batch = [text_message("one"), {"message": "not an object"}, text_message("two")]
    answer = await deliver(client, channel, {"type": "whatsapp.message.received", "batch": True, "data": batch})
    assert answer.status_code == 200
    await run_all(channel)
    assert await bodies(channel) == ["one", "two"]
    (delivery,) = await kept(channel)
    assert len(delivery.outcome["unhandled"]) == 1


async def test_metas_raw_form_under_metas_signature(client, channel):
    body = (PAYLOADS / "meta_text.json").read_bytes()
    headers = {"Content-Type": "application/json", "X-Hub-Signature-256": meta_signature(KAPSO_SECRET, body)}
    answer = await client.post(f"/webhooks/kapso/{channel.slug}", content=body, headers=headers)
    assert answer.status_code == 200
    await run_all(channel)
    assert len(await bodies(channel)) == 1


async def test_an_unknown_kind_is_kept_and_answered_200(client, channel):
    answer = await deliver(client, channel, {"anything": True}, event="whatsapp.phone_number.created")
    assert answer.status_code == 200
    await run_all(channel)
    (delivery,) = await kept(channel)
    assert delivery.state == "unhandled"


@pytest.mark.parametrize(
    "signature",
    ["", "0" * 64, "sha256=" + "0" * 64, "zz", "é", "A" * 64, "0" * 63],
    ids=["none", "wrong", "prefixed", "short", "not ascii", "upper case", "odd"],
)
async def test_a_bad_signature_is_401_and_leaves_nothing(client, channel, signature):
    body = json.dumps(text_message()).encode()
    headers = signed(body)
    del headers["X-Webhook-Signature"]
    given = [*headers.items(), *([("X-Webhook-Signature", signature.encode())] if signature else [])]
    answer = await client.post(f"/webhooks/kapso/{channel.slug}", content=body, headers=given)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "bad_signature"
    assert await kept(channel) == []


async def test_a_body_changed_after_signing_is_401(client, channel):
    body = json.dumps(text_message()).encode()
    answer = await client.post(f"/webhooks/kapso/{channel.slug}", content=body + b" ", headers=signed(body))
    assert answer.status_code == 401


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"\xff\xfe", b'{"a": NaN}', b"[" * 5000])
async def test_a_signed_body_that_is_not_a_json_object_is_400_and_stands_in_the_journal(client, channel, body):
    answer = await client.post(f"/webhooks/kapso/{channel.slug}", content=body, headers=signed(body))
    assert (answer.status_code, answer.json()["code"]) == (400, "unreadable")
    (delivery,) = await kept(channel)
    assert (delivery.state, bytes(delivery.body)) == ("failed", body)
    assert delivery.outcome["reason"]
    assert not await sync_to_async(Job.objects.filter(key=f"delivery:{delivery.pk}").exists)()


@pytest.mark.parametrize("slug", ["no-such-channel", "", "a/b", "%00", "x" * 200, "..%2f"])
async def test_an_unknown_channel_is_404_before_the_signature_is_looked_at(client, slug):
    answer = await client.post(f"/webhooks/kapso/{slug}", content=b"{}")
    assert answer.status_code == 404


async def test_a_channel_of_another_kind_is_404(client, channel):
    cast = await sync_to_async(make_cast)()
    widget = await sync_to_async(make_channel)(cast.workspace, ChannelKind.WIDGET)
    assert (await deliver(client, widget, text_message())).status_code == 404


async def test_too_large_is_413_before_anything_else(client):
    answer = await client.post("/webhooks/kapso/no-such-channel", content=b"x" * (MOST + 1))
    assert answer.status_code == 413


async def test_too_large_without_a_length_is_413_too(client, channel):
    async def endless():
        for _ in range(MOST // 65536 + 2):
            yield b"x" * 65536

    answer = await client.post(f"/webhooks/kapso/{channel.slug}", content=endless())
    assert answer.status_code == 413


async def test_metas_challenge(client, channel):
    query = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": "test-verify"}
    answer = await client.get(f"/webhooks/kapso/{channel.slug}", params=query)
    assert (answer.status_code, answer.text) == (200, "1158201444")
    refused = await client.get(f"/webhooks/kapso/{channel.slug}", params={**query, "hub.verify_token": "guess"})
    assert refused.status_code == 401


async def test_a_slash_at_the_end_makes_no_difference(client, channel):
    body = json.dumps(text_message()).encode()
    answer = await client.post(f"/webhooks/kapso/{channel.slug}/", content=body, headers=signed(body))
    assert answer.status_code == 200


async def test_a_foreign_host_name_is_refused(client, channel):
    body = json.dumps(text_message()).encode()
    answer = await client.post(
        f"/webhooks/kapso/{channel.slug}", content=body, headers={**signed(body), "Host": "evil.example"}
    )
    assert answer.status_code == 400


async def test_what_could_not_be_kept_is_503_and_comes_again(client, channel, monkeypatch):
    async def down(_: object) -> None:
        raise psycopg.OperationalError("gone")

    payload, key = text_message(), unique("key")
    await deliver(client, channel, text_message())  # the channel is known by now
    with monkeypatch.context() as broken:
        broken.setattr(journal, "_insert", down)
        answer = await deliver(client, channel, payload, key=key)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert (await deliver(client, channel, payload, key=key)).status_code == 200


async def test_a_database_that_hangs_is_503_in_time_and_nothing_is_doubled(client, channel, monkeypatch):
    await deliver(client, channel, text_message())  # the channel is known by now
    monkeypatch.setattr(journal, "KEEP_SECONDS", 0.3)
    payload, key = text_message(), unique("key")
    async with held("webhooks_delivery"):
        answer = await deliver(client, channel, payload, key=key)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    monkeypatch.undo()
    assert (await deliver(client, channel, payload, key=key)).status_code == 200
    assert await Delivery.objects.filter(event_key=key).acount() == 1


async def test_a_channel_that_cannot_be_looked_up_in_time_is_503(client, channel, monkeypatch):
    monkeypatch.setattr(channels, "ASK_SECONDS", 0.3)
    async with held("inbox_channel"):
        assert (await deliver(client, channel, text_message())).status_code == 503
    monkeypatch.undo()
    assert (await deliver(client, channel, text_message())).status_code == 200


@asynccontextmanager
async def held(table: str) -> AsyncIterator[None]:
    """Everybody else who wants the table waits: as by a database that hangs."""
    async with await psycopg.AsyncConnection.connect(pool._conninfo(settings.DATABASES["default"])) as other:
        await other.execute(f"lock table {table} in access exclusive mode")
        yield


async def test_one_row_that_cannot_be_kept_harms_no_other(client, channel, monkeypatch):
    real = journal._insert

    async def picky(arrivals: list[journal.Arrival]) -> None:
        if any(b"poison" in arrival.body for arrival in arrivals):
            raise psycopg.DataError("no")
        await real(arrivals)

    await deliver(client, channel, text_message())
    monkeypatch.setattr(journal, "_insert", picky)
    payloads = [text_message("poison" if number == 3 else str(number)) for number in range(8)]
    answers = await asyncio.gather(*(deliver(client, channel, payload) for payload in payloads))
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [503]


async def test_a_writer_that_breaks_leaves_nobody_waiting(client, channel, monkeypatch):
    async def broken(arrivals: list[journal.Arrival]) -> None:
        raise RuntimeError("no")

    await deliver(client, channel, text_message())
    with monkeypatch.context() as patch:
        patch.setattr(journal, "_insert", broken)
        assert (await deliver(client, channel, text_message())).status_code == 503
    assert (await deliver(client, channel, text_message())).status_code == 200


async def test_one_statement_keeps_the_order_of_arrival_in_a_lane(channel):
    arrivals = [
        journal.Arrival(
            provider="kapso",
            channel_id=channel.pk,
            workspace_id=channel.workspace_id,
            event_key=key,
            event="whatsapp.message.received",
            headers={"x-webhook-event": "whatsapp.message.received"},
            body=json.dumps(text_message(body)).encode(),
        )
        for key, body in (("zz", "first"), ("mm", "second"), ("aa", "third"))
    ]
    await journal._insert(arrivals)
    await run_all(channel)
    assert await bodies(channel) == ["first", "second", "third"]


async def test_a_changed_secret_counts_within_seconds(client, channel, monkeypatch):
    from webhooks import channels

    monkeypatch.setattr(channels, "FRESH", 0.0)
    await deliver(client, channel, text_message())
    channel.credentials = {**channel.credentials, "webhook_secrets": ["another"]}
    await channel.asave()
    assert (await deliver(client, channel, text_message())).status_code == 401
