"""/webhooks/stripe, /webhooks/identity and /webhooks/scores: what is true of every road that belongs to no channel."""

import asyncio
import time
from typing import Any

import httpx
import pytest
from asgiref.sync import sync_to_async

from config.asgi import application
from config.live import pool
from jobs.models import Job
from proctoring.models import Leaderboard
from tests.cast import make_workspace, unique
from tests.webhooks.signing import (
    STANDARD_SECRET,
    STRIPE_SECRET,
    encoded,
    finish,
    finish_all,
    standard_headers,
    stripe_headers,
)
from webhooks import journal
from webhooks.installation import MOST
from webhooks.models import Delivery

ROADS = ("stripe", "identity", "scores")


@pytest.fixture
async def client():
    transport = httpx.ASGITransport(app=application)
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
        yield client
    await pool.close_hot_pool()


@pytest.fixture
async def workspace(settings):
    made = await sync_to_async(make_workspace)("demo")
    settings.STRIPE_WORKSPACE = settings.IDENTITY_WORKSPACE = made.slug
    settings.STRIPE_WEBHOOK_SECRETS = ["whsec_newer", STRIPE_SECRET]
    settings.IDENTITY_WEBHOOK_SECRETS = settings.SCORES_SECRETS = [STANDARD_SECRET]
    return made


@pytest.fixture
async def board(workspace):
    return await Leaderboard.objects.acreate(workspace=workspace, quiz_code=unique("KIDS"))


def payload_for(road: str, board: Leaderboard) -> dict[str, Any]:
    if road == "stripe":
        return {"id": unique("evt"), "object": "event", "type": "plan.created", "data": {"object": {"id": "p"}}}
    if road == "identity":
        return {"object": "event", "type": "session.created", "data": {"id": unique("sess")}, "timestamp": 1}
    return {
        "submission_id": unique("sub"),
        "quiz_code": board.quiz_code,
        "exam_id": "demo-exam",
        "nickname": "Zoë",
        "score": 8,
        "max_score": 10,
        "submitted_at": "2026-01-05T10:00:00Z",
    }


def headers_for(road: str, body: bytes, **given: Any) -> dict[str, str]:
    return stripe_headers(body, **given) if road == "stripe" else standard_headers(body, **given)


async def send(client: httpx.AsyncClient, road: str, body: bytes, headers: dict[str, str]) -> httpx.Response:
    return await client.post(f"/webhooks/{road}", content=body, headers=headers)


@sync_to_async
def kept(workspace) -> list[Delivery]:
    return list(Delivery.objects.filter(workspace_id=workspace.pk).order_by("id"))


@sync_to_async
def jobs_of(delivery: Delivery) -> list[Job]:
    return list(Job.objects.filter(payload__delivery_id=delivery.pk))


@pytest.mark.parametrize("road", ROADS)
async def test_a_signed_delivery_is_kept_with_its_body_and_without_its_signature(client, workspace, board, road):
    body = encoded(payload_for(road, board))
    answer = await send(client, road, body, headers_for(road, body))
    assert answer.status_code == 200
    (delivery,) = await kept(workspace)
    assert (delivery.provider, bytes(delivery.body), delivery.state) == (road, body, "kept")
    (job,) = await jobs_of(delivery)
    assert job.key == f"delivery:{delivery.pk}"
    assert not any("signature" in name for name in delivery.headers)


