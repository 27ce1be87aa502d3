"""Scores of a class that hands in at once: done in one transaction, each as it would have been alone."""

from typing import Any

import pytest
from asgiref.sync import sync_to_async

from config.live.events import events_after
from jobs import engine
from jobs.models import Job
from jobs.running import RunningJob
from proctoring.models import LeaderboardEntry
from proctoring.topics import leaderboard
from tests.jobs_at_hand import hold
from tests.webhooks.test_scores_road import board, client, score, send
from webhooks.models import Delivery

__all__ = ["board", "client"]


@sync_to_async
def in_hand(board: Any) -> list[RunningJob]:
    """What a worker has claimed of the board's workspace, in the order in which it came."""
    deliveries = Delivery.objects.filter(workspace_id=board.workspace_id, state="kept").order_by("id")
    return [hold(Job.objects.get(key=f"delivery:{one.pk}").pk) for one in deliveries]


@sync_to_async
def together(jobs: list[RunningJob]) -> bool:
    return engine.run_together(jobs)


@sync_to_async
def shown(board: Any) -> dict[str, float]:
    return {one.nickname: float(one.score) for one in LeaderboardEntry.objects.filter(board=board)}


@sync_to_async
def told(board: Any) -> list[tuple[str, int, float]]:
    events = events_after(leaderboard(board.quiz_code), 0)
    return [(event.data["nickname"], event.data["rank"], event.data["score"]) for event in events]


@sync_to_async
def states(board: Any) -> list[tuple[str, dict[str, Any]]]:
    rows = Delivery.objects.filter(workspace_id=board.workspace_id).order_by("id")
    return list(rows.values_list("state", "outcome"))


async def test_each_is_told_with_the_rank_it_had_when_it_came(client, board):
    for name, points in (("Ana", 5), ("Ben", 7), ("Cleo", 6), ("Dee", 7), ("Eve", 1)):
        await send(client, score(board, nickname=name, score=points))
    jobs = await in_hand(board)
    assert {engine.group_of(job) for job in jobs} == {"scores"}
    assert await together(jobs)
    assert await told(board) == [("Ana", 1, 5), ("Ben", 1, 7), ("Cleo", 2, 6), ("Dee", 1, 7), ("Eve", 5, 1)]
    assert {state for state, _ in await states(board)} == {"applied"}
    assert not await Job.objects.filter(workspace_id=board.workspace_id).exclude(status="completed").aexists()


async def test_repeats_conflicts_and_corrections_among_them_are_what_they_are(client, board):
    first, other = score(board, nickname="Ana", score=5), score(board, nickname="Ben", score=6)
    await send(client, first)
    assert await together(await in_hand(board))
    await send(client, other)
    await send(client, {**first, "correction_id": "fix", "score": 9})
    assert await together(await in_hand(board))
    await send(client, score(board, nickname="Cleo", score=1))
    await send(client, {**first, "score": 4})
    assert await together(await in_hand(board))
    assert await shown(board) == {"Ana": 9, "Ben": 6, "Cleo": 1}
    assert (await states(board))[-1][1]["conflict"]
    assert await told(board) == [("Ana", 1, 5), ("Ben", 1, 6), ("Ana", 1, 9), ("Cleo", 3, 1)]


async def test_one_that_cannot_be_done_leaves_all_to_be_done_alone(client, board):
    for name in ("Ana", "Ben"):
        await send(client, score(board, nickname=name))
    jobs = await in_hand(board)
    await Delivery.objects.filter(pk=jobs[1].payload["delivery_id"]).aupdate(state="dismissed")
    assert not await together(jobs)
    assert await shown(board) == {}
    await sync_to_async(engine.run)(jobs[0])
    assert await shown(board) == {"Ana": 8.5}


async def test_a_job_that_somebody_else_holds_by_now_undoes_all(client, board):
    await send(client, score(board, nickname="Ana"))
    jobs = await in_hand(board)
    taken = await sync_to_async(hold)(jobs[0].id)
    assert not await together(jobs)
    assert await shown(board) == {}
    assert await together([taken])
    assert await shown(board) == {"Ana": 8.5}


@pytest.mark.parametrize("change", [{"attempt": 2}, {"died": True}, {"lane": "in:kapso:1"}, {"payload": {"replay": 1}}])
async def test_what_was_tried_before_or_is_something_else_goes_alone(client, board, change):
    await send(client, score(board))
    (job,) = await in_hand(board)
    for name, value in change.items():
        setattr(job, name, value)
    assert engine.group_of(job) == ""
