"""What an exam's rules do by themselves. Off unless the exam says so: a person decides."""

from collections.abc import Mapping, Sequence

from proctoring.models import ExamRule, ExamSession, Violation
from proctoring.states import AutoAction, CommandType, SessionStatus


def act_on(session: ExamSession, new: Sequence[Violation], rules: Mapping[str, ExamRule]) -> None:
    """Once, when the count of a type reaches its threshold. The session is locked and live."""
    from proctoring.services.commands import issue
    from proctoring.services.sessions import move

    for type_ in {violation.type for violation in new}:
        rule = rules.get(type_)
        if rule is None or rule.action == AutoAction.NONE or not rule.threshold:
            continue
        total = Violation.objects.filter(session=session, type=type_).count()
        added = sum(1 for violation in new if violation.type == type_)
        if not total - added < rule.threshold <= total:
            continue
        reason = f"{type_}: {rule.threshold}"
        if rule.action == AutoAction.PAUSE and session.status == SessionStatus.ACTIVE:
            move(session, SessionStatus.PAUSED)
            issue(session, CommandType.PAUSE, reason=reason)
        elif rule.action == AutoAction.WARN:
            issue(session, CommandType.ATTENTION, reason=reason)
