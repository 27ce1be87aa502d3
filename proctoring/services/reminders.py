"""Reminds the enrolled of an exam that is about to begin: by e-mail, or by a message where they can be reached so.

The clock only writes rows, each once by its constraint; a job per row sends, and looks again whether it still holds.
"""

from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from smtplib import SMTPException, SMTPRecipientsRefused, SMTPResponseException
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import connection
from django.db.models import Q
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _

from config.errors import DomainError
from config.live.unit import unit_of_work
from crm.actors import ApiKey
from crm.models import Contact, ContactIdentity, IdentityKind, User
from crm.phones import parse
from crm.roles import Action
from inbox.models import Conversation
from inbox.services.messages import send_message
from inbox.services.snoozing import zone_of
from inbox.states import Scope
from jobs.errors import ProviderError
from jobs.payloads import JSON
from jobs.queue import NewJob, enqueue_many
from jobs.running import RunningJob
from proctoring.models import ExamReminder
from proctoring.states import ReminderState

TASK = "proctoring.send_reminder"
MOST_CONTACTS = 5  # of one address or number
SMTP_PERMANENT = 500
# What was given up is open to somebody who has the job run again.
OPEN = (ReminderState.WAITING, ReminderState.UNSENT)
# Of several distances that have passed, the nearest alone: who is enrolled an hour before is not told of a day before.
_DUE = """
with due as (
    select e.id, e.workspace_id, e.starts_at, (
        select min(minutes) from unnest(e.reminder_minutes) as minutes
        where e.starts_at - minutes * interval '1 minute' <= now()
    ) as minutes
    from proctoring_exam e
    where cardinality(e.reminder_minutes) > 0 and e.closed_at is null
      and e.starts_at > now() and e.starts_at < now() + interval '31 days'
)
insert into proctoring_examreminder
    (id, workspace_id, exam_id, enrolment_id, offset_minutes, starts_at, state, via, reason)
select gen_random_uuid(), due.workspace_id, due.id, n.id, due.minutes, due.starts_at, 'waiting', '', ''
from due join proctoring_enrolment n on n.exam_id = due.id and n.revoked_at is null
where due.minutes is not null
on conflict (exam_id, enrolment_id, offset_minutes, starts_at) do nothing
returning id, workspace_id
"""


@unit_of_work
def remind() -> dict[str, JSON]:
    """Rows and their jobs in one transaction: a reminder that stands is a reminder that goes."""
    with connection.cursor() as cursor:
        cursor.execute(_DUE)
        made = cursor.fetchall()
    enqueue_many(
        [
            NewJob(type=TASK, key=f"{TASK}:{id_}", lane="", payload={"reminder": str(id_)}, workspace_id=workspace_id)
            for id_, workspace_id in made
        ]
    )
    return {"made": len(made)}


@dataclass(frozen=True, slots=True)
class _Way:
    email: str = ""
    conversation: UUID | None = None


def send(*, job: RunningJob, reminder_id: UUID) -> dict[str, str]:
    """For the job. What has been cancelled, moved or begun meanwhile is not reminded of any more."""
    reminder = ExamReminder.objects.select_related("exam__workspace", "enrolment__user").filter(pk=reminder_id).first()
    if reminder is None or reminder.state not in OPEN:
        return {"skipped": "over"}
    if why := _stopped(reminder):
        return _end(job, reminder, ReminderState.STOPPED, reason=why)
    way = _way_to(reminder)
    if way.email:
        _mail(reminder, way.email)
        return _end(job, reminder, ReminderState.SENT, via="email")
    if way.conversation is not None:
        return _message(job, reminder, way.conversation)
    return _end(job, reminder, ReminderState.UNSENT, reason="no_address")


def _stopped(reminder: ExamReminder) -> str:
    exam = reminder.exam
    if exam.closed_at is not None:
        return "cancelled"
    if exam.starts_at != reminder.starts_at or reminder.offset_minutes not in exam.reminder_minutes:
        return "moved"
    if reminder.starts_at <= timezone.now():
        return "begun"
    return "not_enrolled" if reminder.enrolment.revoked_at is not None else ""


def give_up(*, reminder_id: UUID, code: str) -> None:
    """The job failed for good: the row says so, and does not wait for ever."""
    _settle(reminder_id, ReminderState.UNSENT, reason=code)


