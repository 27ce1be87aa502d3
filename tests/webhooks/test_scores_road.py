"""/webhooks/scores from the outside: a signed push shows on the board once."""

import asyncio
from typing import Any

import httpx
import pytest
from asgiref.sync import sync_to_async

from config.asgi import application
from config.live import pool
from proctoring.models import Leaderboard, LeaderboardEntry
from tests.cast import make_workspace, unique
from tests.webhooks.signing import STANDARD_SECRET, finish_all, push
from webhooks.models import Delivery


@pytest.fixture
async def client():
    transport = httpx.ASGITransport(app=application)
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
        yield client
    await pool.close_hot_pool()


@pytest.fixture
async def board(settings):
    workspace = await sync_to_async(make_workspace)("demo")
    settings.SCORES_SECRETS = [STANDARD_SECRET]
    settings.IDENTITY_WORKSPACE = workspace.slug
    return await Leaderboard.objects.acreate(workspace=workspace, quiz_code=unique("KIDS"))


def score(board: Leaderboard, **more: Any) -> dict[str, Any]:
    return {
        "submission_id": unique("sub"),
        "quiz_code": board.quiz_code,
        "exam_id": "demo-exam",
        "nickname": " Zoë 🦊 ",
        "score": 8.5,
        "max_score": 10,
        "submitted_at": "2026-01-05T10:00:00+02:00",
        **more,
    }


async def send(client, payload: Any, **given: Any) -> httpx.Response:
    return await push(client, "/webhooks/scores", payload, **given)


@sync_to_async
def entries(board) -> list[LeaderboardEntry]:
    return list(LeaderboardEntry.objects.filter(board=board).order_by("id"))


async def test_a_push_becomes_an_entry(client, board):
    assert (await send(client, score(board))).status_code == 200
    (delivery,) = await finish_all("scores", board.workspace_id)
    (entry,) = await entries(board)
    assert (entry.nickname, float(entry.score), float(entry.percentage)) == ("Zoë 🦊", 8.5, 85.0)
    assert entry.submitted_at.isoformat() == "2026-01-05T08:00:00+00:00"
    assert (delivery.state, delivery.event) == ("applied", "score.pushed")


async def test_the_code_is_known_in_any_case(client, board):
    assert (await send(client, score(board, quiz_code=board.quiz_code.lower()))).status_code == 200
    await finish_all("scores", board.workspace_id)
    assert len(await entries(board)) == 1


async def test_twenty_pushes_of_one_submission_at_once_are_one_entry(client, board):
    payload = score(board)
    answers = await asyncio.gather(*(send(client, payload) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    await finish_all("scores", board.workspace_id)
    (entry,) = await entries(board)
    assert entry.conflicts == 0


async def test_another_score_for_the_same_submission_is_flagged_and_changes_nothing(client, board):
    payload = score(board)
    await send(client, payload)
    assert (await send(client, {**payload, "score": 9})).status_code == 200
    _, second = await finish_all("scores", board.workspace_id)
    (entry,) = await entries(board)
    assert (float(entry.score), entry.conflicts) == (8.5, 1)
    assert second.outcome["conflict"]


async def test_a_correction_counts_once(client, board):
    payload = score(board)
    await send(client, payload)
    corrected = {**payload, "score": 9, "correction_id": unique("fix")}
    for _ in range(3):
        assert (await send(client, corrected)).status_code == 200
    await send(client, payload)
    await finish_all("scores", board.workspace_id)
    (entry,) = await entries(board)
    assert (float(entry.score), float(entry.percentage), entry.conflicts) == (9, 90, 0)


BAD: dict[str, list[Any]] = {
    "submission_id": [None, 5, "", "  ", "x" * 256, [], "a\nb"],
    "quiz_code": [None, 5, "", "nobody-has-this", "x" * 41, {}],
    "exam_id": [None, 5, "x" * 256, []],
    "nickname": [
        *(None, 5, "", "   ", "x" * 61, "x" * 10_000, {}),
        *("a\u0000b", "a\u0007b", "a\nb", "\u202eabc", "a\u2066b", "\u200b\u200b"),
        *("<b>Ana</b>", "Ana<script>", "&lt;b", "e\u0301\u0301\u0301\u0301\u0301"),
    ],
    "score": [None, "8", True, -1, -0.01, 11, 1e400, [], "nan"],
    "max_score": [None, "10", False, 0, -1, 5, 1e12, {}],
    "submitted_at": [None, 5, "", "yesterday", "2026-13-01T00:00:00Z", "1999-01-01T00:00:00Z", "2999-01-01T00:00:00Z"],
    "correction_id": [5, "", "x" * 256, {}],
}
MISSING = "missing"


@pytest.mark.parametrize(
    ("name", "bad"),
    [pytest.param(name, bad, id=f"{name}-{n}") for name, values in BAD.items() for n, bad in enumerate(values)]
    + [pytest.param(name, MISSING, id=f"{name}-missing") for name in BAD if name != "correction_id"],
)
async def test_every_field_is_checked_and_a_refusal_stands_in_the_journal(client, board, name, bad):
    payload = score(board)
    if bad == MISSING:
        del payload[name]
    else:
        payload[name] = bad
    answer = await send(client, payload)
    assert (answer.status_code, answer.json()["code"]) == (400, "unreadable")
    delivery = await Delivery.objects.aget(provider="scores", workspace_id=board.workspace_id)
    assert (delivery.state, delivery.outcome) == ("failed", {"reason": answer.json()["detail"]})
    assert name in delivery.outcome["reason"] or "score" in delivery.outcome["reason"] or bad in (1e400, "a\u0000b")
    assert await entries(board) == []


@pytest.mark.parametrize(
    "good",
    [
        {"score": 0},
        {"score": 10},
        {"score": 3.3333333},
        {"nickname": "x" * 60},
        {"exam_id": ""},
        {"correction_id": None},
    ],
    ids=range(6),
)
async def test_what_is_at_the_edge_is_taken(client, board, good):
    assert (await send(client, score(board, **good))).status_code == 200
    await finish_all("scores", board.workspace_id)
    assert len(await entries(board)) == 1


async def test_a_refused_push_can_come_again_under_its_id_once_the_board_is_there(client, board):
    code, message = unique("LATER"), unique("msg")
    payload = score(board, quiz_code=code)
    assert (await send(client, payload, message=message)).status_code == 400
    later = await Leaderboard.objects.acreate(workspace_id=board.workspace_id, quiz_code=code)
    assert (await send(client, payload, message=message)).status_code == 200
    await finish_all("scores", board.workspace_id)
    assert len(await entries(later)) == 1


async def test_a_closed_board_takes_no_more(client, board):
    await Leaderboard.objects.filter(pk=board.pk).aupdate(is_open=False)
    assert (await send(client, score(board))).status_code == 400
