"""The states of a job and the moves between them. Nothing else decides what may follow what."""

from django.db.models import TextChoices


class Status(TextChoices):
    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"  # the dead letters: kept until somebody looks
    DISMISSED = "dismissed"


MOVES: dict[Status, frozenset[Status]] = {
    Status.PENDING: frozenset({Status.PROCESSING, Status.DISMISSED}),
    Status.PROCESSING: frozenset({Status.COMPLETED, Status.FAILED, Status.PENDING}),
    Status.FAILED: frozenset({Status.PENDING, Status.DISMISSED}),
    Status.DISMISSED: frozenset({Status.PENDING}),  # a dismissal may be taken back
    Status.COMPLETED: frozenset(),
}
ENDED = frozenset({Status.COMPLETED, Status.FAILED, Status.DISMISSED})


def sources(target: Status) -> list[str]:
    """From where a job may come to `target`, for a conditional update."""
    return [state.value for state, targets in MOVES.items() if target in targets]


def by_human(target: Status) -> list[str]:
    """From where a person may send a job there: never out of `processing`, which belongs to its worker."""
    return [state for state in sources(target) if state != Status.PROCESSING]
