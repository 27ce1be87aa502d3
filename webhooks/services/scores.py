"""Hands a pushed score to its board. The road has checked it; it is read again, since it may be replayed later."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from config.live import prepared
from crm.actors import System
from crm.models import ProviderEvent
from jobs.errors import ProviderError
from jobs.payloads import JSON, dump
from jobs.queue import NewJob, take_over_all
from jobs.running import RunningJob
from proctoring.errors import NoSuchBoard
from proctoring.services.leaderboard import Outcome, Pushed, set_entries, set_entry
from webhooks.bodies import Unreadable
from webhooks.models import Delivery, DeliveryState
from webhooks.scores import payload
from webhooks.services.reading import Reading, Unusable

PROVIDER = "scores"
EVENT = "score.pushed"
APPLY = "webhooks.apply_score"
CONFLICT = "Another score is stored for this submission; it stays."
_FIRST = """
insert into crm_providerevent (workspace_id, provider, event_id, type, created_at)
select workspace_id, %(provider)s, event_id, %(type)s, now()
from unnest(%(workspaces)s::uuid[], %(events)s::text[]) as given (workspace_id, event_id)
on conflict do nothing
returning 1
"""
_HELD = """
select id, workspace_id, event_key, state, body, received_at from webhooks_delivery where id = any(%(ids)s::bigint[])
order by id for update
"""
_NOTE = """
update webhooks_delivery d set state = %(state)s, outcome = given.outcome::jsonb
from unnest(%(ids)s::bigint[], %(outcomes)s::text[]) as given (id, outcome) where d.id = given.id
returning 1
"""


class NotTogether(Exception):
    """One of them is not as the others: each goes alone."""


def read(delivery: Delivery) -> Reading:
    score = _score(delivery)
    if delivery.workspace_id is None:
        raise Unusable("quiz_code names no open board.")
    return Reading(EVENT, jobs=[_item(delivery, score)])


def _item(delivery: Delivery, score: payload.Score) -> NewJob:
    return NewJob(
        type=APPLY,
        key=f"scores:{delivery.event_key}"[:400],
        lane=score.lane,
        payload={"delivery_id": delivery.pk},
        workspace_id=delivery.workspace_id,
    )


def _score(delivery: Delivery) -> payload.Score:
    try:
        return payload.read(bytes(delivery.body), now=delivery.received_at)
    except Unreadable as error:
        raise Unusable(str(error)) from None


def apply(*, delivery_id: int) -> dict[str, Any]:
    """Inside the job's unit of work."""
    delivery = Delivery.objects.get(pk=delivery_id)
    score = _score(delivery)
    workspace_id = delivery.workspace_id
    if workspace_id is None:
        raise Unusable("quiz_code names no open board.")
    if not _is_first(delivery, workspace_id):
        return {"duplicate": True}
    try:
        outcome = set_entry(actor=System(workspace_id, PROVIDER), pushed=_pushed(score))
    except NoSuchBoard as error:
        # A refused push that somebody replays before the board is there: trying again by itself cannot help.
        raise ProviderError(error.message, permanent=True, code=error.code) from error
    if outcome is Outcome.CONFLICT:
        delivery.outcome = {**delivery.outcome, "conflict": CONFLICT}
        delivery.save(update_fields=["outcome"])
    return {"outcome": outcome.value}


def group(job: RunningJob) -> str:
    """A quiz ends for a whole class at once, and all of them wait for their board."""
    return PROVIDER if job.lane.startswith(payload.LANE) and not job.payload.get("replay") else ""


def apply_together(jobs: Sequence[RunningJob]) -> list[JSON]:
    """What reading and applying each alone comes to, in a few statements for all. Inside the jobs' unit of work."""
    deliveries = _held([job.payload["delivery_id"] for job in jobs])
    scores = [_score(delivery) for delivery in deliveries]
    items = [_item(delivery, score) for delivery, score in zip(deliveries, scores, strict=True)]
    pairs = list(zip(jobs, items, strict=True))
    if any(item.lane != job.lane for job, item in pairs) or not take_over_all(pairs):
        raise NotTogether
    _note_first(deliveries)
    outcomes = _set_all(deliveries, scores)
    _note_applied(deliveries, items, outcomes)
    return [{"outcome": outcome.value} for outcome in outcomes]


def _held(ids: list[int]) -> list[Delivery]:
    """Locked, in the order of the ids, with no more of them than is needed here."""
    names = ("id", "workspace_id", "event_key", "state", "body", "received_at")
    found = [Delivery(**dict(zip(names, row, strict=True))) for row in prepared.fetch(_HELD, {"ids": ids})]
    held = {one.pk: one for one in found if one.state == DeliveryState.KEPT and one.workspace_id is not None}
    if set(held) != set(ids):
        raise NotTogether
    return [held[id_] for id_ in ids]


def _note_first(deliveries: Sequence[Delivery]) -> None:
    given = {
        "provider": PROVIDER,
        "type": EVENT,
        "workspaces": [one.workspace_id for one in deliveries],
        "events": [one.event_key for one in deliveries],
    }
    if len(prepared.fetch(_FIRST, given)) != len(deliveries):
        raise NotTogether


def _set_all(deliveries: Sequence[Delivery], scores: Sequence[payload.Score]) -> list[Outcome]:
    places: dict[UUID, list[int]] = {}
    for place, delivery in enumerate(deliveries):
        if delivery.workspace_id is not None:
            places.setdefault(delivery.workspace_id, []).append(place)
    outcomes: dict[int, Outcome] = {}
    for workspace_id, of_it in sorted(places.items()):
        pushes = [_pushed(scores[place]) for place in of_it]
        set_ = set_entries(actor=System(workspace_id, PROVIDER), pushes=pushes)
        outcomes |= dict(zip(of_it, set_, strict=True))
    return [outcomes[place] for place in range(len(deliveries))]


def _note_applied(deliveries: Sequence[Delivery], items: Sequence[NewJob], outcomes: Sequence[Outcome]) -> None:
    said: list[dict[str, JSON]] = [{"items": [item.key], "unhandled": []} for item in items]
    for outcome, one in zip(outcomes, said, strict=True):
        if outcome is Outcome.CONFLICT:
            one["conflict"] = CONFLICT
    given = {
        "state": DeliveryState.APPLIED.value,
        "ids": [delivery.pk for delivery in deliveries],
        "outcomes": [dump(one) for one in said],
    }
    prepared.fetch(_NOTE, given)


def _pushed(score: payload.Score) -> Pushed:
    return Pushed(
        submission_id=score.submission_id,
        quiz_code=score.quiz_code,
        exam_id=score.exam_id,
        nickname=score.nickname,
        score=score.score,
        max_score=score.max_score,
        submitted_at=score.submitted_at,
        correction_id=score.correction_id,
    )


def _is_first(delivery: Delivery, workspace_id: UUID) -> bool:
    """Also when the delivery is replayed: a conflict is counted once for each push that was really made."""
    return ProviderEvent.objects.get_or_create(
        provider=PROVIDER,
        event_id=delivery.event_key,
        defaults={"workspace_id": workspace_id, "type": EVENT},
    )[1]
