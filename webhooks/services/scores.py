"""Hands a pushed score to its board. The road has checked it; it is read again, since it may be replayed later."""

from typing import Any
from uuid import UUID

from crm.actors import System
from crm.models import ProviderEvent
from jobs.errors import ProviderError
from jobs.queue import NewJob
from proctoring.errors import NoSuchBoard
from proctoring.services.leaderboard import Outcome, Pushed, set_entry
from webhooks.bodies import Unreadable
from webhooks.models import Delivery
from webhooks.scores import payload
from webhooks.services.reading import Reading, Unusable

PROVIDER = "scores"
EVENT = "score.pushed"
APPLY = "webhooks.apply_score"


def read(delivery: Delivery) -> Reading:
    score = _score(delivery)
    if delivery.workspace_id is None:
        raise Unusable("quiz_code names no open board.")
    job = NewJob(
        type=APPLY,
        key=f"scores:{delivery.event_key}"[:400],
        lane=score.lane,
        payload={"delivery_id": delivery.pk},
        workspace_id=delivery.workspace_id,
    )
    return Reading(EVENT, jobs=[job])


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
        delivery.outcome = {**delivery.outcome, "conflict": "Another score is stored for this submission; it stays."}
        delivery.save(update_fields=["outcome"])
    return {"outcome": outcome.value}


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
