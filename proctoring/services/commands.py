"""What tutors do to one session or to many at once: each with its reason, each acknowledged by the student's client."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

from django.db.models import F
from django.utils import timezone

from config.errors import DomainError, Invalid, Said
from config.live.unit import unit_of_work
from crm.actors import Caller
from proctoring import access, rows
from proctoring.errors import AlreadyUsed, SessionEnded
from proctoring.events import announce_command, announce_session
from proctoring.models import Command, Exam, ExamSession, SessionPulse
from proctoring.people import Student
from proctoring.services import devices
from proctoring.services.sessions import move
from proctoring.states import COMMAND_MOVES, LIVE, CommandState, CommandType, SessionStatus

MOST_SESSIONS = 1_000
MOST_EXTRA_SECONDS = 8 * 3600
# A message to somebody who is away is still worth reading when they come back in this sitting
GOOD_FOR = timedelta(minutes=30)
SHOWN = ("session", "created_by", "device")  # what a payload reads
TO_ENDED = frozenset({CommandType.NOTE})  # what may still be said of a session that has ended


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
    """One unit of work for each session: what cannot be done to one is done to the others. None means all live ones."""
    _check_order(order)
    exam = access.exam_for(actor, slug)
    if session_ids is None:
        live = ExamSession.objects.filter(exam=exam, status__in=LIVE).order_by("pk")
        session_ids = list(live.values_list("pk", flat=True))
    if len(session_ids) > MOST_SESSIONS:
        raise Invalid(errors={"sessions": Said("At most {most} at once.", most=MOST_SESSIONS)})
    return [_one(actor, exam, session_id, order) for session_id in dict.fromkeys(session_ids)]


def _one(actor: Caller, exam: Exam, session_id: UUID, order: Order) -> Result:
    try:
        return Result(session_id, command_session(actor=actor, slug=exam.slug, session_id=session_id, order=order))
    except DomainError as error:
        return Result(session_id, None, error)


@unit_of_work
def command_session(*, actor: Caller, slug: str, session_id: UUID, order: Order) -> Command:
    """The same batch again is the same command."""
    _check_order(order)
    exam = access.exam_for(actor, slug)
    session = access.session_for(actor, exam, session_id, for_update=True)
    known = Command.objects.select_related(*SHOWN).filter(session=session, batch=order.batch).first()
    if known is not None:
        told = (known.type, known.body, known.seconds, known.device_id)
        if told != (order.type, order.body, order.seconds, order.device):
            raise AlreadyUsed
        return known
    if session.status not in LIVE and order.type not in TO_ENDED and not _may_end(session, order):
        raise SessionEnded(session_status=session.status)
    _apply(session, order, by=actor.user_id)
    return issue(
        session,
        order.type,
        batch=order.batch,
        body=order.body,
        reason=order.reason,
        seconds=order.seconds,
        is_urgent=order.is_urgent,
        device=order.device,
        created_by=actor.user_id,
    )


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


def _apply(session: ExamSession, order: Order, *, by: UUID | None) -> None:
    """What a command does here; what it does at the student's is the client's."""
    if order.type == CommandType.PAUSE:
        move(session, SessionStatus.PAUSED)
    elif order.type == CommandType.RESUME:
        move(session, SessionStatus.ACTIVE)
    elif order.type == CommandType.TERMINATE:
        move(session, SessionStatus.TERMINATED, reason=order.reason[:200])
    elif order.type == CommandType.EXTRA_TIME:
        give_time(session, order.seconds)
    elif order.type == CommandType.END_DEVICE:
        devices.end(session, order.device, by=by)


def give_time(session: ExamSession, seconds: int) -> None:
    ExamSession.objects.filter(pk=session.pk).update(
        extra_seconds=F("extra_seconds") + seconds, updated_at=timezone.now()
    )
    announce_session(rows.one(session.pk))


def issue(
    session: ExamSession,
    type_: CommandType,
    *,
    batch: UUID | None = None,
    body: str = "",
    reason: str = "",
    seconds: int = 0,
    is_urgent: bool = False,
    device: UUID | None = None,
    created_by: UUID | None = None,
) -> Command:
    """Queued for the student's client, which hears of it on the socket and with its next beat."""
    is_note = type_ == CommandType.NOTE
    now = timezone.now()
    command = Command.objects.create(
        workspace_id=session.workspace_id,
        session=session,
        batch=batch or uuid4(),
        type=type_,
        body=body,
        reason=reason,
        seconds=seconds,
        is_urgent=is_urgent,
        device_id=device,
        state=CommandState.SEEN if is_note else CommandState.QUEUED,  # a note has nobody to reach
        created_by_id=created_by,
        expires_at=now + GOOD_FOR,
    )
    command = Command.objects.select_related(*SHOWN).get(pk=command.pk)
    if not is_note:
        SessionPulse.objects.filter(pk=session.pk).update(has_commands=True)
    announce_command(command, session.exam.slug, created=True)
    return command


# --- The student's side -------------------------------------------------------------------------------------


@unit_of_work
def take_commands(*, session_id: UUID, device: str = "") -> list[Command]:
    """What waits for the session's client, which has it from here on. For an answer to that very client, which is
    the named device: what is for another one goes on waiting."""
    pulse = SessionPulse.objects.filter(pk=session_id)
    pulse.update(has_commands=False)
    waiting = list(
        Command.objects.select_for_update(of=("self",))
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
        Command.objects.select_for_update(of=("self",))
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
    command = Command.objects.select_for_update(of=("self",)).select_related("session__exam", *SHOWN).get(pk=command_id)
    before = command.state
    return int(_advance(command, CommandState.EXPIRED).state != before)
