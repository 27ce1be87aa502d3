"""What can go wrong with exams, sessions and boards."""

from config.errors import Conflict, Forbidden, Invalid, NotFound, NotSignedIn, TooMany


class NoSuchBoard(NotFound):
    code = "no_such_board"
    message = "There is no such board."


class BoardCodeNeeded(Forbidden):
    """`key` is missing, or of an older code."""

    code = "board_code_needed"
    message = "This board is private: its code is needed."


class WrongBoardCode(Forbidden):
    code = "wrong_board_code"
    message = "That is not the code of this board."


class NicknameRefused(Invalid):
    """`data["errors"]` says why."""

    code = "nickname_refused"
    message = "This name cannot stand on a board."


class CodeTaken(Conflict):
    code = "quiz_code_taken"
    message = "Another board has this code."


class SlugTaken(Conflict):
    code = "slug_taken"
    message = "Another exam has this name."


class ExamNotOpen(Conflict):
    """`data`: `starts_at`, `ends_at`."""

    code = "exam_not_open"
    message = "The exam is not open now."


class NoAttemptsLeft(Conflict):
    """`data["session"]`: the last one."""

    code = "no_attempts_left"
    message = "This exam has been sat already."


class ConsentRequired(Conflict):
    """`data["policy_version"]`: what has to be agreed to."""

    code = "consent_required"
    message = "Agree to the rules of the exam first."


class SessionEnded(Conflict):
    """`data["session_status"]`: how it ended."""

    code = "session_ended"
    message = "This session has ended."


class DeviceEnded(Conflict):
    """The sitting goes on at another device."""

    code = "device_ended"
    message = "Your tutor has ended the exam on this device."


class LastDevice(Conflict):
    code = "last_device"
    message = "The session is open on this device alone. End the session instead."


class EvidenceRemoved(Conflict):
    """Its log was past its days: nothing is added to totals that nobody can check any more."""

    code = "evidence_removed"
    message = "What was noticed in this session is past its days."


class WrongMove(Conflict):
    """`data["session_status"]`: the state it is in."""

    code = "wrong_state"
    message = "The session is in a state that does not allow this."


class TooEarly(TooMany):
    code = "beat_too_early"
    message = "The last beat was less than five seconds ago."


class OutOfOrder(Conflict):
    """A beat that is older than one we have. `data["client_seq"]`: the newest we have."""

    code = "beat_out_of_order"
    message = "A later beat has arrived before this one."


class FromTheFuture(Invalid):
    code = "from_the_future"
    message = "The client's clock is more than a day ahead."


class GrantRefused(NotSignedIn):
    code = "grant_refused"
    message = "The exam system's word does not hold here."


class NotTheTutors(Forbidden):
    code = "not_a_tutor"
    message = "Only this exam's tutors may do this."


class AlreadyUsed(Conflict):
    code = "client_id_reused"
    message = "This client_id was used for another action."


class ChatClosed(Conflict):
    code = "chat_closed"
    message = "There is no chat in this exam."
