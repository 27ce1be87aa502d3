"""What was announced in an exam, and how far each announcement has come. No writes."""

from collections.abc import Sequence
from uuid import UUID

from django.db.models import Count, QuerySet

from proctoring.models import Command, Exam
from proctoring.states import CommandState, CommandType


def announcements_of(exam: Exam) -> QuerySet[Command]:
    """Its first command stands for each, however many students it is for."""
    firsts = _told(exam).order_by("batch", "pk").distinct("batch")
    return Command.objects.filter(pk__in=firsts.values("pk")).select_related("created_by")


def reached(exam: Exam, batches: Sequence[UUID]) -> dict[UUID, dict[str, int]]:
    """By batch: how many of its commands are in each state."""
    counts = {batch: dict.fromkeys(CommandState.values, 0) for batch in batches}
    rows = _told(exam).filter(batch__in=batches).values_list("batch", "state").annotate(n=Count("pk")).order_by()
    for batch, state, count in rows:
        counts[batch][state] = count
    return counts


def _told(exam: Exam) -> QuerySet[Command]:
    return Command.objects.filter(session__exam=exam, type=CommandType.ANNOUNCEMENT)
