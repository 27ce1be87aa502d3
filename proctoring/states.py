"""States of sessions, violations and commands, and the moves between them that are allowed."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class SessionStatus(models.TextChoices):
    """What is stored. `disconnected` is not: it is an active session that is silent now."""

    ACTIVE = "active", _("Active")
    PAUSED = "paused", _("Paused")
    SUBMITTED = "submitted", _("Submitted")
    TERMINATED = "terminated", _("Ended by a tutor")
    EXPIRED = "expired", _("Expired")


DISCONNECTED = "disconnected"
SHOWN_STATUSES = (*SessionStatus.values, DISCONNECTED)
LIVE = frozenset({SessionStatus.ACTIVE, SessionStatus.PAUSED})

_S = SessionStatus
MOVES: dict[SessionStatus, frozenset[SessionStatus]] = {
    _S.ACTIVE: frozenset({_S.PAUSED, _S.SUBMITTED, _S.TERMINATED, _S.EXPIRED}),
    _S.PAUSED: frozenset({_S.ACTIVE, _S.SUBMITTED, _S.TERMINATED, _S.EXPIRED}),
    # Whoever comes back while the exam is open goes on; what was handed in late is still handed in
    _S.EXPIRED: frozenset({_S.ACTIVE, _S.SUBMITTED, _S.TERMINATED}),
    _S.SUBMITTED: frozenset(),
    _S.TERMINATED: frozenset(),
}


def can_move(now: str, to: str) -> bool:
    return SessionStatus(to) in MOVES[SessionStatus(now)]


class Severity(models.TextChoices):
    INFO = "info", _("Info")
    LOW = "low", _("Low")
    MEDIUM = "medium", _("Medium")
    HIGH = "high", _("High")
    CRITICAL = "critical", _("Critical")


RANK = {severity: place for place, severity in enumerate(Severity)}


class Source(models.TextChoices):
    CLIENT = "client"
    SERVER = "server"
    TUTOR = "tutor"


_V = Severity
# What is known to happen in an exam, and how much it weighs unless the exam's rules say otherwise.
VOCABULARY: dict[str, Severity] = {
    "connection_lost": _V.INFO,  # never misconduct by itself
    "connection_restored": _V.INFO,
    "consent_given": _V.INFO,  # again, after it was withdrawn
    "consent_withdrawn": _V.INFO,  # one's right, and no misconduct
    "network_change": _V.INFO,
    "weak_network": _V.INFO,
    "low_battery": _V.INFO,
    "camera_restored": _V.INFO,
    "page_reload": _V.LOW,
    "navigation_attempt": _V.LOW,
    "window_resize": _V.LOW,
    "mouse_leave": _V.LOW,
    "focus_loss": _V.LOW,
    "context_menu": _V.LOW,
    "prohibited_shortcut": _V.LOW,
    "voice_detected": _V.LOW,
    "noise": _V.LOW,
    "tab_switch": _V.MEDIUM,
    "fullscreen_exit": _V.MEDIUM,
    "copy": _V.MEDIUM,
    "cut": _V.MEDIUM,
    "print_screen": _V.MEDIUM,
    "screenshot_attempt": _V.MEDIUM,
    "no_face": _V.MEDIUM,
    "looking_away": _V.MEDIUM,
    "eyes_closed": _V.MEDIUM,
    "paste": _V.HIGH,
    "devtools_open": _V.HIGH,
    "multiple_faces": _V.HIGH,
    "face_mismatch": _V.HIGH,
    "face_covered": _V.HIGH,
    "camera_off": _V.HIGH,
    "virtual_camera": _V.HIGH,
    "liveness_failed": _V.HIGH,
    "object_detected": _V.HIGH,
    "multiple_displays": _V.HIGH,
    "remote_session": _V.HIGH,
    "virtual_machine": _V.HIGH,
    "app_terminated": _V.HIGH,
    "monitor_stopped": _V.HIGH,
    "client_integrity_failed": _V.CRITICAL,
    "duplicate_session": _V.CRITICAL,
    "manual_irregularity": _V.MEDIUM,  # the tutor chooses
}
# Other words that clients use for the same thing
ALIASES = {"blur": "focus_loss", "hidden": "tab_switch", "visibility_hidden": "tab_switch"}
# Written by us alone: a client must not accuse itself of them, nor fake its own line
OURS = frozenset(
    {
        "connection_lost",
        "connection_restored",
        "consent_given",
        "consent_withdrawn",
        "duplicate_session",
        "manual_irregularity",
    }
)
# What the reference client watches for, as the student's page and the settings list it
WATCHED = (
    "tab_switch",
    "focus_loss",
    "fullscreen_exit",
    "copy",
    "cut",
    "paste",
    "context_menu",
    "prohibited_shortcut",
    "print_screen",
    "devtools_open",
    "window_resize",
    "page_reload",
    "network_change",
    "multiple_displays",
)
# Out of the window for longer than this weighs more
LONG_ABSENCE_MS = 5_000


class Review(models.TextChoices):
    NOT_REVIEWED = "not_reviewed", _("To review")
    DISMISSED = "dismissed", _("Forgiven")
    SUSPICIOUS = "suspicious", _("Suspicious")
    CONFIRMED = "violation", _("Confirmed")
    VERIFIED = "verified", _("Verified")
    SECOND_REVIEW = "second_review_required", _("Needs a second look")


class AutoAction(models.TextChoices):
    NONE = "none", _("Nothing")
    WARN = "attention", _("Ask for attention")
    PAUSE = "pause", _("Pause the session")


class CommandType(models.TextChoices):
    MESSAGE = "message", _("Message")
    ANNOUNCEMENT = "announcement", _("Announcement")
    PAUSE = "pause", _("Pause")
    RESUME = "resume", _("Resume")
    TERMINATE = "terminate", _("End the session")
    EXTRA_TIME = "extra_time", _("More time")
    ATTENTION = "attention", _("Request attention")
    NOTE = "note", _("Private note")
    END_DEVICE = "end_device", _("End on a device")  # the session goes on at the other one


class CommandState(models.TextChoices):
    QUEUED = "queued", _("Queued")
    DELIVERED = "delivered", _("Delivered")
    SEEN = "seen", _("Seen")
    EXPIRED = "expired", _("Expired")


COMMAND_MOVES = {
    CommandState.QUEUED: frozenset({CommandState.DELIVERED, CommandState.SEEN, CommandState.EXPIRED}),
    CommandState.DELIVERED: frozenset({CommandState.SEEN, CommandState.EXPIRED}),
    CommandState.SEEN: frozenset(),
    CommandState.EXPIRED: frozenset({CommandState.SEEN}),  # read late is read all the same
}


class GapCause(models.TextChoices):
    STUDENT = "connection", _("The student's connection")
    SERVER = "service", _("Our own outage")
    PAUSE = "pause", _("Paused by a tutor")


class ReminderState(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    SENT = "sent", _("Sent")
    STOPPED = "stopped", _("Stopped")  # cancelled, moved, or the student is out
    UNSENT = "unsent", _("Not sent")  # no way to reach them, or refused for good
