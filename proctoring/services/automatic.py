"""What an exam's rules do by themselves. Off unless the exam says so: a person decides."""

from collections.abc import Mapping, Sequence
from uuid import UUID, uuid4

from proctoring.models import Command, ExamRule, ExamSession, Violation
from proctoring.states import AutoAction, CommandType, Review, SessionStatus

FORGIVEN = (Review.DISMISSED, Review.VERIFIED)


def act_on(session: ExamSession, new: Sequence[Violation], rules: Mapping[str, ExamRule]) -> None:
    """Once, when the count of a type reaches its threshold. The session is locked and live."""
    from proctoring.services.commands import Order, issue
    from proctoring.services.sessions import move

    for type_ in {violation.type for violation in new}:
        rule = rules.get(type_)
        if rule is None or rule.action == AutoAction.NONE or not rule.threshold:
            continue
        total = Violation.objects.filter(session=session, type=type_).count()
        added = sum(1 for violation in new if violation.type == type_)
        if not total - added < rule.threshold <= total:
            continue
        reason = f"{_prefix(type_)}{rule.threshold}"
        if rule.action == AutoAction.PAUSE and session.status == SessionStatus.ACTIVE:
            move(session, SessionStatus.PAUSED)
            issue([(session, Order(CommandType.PAUSE, uuid4(), reason=reason))], by=None)
        elif rule.action == AutoAction.WARN:
            issue([(session, Order(CommandType.ATTENTION, uuid4(), reason=reason))], by=None)


def _prefix(type_: str) -> str:
    """How the reason begins by which one knows what has set it off."""
    return f"{type_}: "


def release(session: ExamSession, type_: str, *, by: UUID | None) -> None:
    """Whom a rule has paused goes on once so much is forgiven that it would not have come to that. The session is
    locked. A pause by a tutor is the tutor's to end."""
    from proctoring.services.commands import Order, issue
    from proctoring.services.sessions import move

    if session.status != SessionStatus.PAUSED:
        return
    rule = ExamRule.objects.filter(exam_id=session.exam_id, type=type_, action=AutoAction.PAUSE).first()
    pause = Command.objects.filter(session=session, type=CommandType.PAUSE).order_by("-pk").first()
    if rule is None or pause is None or pause.created_by_id or not pause.reason.startswith(_prefix(type_)):
        return
    if Violation.objects.filter(session=session, type=type_).exclude(review__in=FORGIVEN).count() < rule.threshold:
        move(session, SessionStatus.ACTIVE)
        issue([(session, Order(CommandType.RESUME, uuid4(), reason="forgiven"))], by=by)
