"""What a beat sets off besides itself, rarely: commands to hand over, a connection that came back, a second device."""

from dataclasses import replace
from typing import Any

from config.live.unit import unit_of_work
from proctoring import rows
from proctoring.beats.beat import Beat
from proctoring.beats.statement import Written
from proctoring.events import announce_session
from proctoring.models import ExamSession
from proctoring.payloads.sessions import own_command_payload
from proctoring.services import devices
from proctoring.services.commands import acknowledge, take_commands
from proctoring.services.edges import restore
from proctoring.states import CommandState


def follow_up(beat: Beat, written: Written) -> list[dict[str, Any]]:
    """The commands that the client has from here on. Each part finds nothing to do when run again."""
    if written.was_lost:
        restore([beat.session_id])
    if written.is_other_device:
        _second_device(beat, written)
    if beat.seen:
        student = replace(beat.student, user_id=written.user_id)
        acknowledge(student=student, session_id=beat.session_id, command_ids=beat.seen, state=CommandState.SEEN)
    taken = take_commands(session_id=beat.session_id, device=beat.device) if written.has_commands else []
    return [dict(own_command_payload(command)) for command in taken]


@unit_of_work
def _second_device(beat: Beat, written: Written) -> None:
    session = (
        ExamSession.objects.select_for_update(of=("self",), no_key=True).select_related("exam").get(pk=beat.session_id)
    )
    devices.keep(session, beat.device)
    if devices.note_second(session, written.device_before, beat.device):
        announce_session(rows.one(session.pk))
