"""What can go wrong with conversations and messages."""

from config.errors import Conflict, DomainError, Invalid


class ClientIdReused(Conflict):
    code = "client_id_reused"
    message = "This client_id was used for another message."


class ConversationChanged(Conflict):
    """`data["arrived"]`: the messages that came since `seen_seq`."""

    code = "conversation_changed"
    message = "Something arrived since you began to write."


class WindowClosed(Conflict):
    """`data["closes_at"]`: when it closed; `data["templates"]`: what can be sent instead."""

    code = "window_closed"
    message = "The 24-hour window is closed. Only an approved template can be sent now."


class OptedOut(Conflict):
    code = "opted_out"
    message = "This person has told us to stop writing from this number."


class ChannelCannotSend(Conflict):
    code = "channel_cannot_send"
    message = "This channel cannot send messages."


class AnotherIsOpen(Conflict):
    """`data["conversation"]`: the id of the one that is open."""

    code = "another_is_open"
    message = "Another conversation with this contact is open on the same channel."


class AlreadyClaimed(Conflict):
    """`data["assignee"]`: who has it."""

    code = "already_claimed"
    message = "Somebody else took it first."


class DraftChanged(Conflict):
    """`data["draft"]`: the newer one."""

    code = "draft_changed"
    message = "This draft was changed on another device."


class WindowShutsBefore(WindowClosed):
    """`data["closes_at"]`: when it closes; `data["templates"]`: what can be sent then."""

    message = "The 24-hour window will be shut by then."


class AlreadySent(Conflict):
    code = "already_sent"
    message = "It has gone out already."


class NotRetryable(Conflict):
    code = "not_retryable"
    message = "Only a message that was not delivered can be sent again."


class BodyTooLong(Invalid):
    code = "body_too_long"
    message = "The message is too long for this channel."


class UnknownAssignee(Invalid):
    code = "unknown_assignee"
    message = "This person cannot be assigned conversations here."


class AlreadyReceived(DomainError):
    """The provider sent this message before. Nothing to do."""

    code = "already_received"


class WrongFile(Invalid):
    """`data["errors"]["file"]`: what is wrong with it."""

    code = "wrong_file"
    message = "This file cannot be taken."


class NotStored(Conflict):
    code = "attachment_not_stored"
    message = "The file is not here yet."


class NotFailed(Conflict):
    code = "attachment_not_failed"
    message = "Only a file that could not be fetched can be fetched again."
