"""Twenty identical deliveries at once, worked by workers that take each other for dead: on every road, one effect."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from asgiref.sync import sync_to_async

from config.asgi import application
from config.live import pool
from config.live.events import events_after
from crm.models import BillingAccount, Contact, ProviderEvent, User
from inbox import topics
from inbox.models import Channel, Conversation, Message, MessageReceipt
from inbox.states import Direction, MessageStatus, SenderKind
from jobs import engine
from jobs.models import Job
from proctoring.models import Leaderboard, LeaderboardEntry
from tests.cast import KAPSO_SECRET, Cast, make_cast, receive, sender, unique
from tests.jobs_at_hand import hold, run_job
from tests.repeats import times
from tests.webhooks.signing import JSON, STANDARD_SECRET, STRIPE_SECRET, encoded, push, push_stripe, standard_headers
from tests.webhooks.twilio_calls import call, make_line, sms, status
from webhooks.kapso.signature import kapso_signature
from webhooks.models import Delivery

ROUNDS = times(2, 100)
AT_ONCE = 20
WORKERS = 4
T = 1_763_668_790


@dataclass
class Scene:
    """A workspace that every road leads to."""

    cast: Cast
    line: Channel
    board: Leaderboard


@dataclass
class Told:
    """One thing that a provider says: how it is delivered, and what is to be found once it took effect."""

    deliver: Callable[[httpx.AsyncClient], Awaitable[httpx.Response]]
    effect: Callable[[], Any]
    expected: Any


def _scene() -> Scene:
    cast = make_cast()
    board = Leaderboard.objects.create(workspace=cast.workspace, quiz_code=unique("KIDS"))
    return Scene(cast, make_line(cast), board)


@pytest.fixture
async def scene(settings) -> Scene:
    made = await sync_to_async(_scene)()
    settings.STRIPE_WORKSPACE = settings.IDENTITY_WORKSPACE = made.cast.workspace.slug
    settings.STRIPE_WEBHOOK_SECRETS = [STRIPE_SECRET]
    settings.IDENTITY_WEBHOOK_SECRETS = settings.SCORES_SECRETS = [STANDARD_SECRET]
    return made


@pytest.fixture
async def client():
    transport = httpx.ASGITransport(app=application)
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
        yield client
    await pool.close_hot_pool()


# --- What they say ------------------------------------------------------------------------------------------


def kapso(scene: Scene) -> Told:
    number, wamid, key = sender().whatsapp, unique("wamid"), unique("key")
    message = {"id": wamid, "timestamp": str(T), "type": "text", "from": number, "text": {"body": "Halo"}}
    said = {
        "message": {**message, "kapso": {"direction": "inbound", "status": "received", "origin": "cloud_api"}},
        "conversation": {"phone_number": f"+{number}", "kapso": {"contact_name": "Budi"}},
        "phone_number_id": scene.cast.channel.identifier,
    }
    body = encoded(said)
    headers = {
        **JSON,
        "X-Webhook-Event": "whatsapp.message.received",
        "X-Webhook-Signature": kapso_signature(KAPSO_SECRET, body),
        "X-Idempotency-Key": key,
    }
    channel = scene.cast.channel
    return Told(
        lambda client: client.post(f"/webhooks/kapso/{channel.slug}", content=body, headers=headers),
        lambda: _shown(channel, wamid, f"+{number}"),
        ONE_MESSAGE,
    )


def twilio(scene: Scene) -> Told:
    number, sid = f"+{sender().whatsapp}", unique("SM")
    form = sms("Hello", MessageSid=sid, From=number)
    return Told(lambda client: call(client, scene.line, form), lambda: _shown(scene.line, sid, number), ONE_MESSAGE)


def twilio_status(scene: Scene) -> Told:
    sid = unique("SM")
    number = f"+{sender().whatsapp}"
    out = _sent(receive(scene.cast, channel=scene.line, peer_address=number), sid)
    form = status(sid, "delivered", To=number)

    def effect() -> tuple[int, str, list[str]]:
        receipts = MessageReceipt.objects.filter(channel_id=scene.line.pk, provider_id=sid)
        told = [event.type for event in events_after(topics.conversation(out.conversation_id), 0)]
        return receipts.count(), Message.objects.get(pk=out.pk).status, told

    return Told(
        lambda client: call(client, scene.line, form, road="/status"),
        effect,
        (1, "delivered", ["message.created", "message.updated"]),
    )


def stripe(scene: Scene) -> Told:
    customer, event_id = unique("cus"), unique("evt")
    subscription = {
        "id": f"sub_{customer}",
        "object": "subscription",
        "customer": customer,
        "status": "active",
        "created": T,
        "metadata": {},
        "items": {"data": [{"current_period_end": T + 86_400, "quantity": 3, "price": {"id": "price_1"}}]},
    }
    said = {"id": event_id, "object": "event", "type": "customer.subscription.updated", "created": T}
    body = encoded({**said, "data": {"object": subscription}})

    def effect() -> tuple[int, list[tuple[str, int | None]]]:
        accounts = BillingAccount.objects.filter(stripe_customer_id=customer)
        return _tombstones("stripe", event_id), list(accounts.values_list("status", "quantity"))

    return Told(lambda client: push_stripe(client, body), effect, (1, [("active", 3)]))


def identity(scene: Scene) -> Told:
    subject, message = unique("user"), unique("msg")
    address = {"id": "idn_1", "email_address": f"{subject}@example.test", "verification": {"status": "verified"}}
    data = {
        "id": subject,
        "object": "user",
        "first_name": "Ada",
        "last_name": "Lovelace",
        "primary_email_address_id": "idn_1",
        "email_addresses": [address],
        "updated_at": T * 1000,
    }
    body = encoded({"type": "user.created", "object": "event", "timestamp": T * 1000, "data": data})
    headers = standard_headers(body, message=message)

    def effect() -> tuple[int, list[str], int]:
        linked = User.objects.filter(identities__provider="clerk", identities__subject=subject)
        of_address = User.objects.filter(email=f"{subject}@example.test").count()
        return _tombstones("identity", message), list(linked.values_list("name", flat=True)), of_address

    return Told(
        lambda client: client.post("/webhooks/identity", content=body, headers=headers),
        effect,
        (1, ["Ada Lovelace"], 1),
    )


def scores(scene: Scene) -> Told:
    submission, message = unique("sub"), unique("msg")
    score = {"submission_id": submission, "quiz_code": scene.board.quiz_code, "exam_id": "demo-exam"}
    said = {**score, "nickname": "Zoë", "score": 8, "max_score": 10, "submitted_at": "2026-01-05T10:00:00Z"}
    return Told(
        lambda client: push(client, "/webhooks/scores", said, message=message),
        lambda: list(
            LeaderboardEntry.objects.filter(board=scene.board, submission_id=submission).values_list(
                "score", "conflicts"
            )
        ),
        [(8, 0)],
    )


ONE_MESSAGE = {"messages": 1, "contacts": 1, "in": 1, "told": ["message.created"]}


def _shown(channel: Channel, provider_id: str, number: str) -> dict[str, Any]:
    (conversation,) = Conversation.objects.filter(channel=channel, messages__provider_id=provider_id)
    return {
        "messages": Message.objects.filter(channel=channel, provider_id=provider_id).count(),
        "contacts": Contact.objects.filter(workspace_id=channel.workspace_id, phone_normalized=number).count(),
        "in": conversation.inbound_count,
        "told": [event.type for event in events_after(topics.conversation(conversation.pk), 0)],
    }


def _sent(conversation: Conversation, provider_id: str) -> Message:
    return Message.objects.create(
        workspace_id=conversation.workspace_id,
        conversation=conversation,
        channel_id=conversation.channel_id,
        direction=Direction.OUT,
        sender_kind=SenderKind.SYSTEM,
        body="Out",
        provider_id=provider_id,
        status=MessageStatus.SENT,
    )


def _tombstones(provider: str, event_id: str) -> int:
    return ProviderEvent.objects.filter(provider=provider, event_id=event_id).count()


# --- What comes of it ---------------------------------------------------------------------------------------


@sync_to_async
def _kept_since(workspace_id: Any, last: int) -> list[Delivery]:
    return list(Delivery.objects.filter(workspace_id=workspace_id, pk__gt=last).order_by("pk"))


@sync_to_async
def _work(delivery: Delivery, at_once: Callable[..., list[Any]]) -> None:
    """Every job that came of it, by several workers at one instant; each took the one before it for dead."""
    (job,) = Job.objects.filter(payload__delivery_id=delivery.pk)
    held = [hold(job.pk) for _ in range(WORKERS)]
    results = at_once([lambda one=one: engine.run(one) for one in held])
    assert [result for result in results if isinstance(result, Exception)] == []
    run_job(job.pk)  # had they been in each other's way, it would be due again
    (job,) = Job.objects.filter(payload__delivery_id=delivery.pk)
    assert (job.status, job.last_error) == ("completed", "")
    delivery.refresh_from_db()
    assert (delivery.state, delivery.outcome["items"]) == ("applied", [job.key]), (
        "one job reads it and does what it says"
    )


@pytest.mark.repeats
@pytest.mark.parametrize(
    "road", [kapso, twilio, twilio_status, stripe, identity, scores], ids=lambda road: road.__name__
)
async def test_identical_deliveries_at_once_have_one_effect(client, scene, at_once, road):
    workspace_id, last = scene.cast.workspace.pk, 0
    for _ in range(ROUNDS):
        told = await sync_to_async(road)(scene)
        answers = await asyncio.gather(*(told.deliver(client) for _ in range(AT_ONCE)))
        assert [answer.status_code for answer in answers] == [200] * AT_ONCE
        (delivery,) = await _kept_since(workspace_id, last)
        last = delivery.pk

        await _work(delivery, at_once)

        assert await sync_to_async(told.effect)() == told.expected
        assert (await told.deliver(client)).status_code == 200  # and once more, long after
        assert await _kept_since(workspace_id, last) == []