def _way_to(reminder: ExamReminder) -> _Way:
    """E-mail where we send any and know an address; else the student's own conversation in this workspace."""
    user = reminder.enrolment.user
    if user is None or not user.is_active:
        return _Way()
    if settings.EMAIL_URL and user.email:  # type: ignore[misc]  # set by config.env
        return _Way(email=user.email)
    conversations = Conversation.objects.filter(
        contact__in=_contacts_of(user, reminder.workspace_id), scope=Scope.SUPPORT
    )
    return _Way(conversation=conversations.order_by("-last_activity_at").values_list("pk", flat=True).first())


def _contacts_of(user: User, workspace_id: UUID) -> list[UUID]:
    """Whom they are to the agents: by their account, their number or their address."""
    phone = parse(user.phone) if user.phone else None
    keys = Q(kind=IdentityKind.USER, value=str(user.pk))
    if phone is not None:
        keys |= Q(kind=IdentityKind.MATCH, value=phone.match)
    known = ContactIdentity.objects.filter(keys, workspace_id=workspace_id, contact__deleted_at=None)
    found = list(known.values_list("contact_id", flat=True)[:MOST_CONTACTS])
    if user.email:
        contacts = Contact.objects.filter(workspace_id=workspace_id, email__iexact=user.email, deleted_at=None)
        found += contacts.values_list("pk", flat=True)[:MOST_CONTACTS]
    return found


def _words(reminder: ExamReminder) -> dict[str, str | int]:
    return {
        "title": " ".join(reminder.exam.title.split()),
        "starts_at": _told(reminder.starts_at, zone_of(reminder.exam.workspace)),
        "link": f"{settings.PUBLIC_URL}/exam/{reminder.exam.slug}",
    }


def _told(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M} {zone.key}"


def _mail(reminder: ExamReminder, address: str) -> None:
    words = _words(reminder)
    subject = _("Your exam %(title)s begins at %(starts_at)s") % words
    text = render_to_string("board/reminder.txt", words).strip()
    # The same for every try, so that a mailbox takes a second one for the first.
    host = Address(addr_spec=settings.DEFAULT_FROM_EMAIL.rpartition("<")[2].rstrip(">")).domain
    headers = {"Message-ID": f"<reminder-{reminder.pk}@{host}>"}
    try:
        EmailMessage(subject, text, to=[address], headers=headers).send()
    except (SMTPException, OSError) as error:
        # Its own text names the address, and a job's error is read by many.
        raise ProviderError(
            "The mail server did not take it.", permanent=_is_for_good(error), code=type(error).__name__
        ) from None


def _is_for_good(error: Exception) -> bool:
    if isinstance(error, SMTPRecipientsRefused):
        return all(code >= SMTP_PERMANENT for code, _text in error.recipients.values())
    return isinstance(error, SMTPResponseException) and error.smtp_code >= SMTP_PERMANENT


def _message(job: RunningJob, reminder: ExamReminder, conversation_id: UUID) -> dict[str, str]:
    """Into the outbox, once by its client_id."""
    words = _words(reminder)
    body = _("Reminder: %(title)s begins at %(starts_at)s. %(link)s") % words
    actor = _in_the_name_of(reminder)
    if actor is None:
        return _end(job, reminder, ReminderState.UNSENT, reason="no_sender")
    try:
        send_message(
            actor=actor,
            conversation_id=conversation_id,
            client_id=uuid5(reminder.pk, "message"),
            body=body,
        )
    except DomainError as refused:
        return _end(job, reminder, ReminderState.UNSENT, reason=refused.code)
    return _end(job, reminder, ReminderState.SENT, via="message")


def _in_the_name_of(reminder: ExamReminder) -> ApiKey | None:
    """A machine's message, for which whoever made the exam answers, or else one of its tutors."""
    user_id = reminder.exam.created_by_id or reminder.exam.tutors.values_list("user_id", flat=True).first()
    if user_id is None:
        return None
    scopes = frozenset({Action.READ_INBOX, Action.REPLY})
    slug = reminder.exam.workspace.slug
    return ApiKey(reminder.exam_id, reminder.workspace_id, slug, _("Exam reminders"), scopes, user_id)


def _end(
    job: RunningJob, reminder: ExamReminder, state: ReminderState, *, via: str = "", reason: str = ""
) -> dict[str, str]:
    with job.completing():
        _settle(reminder.pk, state, via=via, reason=reason)
    return {"state": state.value, "reason": reason}


def _settle(reminder_id: UUID, state: ReminderState, *, via: str = "", reason: str = "") -> None:
    ExamReminder.objects.filter(pk=reminder_id, state__in=OPEN).update(
        state=state, via=via, reason=reason[:60], ended_at=timezone.now()
    )
