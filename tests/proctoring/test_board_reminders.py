"""Reminders of exams: once each, at the exam's own distances, never of what was cancelled or moved."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.core import mail
from django.utils import timezone

from jobs.models import Job
from proctoring.models import Enrolment, Exam, ExamReminder
from proctoring.services import reminders
from tests.jobs_at_hand import run_job
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
        run_job(Job.objects.get(key=f"{reminders.TASK}:{row.pk}").pk)


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