@pytest.mark.parametrize("road", ROADS)
async def test_twenty_identical_deliveries_at_once_are_one(client, workspace, board, road):
    body = encoded(payload_for(road, board))
    headers = headers_for(road, body)
    answers = await asyncio.gather(*(send(client, road, body, headers) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert len(await kept(workspace)) == 1


@pytest.mark.parametrize("road", ROADS)
async def test_a_bad_signature_leaves_nothing_behind(client, workspace, board, road):
    body = encoded(payload_for(road, board))
    right = headers_for(road, body)
    name = next(name for name in right if name.lower().endswith("signature"))
    stale = headers_for(road, body, at=int(time.time()) - 301)
    for headers in (
        {**right, name: "garbage"},
        {**right, name: ""},
        {key: value for key, value in right.items() if key != name},
        headers_for(road, body + b" "),
        stale,
    ):
        answer = await send(client, road, body, headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "bad_signature")
        assert answer.headers["content-type"] == "application/problem+json"
    assert await kept(workspace) == []


@pytest.mark.parametrize("road", ROADS)
async def test_without_a_secret_nobody_is_believed(client, workspace, board, road, settings):
    settings.STRIPE_WEBHOOK_SECRETS = settings.IDENTITY_WEBHOOK_SECRETS = settings.SCORES_SECRETS = []
    body = encoded(payload_for(road, board))
    assert (await send(client, road, body, headers_for(road, body))).status_code == 401


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff\xfe", b"", b"null", b"{}"], ids=range(6))
@pytest.mark.parametrize("road", ROADS)
async def test_what_is_signed_and_cannot_be_read_is_400_and_stands_in_the_journal(client, workspace, road, body):
    answer = await send(client, road, body, headers_for(road, body))
    assert (answer.status_code, answer.json()["code"]) == (400, "unreadable")
    (delivery,) = await kept(workspace)
    assert (delivery.state, bytes(delivery.body)) == ("failed", body)
    assert delivery.outcome["reason"] == answer.json()["detail"]


@pytest.mark.parametrize("road", ROADS)
async def test_too_large_is_refused_before_the_signature(client, workspace, road):
    body = b" " * (MOST + 1)
    answer = await send(client, road, body, {"Content-Type": "application/json"})
    assert answer.status_code == 413
    assert await kept(workspace) == []


@pytest.mark.parametrize("road", ROADS)
async def test_only_this_address_and_only_post(client, workspace, road):
    assert (await client.get(f"/webhooks/{road}")).status_code == 405
    assert (await client.post(f"/webhooks/{road}/more", content=b"{}")).status_code == 404
    assert (await client.post(f"/webhooks/{road}more", content=b"{}")).status_code == 404


async def test_what_could_not_be_kept_is_503(client, workspace, board, monkeypatch):
    async def broken(arrivals):
        raise OSError

    monkeypatch.setattr(journal, "_insert", broken)
    body = encoded(payload_for("stripe", board))
    answer = await send(client, "stripe", body, headers_for("stripe", body))
    assert answer.status_code == 503
    assert answer.headers["retry-after"]


@pytest.mark.parametrize(("road", "kind"), [("stripe", "plan.created"), ("identity", "session.created")])
async def test_a_kind_that_is_not_handled_is_kept_as_such(client, workspace, board, road, kind):
    body = encoded(payload_for(road, board))
    await send(client, road, body, headers_for(road, body))
    (delivery,) = await finish_all(road, workspace.pk)
    assert (delivery.state, delivery.event) == ("unhandled", kind)
    assert delivery.outcome["unhandled"][0]["kind"] == kind


async def test_a_thin_event_is_kept_as_not_handled(client, workspace):
    body = encoded({"id": unique("evt"), "object": "v2.core.event", "type": "customer.subscription.updated"})
    assert (await send(client, "stripe", body, stripe_headers(body))).status_code == 200
    (delivery,) = await finish_all("stripe", workspace.pk)
    assert delivery.state == "unhandled"


async def test_an_event_without_its_object_fails_visibly_and_the_next_goes_on(client, workspace):
    for data in ({}, {"object": {"id": "cus_1", "object": "customer"}}):
        body = encoded({"id": unique("evt"), "object": "event", "type": "customer.created", "data": data})
        assert (await send(client, "stripe", body, stripe_headers(body))).status_code == 200
    first, second = await finish_all("stripe", workspace.pk)
    assert (first.state, first.outcome) == ("failed", {"reason": "The event carries no object."})
    assert second.state == "applied"


async def test_a_hook_that_comes_again_under_a_new_id_is_known_by_what_stays(client, workspace):
    body = encoded({"metadata": {"uuid": unique("uuid"), "name": "before-user-created"}, "user": {"id": "x"}})
    for _ in range(2):
        assert (await send(client, "identity", body, standard_headers(body))).status_code == 200
    assert len(await kept(workspace)) == 1


async def test_both_families_of_header_names_are_taken(client, workspace, board):
    body = encoded(payload_for("identity", board))
    answer = await send(client, "identity", body, standard_headers(body, family="svix"))
    assert answer.status_code == 200
    (delivery,) = await kept(workspace)
    assert delivery.event_key == delivery.headers["svix-id"]


async def test_replaying_a_delivery_that_worked_changes_nothing(client, workspace):
    body = encoded(
        {
            "id": unique("evt"),
            "type": "customer.created",
            "data": {"object": {"id": unique("cus"), "object": "customer"}},
        }
    )
    await send(client, "stripe", body, stripe_headers(body))
    (delivery,) = await finish_all("stripe", workspace.pk)
    again = await sync_to_async(finish)(delivery)
    assert again.state == "applied"


@pytest.mark.parametrize("path", ["stripe", "identity", "scores"])
async def test_another_method_is_a_problem_that_says_which_there_is(client, path):
    answer = await client.put(f"/webhooks/{path}")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.json()["code"], answer.json()["title"]) == ("method_not_allowed", "Method Not Allowed")
