"""Reminders of exams: once each, at the exam's own distances, never of what was cancelled or moved."""

from datetime import UTC, datetime, timedelta
from smtplib import SMTPDataError, SMTPServerDisconnected
from uuid import UUID

import pytest
from django.core import mail
from django.core.mail import EmailMessage
from django.utils import timezone

from crm.models import ContactIdentity, IdentityKind, User, Workspace
from inbox.models import Conversation, Message
from jobs import engine
from jobs.models import Job
from proctoring.models import Enrolment, Exam, ExamReminder
from proctoring.services import reminders
from tests.cast import receive, sender
from tests.jobs_at_hand import hold, run_job
from tests.proctoring.scene import Scene, make_scene


@pytest.fixture
def scene(settings) -> Scene:
    settings.EMAIL_URL = "memory://"
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    mail.outbox = []
    return make_scene(starts_at=timezone.now() + timedelta(minutes=50), reminder_minutes=[1440, 60, 10])


def rows(exam: Exam) -> list[ExamReminder]:
    return list(ExamReminder.objects.filter(exam=exam).order_by("id"))


def send_all(exam: Exam) -> None:
    for row in rows(exam):
        run_job(job_of(row).pk)


def job_of(row: ExamReminder) -> Job:
    return Job.objects.get(key=f"{reminders.TASK}:{row.pk}")


def of(scene: Scene, user: User) -> ExamReminder:
    return ExamReminder.objects.get(exam=scene.exam, enrolment__user=user)


def to(address: str) -> list[str]:
    return [str(message.subject) for message in mail.outbox if address in message.to]


def test_each_student_is_reminded_once_at_the_nearest_distance(scene):
    for _ in range(3):
        reminders.remind()
    assert [row.offset_minutes for row in rows(scene.exam)] == [60, 60]
    send_all(scene.exam)
    (subject,) = to(scene.cast.sam.email)
    assert scene.exam.title in subject
    assert {row.state for row in rows(scene.exam)} == {"sent"}
    reminders.remind()
    assert len(rows(scene.exam)) == 2


@pytest.mark.parametrize(
    ("change", "why"),
    [({"closed_at": True}, "cancelled"), ({"starts_at": True}, "moved"), ({"reminder_minutes": [10]}, "moved")],
    ids=["cancelled", "moved", "distance-gone"],
)
def test_what_was_cancelled_or_moved_meanwhile_is_not_reminded_of(scene, change, why):
    reminders.remind()
    later = timezone.now() + timedelta(days=9)
    Exam.objects.filter(pk=scene.exam.pk).update(**{k: later if v is True else v for k, v in change.items()})
    send_all(scene.exam)
    assert {(row.state, row.reason) for row in rows(scene.exam)} == {("stopped", why)}
    assert to(scene.cast.sam.email) == []


def test_moved_to_another_day_it_is_reminded_of_anew(scene):
    reminders.remind()
    Exam.objects.filter(pk=scene.exam.pk).update(starts_at=timezone.now() + timedelta(minutes=30))
    reminders.remind()
    assert len(rows(scene.exam)) == 4


def test_who_is_out_gets_nothing(scene):
    Enrolment.objects.filter(exam=scene.exam, user=scene.cast.sam).update(revoked_at=timezone.now())
    reminders.remind()
    (row,) = rows(scene.exam)
    Enrolment.objects.filter(exam=scene.exam).update(revoked_at=timezone.now())
    send_all(scene.exam)
    row.refresh_from_db()
    assert (row.state, row.reason) == ("stopped", "not_enrolled")


def test_without_an_address_the_row_says_so(scene):
    enrolment = Enrolment.objects.create(
        workspace=scene.cast.workspace, exam=scene.exam, external_id="only-the-exam-system-knows"
    )
    reminders.remind()
    send_all(scene.exam)
    row = ExamReminder.objects.get(enrolment=enrolment)
    assert (row.state, row.reason) == ("unsent", "no_address")
    assert isinstance(row.pk, UUID)


def test_an_exam_without_distances_or_begun_is_left_alone(scene):
    Exam.objects.filter(pk=scene.exam.pk).update(starts_at=timezone.now() - timedelta(minutes=1))
    reminders.remind()
    assert rows(scene.exam) == []


def test_many_clocks_at_once_make_one_each(scene, at_once):
    at_once(reminders.remind, 8)
    assert len(rows(scene.exam)) == 2
    assert Job.objects.filter(workspace_id=scene.cast.workspace.pk, type=reminders.TASK).count() == 2


