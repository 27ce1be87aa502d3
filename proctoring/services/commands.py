"""What tutors do to one session or to many at once: each with its reason, each acknowledged by the student's client."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db.models import F
from django.utils import timezone

from config.errors import DomainError, Invalid, NotFound, Said
from config.live.unit import unit_of_work
from crm.actors import Caller
from crm.models import User
from proctoring import access, rows
from proctoring.errors import AlreadyUsed, SessionEnded
from proctoring.events import announce_command, announce_session
from proctoring.models import Command, Exam, ExamSession, SessionDevice, SessionPulse
from proctoring.people import Student
from proctoring.services import devices
from proctoring.services.sessions import change_pulses, move_all, refusal
from proctoring.states import COMMAND_MOVES, LIVE, CommandState, CommandType, SessionStatus

MOST_SESSIONS = 1_000  # in one unit of work
MOST_EXTRA_SECONDS = 8 * 3600
# A message to somebody who is away is still worth reading when they come back in this sitting
GOOD_FOR = timedelta(minutes=30)
SHOWN = ("session", "created_by", "device")  # what a payload reads
TO_ENDED = frozenset({CommandType.NOTE})  # what may still be said of a session that has ended
MOVES_TO = {
    CommandType.PAUSE: SessionStatus.PAUSED,
    CommandType.RESUME: SessionStatus.ACTIVE,
    CommandType.TERMINATE: SessionStatus.TERMINATED,
}


@dataclass(frozen=True, slots=True)
class Order:
    """What a tutor wants done."""

    type: CommandType
    batch: UUID
    body: str = ""
    reason: str = ""
    seconds: int = 0
    is_urgent: bool = False
    device: UUID | None = None  # of END_DEVICE: which


@dataclass(frozen=True, slots=True)
class Result:
    session_id: UUID
    command: Command | None
    error: DomainError | None = None


def command_sessions(*, actor: Caller, slug: str, session_ids: Sequence[UUID] | None, order: Order) -> list[Result]:
    """What cannot be done to one is done to the others. None means all live ones."""
    _check_order(order)
    exam = access.exam_for(actor, slug)
    if session_ids is None:
        live = ExamSession.objects.filter(exam=exam, status__in=LIVE).order_by("pk")
        session_ids = list(live.values_list("pk", flat=True))
    elif len(session_ids) > MOST_SESSIONS:
        raise Invalid(errors={"sessions": Said("At most {most} at once.", most=MOST_SESSIONS)})
    wanted = list(dict.fromkeys(session_ids))
    parts = [wanted[at : at + MOST_SESSIONS] for at in range(0, len(wanted), MOST_SESSIONS)]
    return [result for part in parts for result in _command(actor, exam, part, order)]


def command_session(*, actor: Caller, slug: str, session_id: UUID, order: Order) -> Command:
    """The same batch again is the same command."""
    _check_order(order)
    result = _command(actor, access.exam_for(actor, slug), [session_id], order)[0]
    if result.command is None:
        raise result.error or NotFound
    return result.command


@unit_of_work
def _command(actor: Caller, exam: Exam, session_ids: Sequence[UUID], order: Order) -> list[Result]:
    """All in one unit of work, whose statements are as many for a thousand as for one."""
    sessions = access.sessions_for(actor, exam, session_ids, for_update=True)
    found = Command.objects.select_related(*SHOWN).filter(session__in=list(sessions.values()), batch=order.batch)
    commands = {command.session_id: command for command in found}
    refused = {
        session_id: error
        for session_id in session_ids
        if (error := _refusal(sessions.get(session_id), commands.get(session_id), order)) is not None
    }
    todo = [session for pk, session in sessions.items() if pk not in refused and pk not in commands]
    refused |= _apply(todo, order, by=actor.user_id)
    new = issue([(session, order) for session in todo if session.pk not in refused], by=actor.user_id)
    commands |= {command.session_id: command for command in new}
    return [
        Result(session_id, None if session_id in refused else commands[session_id], refused.get(session_id))
        for session_id in session_ids
    ]


def _refusal(session: ExamSession | None, known: Command | None, order: Order) -> DomainError | None:
    if session is None:
        return NotFound()
    if known is not None:
        told = (known.type, known.body, known.seconds, known.device_id)
        return None if told == (order.type, order.body, order.seconds, order.device) else AlreadyUsed()
    if session.status not in LIVE and order.type not in TO_ENDED and not _may_end(session, order):
        return SessionEnded(session_status=session.status)
    return refusal(session, MOVES_TO[order.type]) if order.type in MOVES_TO else None


def _may_end(session: ExamSession, order: Order) -> bool:
    return order.type == CommandType.TERMINATE and session.status == SessionStatus.EXPIRED


def _check_order(order: Order) -> None:
    errors = {}
    if order.type in {CommandType.MESSAGE, CommandType.ANNOUNCEMENT, CommandType.NOTE} and not order.body.strip():
        errors["body"] = "Write something first."
    if order.type == CommandType.EXTRA_TIME and not 1 <= order.seconds <= MOST_EXTRA_SECONDS:
        errors["seconds"] = Said("From 1 to {most}.", most=MOST_EXTRA_SECONDS)
    if order.type != CommandType.EXTRA_TIME and order.seconds:
        errors["seconds"] = "Only more time takes seconds."
    if (order.type == CommandType.END_DEVICE) != (order.device is not None):
        errors["device"] = "Named where one device is ended, and only there."
    if errors:
        raise Invalid(errors=errors)


def _apply(sessions: Sequence[ExamSession], order: Order, *, by: UUID | None) -> dict[UUID, DomainError]:
    """What a command does here; what it does at the student's is the client's. Answers whom it could not be done to."""
    if order.type in MOVES_TO:
        reason = order.reason[:200] if order.type == CommandType.TERMINATE else ""
        move_all(sessions, MOVES_TO[order.type], reason=reason)
    elif order.type == CommandType.EXTRA_TIME:
        _give_time(sessions, order.seconds)
    elif order.type == CommandType.END_DEVICE:
        return devices.end(sessions, order.device, by=by)
    return {}


def _give_time(sessions: Sequence[ExamSession], seconds: int) -> None:
    ids = [session.pk for session in sessions]
    ExamSession.objects.filter(pk__in=ids).update(extra_seconds=F("extra_seconds") + seconds, updated_at=timezone.now())
    for row in rows.by_ids(ids):
        announce_session(row)


def issue(orders: Sequence[tuple[ExamSession, Order]], *, by: UUID | None) -> list[Command]:
    """Queued for the students' clients, which hear of it on the socket and with their next beat. Of one exam, its
    sessions locked. Inside a unit of work."""
    if not orders:
        return []
    exam, now = orders[0][0].exam, timezone.now()
    tutor = User.objects.filter(pk=by).first() if by else None
    named = [order.device for _, order in orders if order.device]
    there = SessionDevice.objects.in_bulk(named) if named else {}
    commands = [
        Command(
            workspace_id=session.workspace_id,
            session=session,
            batch=order.batch,
            type=order.type,
            body=order.body,
            reason=order.reason,
            seconds=order.seconds,
            is_urgent=order.is_urgent,
            device=there.get(order.device) if order.device else None,
            # A note has nobody to reach
            state=CommandState.SEEN if order.type == CommandType.NOTE else CommandState.QUEUED,
            created_by=tutor,
            created_at=now,
            expires_at=now + GOOD_FOR,
        )
        for session, order in orders
    ]
    Command.objects.bulk_create(commands)
    for command in commands:
        announce_command(command, exam.slug, created=True)
    if reached := [command.session_id for command in commands if command.type != CommandType.NOTE]:
        change_pulses(reached, has_commands=True)
    return commands


# --- The student's side -------------------------------------------------------------------------------------


@unit_of_work
def take_commands(*, session_id: UUID, device: str = "") -> list[Command]:
    """What waits for the session's client, which has it from here on. For an answer to that very client, which is
    the named device: what is for another one goes on waiting."""
    pulse = SessionPulse.objects.filter(pk=session_id)
    pulse.update(has_commands=False)
    waiting = list(
        Command.objects.select_for_update(of=("self",), no_key=True)
        .select_related("session__exam", *SHOWN)
        .filter(session_id=session_id, state=CommandState.QUEUED, expires_at__gt=timezone.now())
        .order_by("pk")
    )
    taken = [command for command in waiting if command.device is None or command.device.name == device]
    if len(taken) < len(waiting):
        pulse.update(has_commands=True)
    return [_advance(command, CommandState.DELIVERED) for command in taken]


@unit_of_work
def acknowledge(
    *, student: Student, session_id: UUID, command_ids: Sequence[UUID], state: CommandState
) -> list[Command]:
    """The client says how far they have come; what is further already stays."""
    session = access.own_session(student, session_id)
    found = (
        Command.objects.select_for_update(of=("self",), no_key=True)
        .select_related("session__exam", *SHOWN)
        .filter(session=session, pk__in=command_ids)
        .exclude(type=CommandType.NOTE)
        .order_by("pk")
    )
    return [_advance(command, state) for command in found]


def _advance(command: Command, to: CommandState) -> Command:
    if to not in COMMAND_MOVES[CommandState(command.state)]:
        return command
    now = timezone.now()
    command.state = to
    if to in {CommandState.DELIVERED, CommandState.SEEN}:
        command.delivered_at = command.delivered_at or now
    if to == CommandState.SEEN:
        command.seen_at = now
    command.save(update_fields=["state", "delivered_at", "seen_at"])
    announce_command(command, command.session.exam.slug)
    return command


def expire_commands() -> int:
    """What was not seen in time. In small units: each is told to its exam."""
    stale = Command.objects.filter(
        state__in=[CommandState.QUEUED, CommandState.DELIVERED], expires_at__lte=timezone.now()
    ).order_by("expires_at")
    count = 0
    for command_id in stale.values_list("pk", flat=True)[:5_000]:
        count += _expire(command_id)
    return count


@unit_of_work
def _expire(command_id: UUID) -> int:
    command = (
        Command.objects.select_for_update(of=("self",), no_key=True)
        .select_related("session__exam", *SHOWN)
        .get(pk=command_id)
    )
    before = command.state
    return int(_advance(command, CommandState.EXPIRED).state != before)
