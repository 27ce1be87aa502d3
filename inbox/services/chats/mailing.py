"""What goes to a customer by e-mail: the transcript they asked for, and what they have not read after leaving."""

from datetime import UTC, datetime, timedelta
from smtplib import SMTPException
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from config.languages import language_of
from crm.models import User
from inbox.chats.access import visible_messages
from inbox.chats.payloads import own_name
from inbox.chats.returning import link_to
from inbox.models import Conversation, Message, Visitor
from inbox.states import Direction, MessageStatus, SenderKind
from jobs.errors import ProviderError
from jobs.queue import enqueue

UNREAD_TASK = "inbox.mail_unread"
MESSAGES_AT_MOST = 1000
# Somebody who has just closed the page may be back in a moment, and a thought comes in several messages.
PATIENCE = timedelta(minutes=2)


def mail_transcript(*, conversation_id: UUID, visitor_id: UUID | None, user_id: UUID | None) -> dict[str, str]:
    conversation = _conversation(conversation_id)
    visitor = Visitor.objects.filter(pk=visitor_id).first() if visitor_id else None
    user = User.objects.filter(pk=user_id).first() if user_id else None
    address = visitor.email if visitor else (user.email if user else "")
    if conversation is None or not address:
        return {"mailed": "no"}
    rows = list(
        visible_messages(conversation)
        .select_related("sender_user")
        .prefetch_related("attachments")
        .order_by("-pk")[:MESSAGES_AT_MOST]
    )
    with translation.override(language_of(visitor.language if visitor else "")):
        subject = _("Your chat with %(name)s") % {"name": _line(conversation.channel.workspace.name)}
        return _mail(address, subject, conversation, rows[::-1], "inbox/mail/transcript.txt")


def mail_unread_later(conversation: Conversation, message: Message) -> None:
    """Inside the transaction of our message, where the channel goes on by e-mail and the customer has given an address.
    One mail for all that is written within the time."""
    if not conversation.channel.settings.get("continue_by_email") or not conversation.contact.email:
        return
    slot = int(message.created_at.timestamp() // PATIENCE.total_seconds())
    enqueue(
        UNREAD_TASK,
        key=f"unread:{conversation.pk}:{slot}",
        lane="",
        workspace_id=conversation.workspace_id,
        delay=PATIENCE,
        payload={"conversation_id": str(conversation.pk), "first": str(message.pk), "slot": slot},
    )


def mail_unread(*, conversation_id: UUID, first: UUID, slot: int | None = None) -> dict[str, str]:
    """What has been read meanwhile is no news, and what was written after this slot has a mail of its own."""
    conversation = _conversation(conversation_id)
    if conversation is None or not conversation.contact.email:
        return {"mailed": "no"}
    rows = visible_messages(conversation).filter(
        direction=Direction.OUT, status__in=[MessageStatus.SENT, MessageStatus.DELIVERED], pk__gte=first
    )
    if slot is not None:
        rows = rows.filter(created_at__lt=datetime.fromtimestamp((slot + 1) * PATIENCE.total_seconds(), UTC))
    found = list(rows.select_related("sender_user").prefetch_related("attachments").order_by("pk")[:MESSAGES_AT_MOST])
    if not found:
        return {"mailed": "no"}
    visitor = Visitor.objects.filter(contact=conversation.contact).order_by("-pk").first()
    with translation.override(language_of(visitor.language if visitor else "")):
        subject = _("%(name)s has answered you") % {"name": _line(conversation.channel.workspace.name)}
        page = link_to(conversation)
        return _mail(conversation.contact.email, subject, conversation, found, "inbox/mail/unread.txt", page)


def _conversation(conversation_id: UUID) -> Conversation | None:
    rows = Conversation.objects.select_related("contact", "channel", "channel__workspace")
    return rows.defer("channel__credentials").filter(pk=conversation_id, deleted_at=None).first()


def _mail(
    address: str,
    subject: str,
    conversation: Conversation,
    rows: list[Message],
    template: str,
    page: str = "",
) -> dict[str, str]:
    if not settings.EMAIL_URL:  # type: ignore[misc]  # set by config.env
        return {"mailed": "no"}
    lines = [{"name": _name(row, conversation), "body": _words(row), "at": row.created_at} for row in rows]
    words = {
        "workspace": conversation.channel.workspace.name,
        "lines": lines,
        "page": page,
        "now": timezone.now(),
    }
    try:
        EmailMessage(subject, render_to_string(template, words).strip(), to=[address]).send()
    except (SMTPException, OSError) as error:
        # Its own text names the address, and a job's error is read by many.
        raise ProviderError("The mail server did not take it.", permanent=False, code=type(error).__name__) from None
    return {"mailed": "yes"}


def _name(message: Message, conversation: Conversation) -> str:
    if message.sender_kind == SenderKind.CONTACT:
        return own_name(conversation) or _("You")
    person = message.sender_user if message.sender_kind == SenderKind.MEMBER else None
    return (person.first_name if person else "") or conversation.channel.workspace.name


def _words(message: Message) -> str:
    files = [_("[file: %(name)s]") % {"name": one.name or one.kind} for one in message.attachments.all()]
    return "\n".join(filter(None, [message.body, *files]))


def _line(text: str) -> str:
    return " ".join(text.split())
