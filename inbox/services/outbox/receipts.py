"""What the provider says of a message afterwards. Kept even when it comes before we know the id it speaks of."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from config.live.unit import unit_of_work
from inbox.models import Conversation, Message, MessageReceipt
from inbox.services.outbox.rows import locked, move, serialise
from inbox.states import RANK, Direction, MessageStatus, can_climb


@dataclass(frozen=True, slots=True)
class Receipt:
    provider_id: str
    status: MessageStatus  # sent, delivered, read or failed
    at: datetime
    error_code: str = ""
    error_message: str = ""
    callback_data: str = ""  # our message's id, where the provider hands it back


@unit_of_work
def record_receipt(*, workspace_id: UUID, channel_id: UUID, receipt: Receipt) -> bool:
    """Keeps it, and climbs the ladder if the message is known by now. False when it was recorded before."""
    serialise(channel_id, receipt.provider_id)
    row = MessageReceipt(
        workspace_id=workspace_id,
        channel_id=channel_id,
        provider_id=receipt.provider_id,
        status=receipt.status,
        at=receipt.at,
        error_code=receipt.error_code[:60],
        error_message=receipt.error_message[:500],
    )
    if MessageReceipt.objects.filter(
        channel_id=channel_id, provider_id=receipt.provider_id, status=receipt.status
    ).exists():
        return False
    row.save()
    message_id = _message_of(workspace_id, channel_id, receipt)
    if message_id is not None:
        _climb(message_id, receipt)
    return True


def _message_of(workspace_id: UUID, channel_id: UUID, receipt: Receipt) -> UUID | None:
    found = (
        Message.objects.filter(channel_id=channel_id, provider_id=receipt.provider_id, direction=Direction.OUT)
        .values_list("pk", flat=True)
        .first()
    )
    if found or not receipt.callback_data:
        return found
    try:
        message_id = UUID(receipt.callback_data)
    except ValueError:
        return None
    # A call that broke off: the provider itself tells that it arrived, and under which id.
    return (
        Message.objects.filter(
            pk=message_id,
            workspace_id=workspace_id,
            channel_id=channel_id,
            provider_id="",
            status__in=[MessageStatus.SENDING, MessageStatus.UNKNOWN],
        )
        .values_list("pk", flat=True)
        .first()
    )


def _climb(message_id: UUID, receipt: Receipt) -> None:
    message, conversation = locked(message_id)
    if not message.provider_id:
        message.provider_id = receipt.provider_id
        message.error_code = message.error_message = ""
        message.save(update_fields=["provider_id", "error_code", "error_message"])
    for row in receipts_of(message.channel_id, message.provider_id):
        apply_receipt(message, conversation, row)


def receipts_of(channel_id: UUID, provider_id: str) -> list[MessageReceipt]:
    rows = MessageReceipt.objects.filter(channel_id=channel_id, provider_id=provider_id)
    return sorted(rows, key=lambda row: RANK[MessageStatus(row.status)])


def apply_receipt(message: Message, conversation: Conversation, receipt: MessageReceipt) -> None:
    """Only ever up the ladder; the time of each rung is the provider's own."""
    stamp = f"{receipt.status}_at"
    if receipt.status == MessageStatus.FAILED and not can_climb(message.status, MessageStatus.FAILED):
        return
    if getattr(message, stamp) is None or receipt.status == MessageStatus.SENT:
        setattr(message, stamp, receipt.at)
        message.save(update_fields=[stamp])
    if can_climb(message.status, receipt.status):
        failed = receipt.status == MessageStatus.FAILED
        message.error_code = receipt.error_code if failed else ""
        message.error_message = receipt.error_message if failed else ""
        move(message, MessageStatus(receipt.status), conversation)
