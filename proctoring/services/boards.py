"""Whether a board still takes scores."""

from config.live.unit import unit_of_work
from crm.actors import Actor
from crm.models import User
from crm.services import audit
from proctoring.models import Leaderboard


@unit_of_work
def set_open(*, actor: Actor, by: User, board: Leaderboard, is_open: bool) -> Leaderboard:
    """Closed, it stays to be seen, and what is pushed to it is refused. Twice is once."""
    locked = Leaderboard.objects.select_for_update(no_key=True).get(pk=board.pk, workspace_id=actor.workspace_id)
    if locked.is_open != is_open:
        locked.is_open = is_open
        locked.save(update_fields=["is_open"])
        audit.record(
            actor=actor,
            action="leaderboard.opened" if is_open else "leaderboard.closed",
            target_kind="leaderboard",
            target_id=locked.pk,
            detail={"quiz_code": locked.quiz_code, "by": by.pk},
        )
    return locked