def test_the_time_is_told_in_the_zone_of_the_workspace(scene):
    Workspace.objects.filter(pk=scene.cast.workspace.pk).update(timezone="Asia/Jakarta")
    beginning = (timezone.now() + timedelta(minutes=40)).replace(second=0, microsecond=0)
    Exam.objects.filter(pk=scene.exam.pk).update(starts_at=beginning)
    reminders.remind()
    send_all(scene.exam)
    told = (beginning.astimezone(UTC) + timedelta(hours=7)).strftime("%Y-%m-%d %H:%M Asia/Jakarta")
    assert to(scene.cast.sam.email)[0].endswith(told)
    assert told in mail.outbox[0].body


def by_number(scene: Scene) -> Conversation:
    who = sender()
    User.objects.filter(pk=scene.cast.sam.pk).update(phone=f"+{who.whatsapp}", email="")
    return receive(scene.cast, who=who)


def by_address(scene: Scene) -> Conversation:
    conversation = receive(scene.cast)
    conversation.contact.email = scene.cast.sam.email.upper()
    conversation.contact.save()
    return conversation


def by_account(scene: Scene) -> Conversation:
    conversation = receive(scene.cast)
    ContactIdentity.objects.create(
        workspace=scene.cast.workspace,
        contact=conversation.contact,
        kind=IdentityKind.USER,
        value=str(scene.cast.sam.pk),
    )
    return conversation


@pytest.mark.parametrize("known", [by_number, by_address, by_account])
def test_without_mail_it_is_a_message_where_the_student_writes_with_us_and_one_whoever_runs_it(scene, settings, known):
    settings.EMAIL_URL = ""
    conversation = known(scene)
    Exam.objects.filter(pk=scene.exam.pk).update(created_by=scene.cast.ada)
    reminders.remind()
    row = of(scene, scene.cast.sam)
    late = hold(job_of(row).pk)
    engine.run(hold(job_of(row).pk, died=True))
    engine.run(late)
    (message,) = Message.objects.filter(conversation=conversation, direction="out")
    assert scene.exam.title in message.body
    assert f"/exam/{scene.exam.slug}" in message.body
    row.refresh_from_db()
    assert (row.state, row.via) == ("sent", "message")


def test_a_closed_window_is_told_in_the_row(scene, settings):
    settings.EMAIL_URL = ""
    conversation = by_address(scene)
    Conversation.objects.filter(pk=conversation.pk).update(last_inbound_at=datetime(2020, 1, 1, tzinfo=UTC))
    Exam.objects.filter(pk=scene.exam.pk).update(created_by=scene.cast.ada)
    reminders.remind()
    send_all(scene.exam)
    row = of(scene, scene.cast.sam)
    assert (row.state, row.reason) == ("unsent", "window_closed")
    assert not Message.objects.filter(conversation=conversation, direction="out").exists()


def test_a_mail_server_that_fails_for_a_moment_is_asked_again(scene, monkeypatch):
    reminders.remind()
    row = of(scene, scene.cast.sam)

    def broken(self: EmailMessage) -> int:
        raise SMTPServerDisconnected("sam@demo.example is unlucky")

    with monkeypatch.context() as away:
        away.setattr(EmailMessage, "send", broken)
        run_job(job_of(row).pk)
    job = job_of(row)
    assert (job.status, "sam@" in job.last_error) == ("pending", False)
    engine.run(hold(job.pk))
    row.refresh_from_db()
    assert (row.state, len(to(scene.cast.sam.email))) == ("sent", 1)


def test_one_that_refuses_for_good_is_told_in_the_row_and_somebody_may_try_again(scene, monkeypatch):
    reminders.remind()
    row = of(scene, scene.cast.sam)

    def refused(self: EmailMessage) -> int:
        raise SMTPDataError(550, b"no such mailbox")

    with monkeypatch.context() as away:
        away.setattr(EmailMessage, "send", refused)
        run_job(job_of(row).pk)
    row.refresh_from_db()
    assert (job_of(row).status, row.state, row.reason) == ("failed", "unsent", "SMTPDataError")
    Job.objects.filter(pk=job_of(row).pk).update(status="pending", attempts=0, completed_at=None)
    run_job(job_of(row).pk)
    row.refresh_from_db()
    assert (row.state, row.via, row.reason) == ("sent", "email", "")
