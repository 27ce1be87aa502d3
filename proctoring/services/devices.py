"""The browsers of a sitting: known by their own names, noticed when there are two, and ended one at a time."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID, uuid5

from django.utils import timezone

from config.errors import DomainError, Invalid, NotFound
from config.live.unit import unit_of_work
from crm.actors import Caller
from proctoring import access, rows
from proctoring.errors import DeviceEnded, LastDevice
from proctoring.events import announce_session
from proctoring.liveness import DISCONNECTED_SECONDS
from proctoring.models import ExamSession, SessionDevice, SessionPulse
from proctoring.services import own_log
from proctoring.user_agents import browser_of


def check(session: ExamSession, name: str) -> None:
    """DeviceEnded where a tutor has ended the sitting on this device."""
    if name and SessionDevice.objects.filter(session=session, name=name).exclude(ended_at=None).exists():
        raise DeviceEnded


def keep(session: ExamSession, name: str, user_agent: str = "") -> None:
    if not name:
        return
    device, is_new = SessionDevice.objects.get_or_create(
        session=session, name=name, defaults={"workspace_id": session.workspace_id, "user_agent": user_agent}
    )
    if not is_new and user_agent and device.user_agent != user_agent:
        device.user_agent = user_agent
        device.save(update_fields=["user_agent"])


def note_if_second(session: ExamSession, name: str) -> None:
    """One that opens what another one is at. The session is locked."""
    pulse = SessionPulse.objects.select_for_update(no_key=True).get(pk=session.pk)
    is_fresh = pulse.is_live and timezone.now() - pulse.seen_at < timedelta(seconds=DISCONNECTED_SECONDS)
    if is_fresh and name and pulse.device not in ("", name):
        note_second(session, pulse.device, name)


def note_second(session: ExamSession, first: str, second: str) -> bool:
    """Once for each pair; False when it was noted before. The session is locked."""
    opened = SessionDevice.objects.filter(session=session, name=second).first()
    noted = own_log.note(
        session,
        "duplicate_session",
        client_id=uuid5(session.pk, f"devices:{':'.join(sorted((first, second)))}"),
        at=timezone.now(),
        detail={"devices": [first, second], **(browser_of(opened.user_agent) if opened else {})},
    )
    return noted is not None


def end(sessions: Sequence[ExamSession], device_id: UUID | None, *, by: UUID | None) -> dict[UUID, DomainError]:
    """On that one the sitting is over, and goes on at another. Answers why not, by session. Inside a unit of work,
    with the sessions locked."""
    there = (
        SessionDevice.objects.select_for_update(no_key=True).filter(session__in=sessions, ended_at=None).order_by("pk")
    )
    open_at: dict[UUID, list[SessionDevice]] = {session.pk: [] for session in sessions}
    for device in there:
        open_at[device.session_id].append(device)
    refused: dict[UUID, DomainError] = {}
    for session_id, found in open_at.items():
        device_there = next((one for one in found if one.pk == device_id), None)
        if device_there is None:
            refused[session_id] = Invalid(errors={"device": "Not a device that this session is open on."})
        elif len(found) == 1:
            refused[session_id] = LastDevice()
        else:  # a device belongs to one session: this is done once
            device_there.ended_at, device_there.ended_by_id = timezone.now(), by
            device_there.save(update_fields=["ended_at", "ended_by"])
    return refused


@unit_of_work
def allow_again(*, actor: Caller, slug: str, session_id: UUID, device_id: UUID) -> SessionDevice:
    """The page there has to be loaded again. Again changes nothing."""
    exam = access.exam_for(actor, slug)
    session = access.session_for(actor, exam, session_id, for_update=True)
    device = SessionDevice.objects.select_for_update(no_key=True).filter(session=session, pk=device_id).first()
    if device is None:
        raise NotFound
    if device.ended_at is not None:
        device.ended_at = device.ended_by_id = None
        device.save(update_fields=["ended_at", "ended_by"])
        announce_session(rows.one(session.pk))
    return device
