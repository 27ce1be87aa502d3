"""Two at one sitting at once: one waits for the other, and never both."""

from collections.abc import Callable
from datetime import UTC, datetime
from threading import Event
from uuid import UUID, uuid4

import pytest
from django.db import transaction

from proctoring import access
from proctoring.models import ExamSession, Violation
from proctoring.people import Student
from proctoring.services import personal, sessions
from proctoring.services.sessions import Start
from proctoring.services.violations import Reported, log_violations
from tests.proctoring.scene import make_scene, service_was_always_there
from tests.waiting import is_waited_for, wait_for


@pytest.fixture
def scene():
    service_was_always_there()
    return make_scene()


@pytest.fixture
def student(scene) -> Student:
    return Student(user_id=scene.cast.sam.pk, name="Sam")


@pytest.fixture
def session(scene) -> UUID:
    return UUID(scene.start()["id"])


def told(student: Student, session: UUID, held: Event) -> Callable[[], int]:
    """What a page noticed arrives, and somebody waits for its session before it is written."""
    items = [Reported(uuid4(), type_, datetime.now(UTC), place) for place, type_ in enumerate(("paste", "copy"), 1)]

    def arrives() -> int:
        with transaction.atomic():
            access.own_session(student, session, for_update=True)
            held.set()
            wait_for(is_waited_for)
            return log_violations(student=student, session_id=session, items=items, sent_at=datetime.now(UTC)).last_seq

    return arrives


def test_a_page_loads_anew_while_what_it_noticed_arrives(scene, student, session, at_once):
    held = Event()

    def loads() -> UUID:
        held.wait(10)
        return sessions.start_session(student=student, slug=scene.exam.slug, start=Start())[0].id

    assert at_once([told(student, session, held), loads]) == [2, session]
    assert Violation.objects.filter(session=session).count() == 2


def test_a_student_is_erased_while_what_they_noticed_arrives(scene, student, session, at_once):
    held, ada = Event(), scene.cast.actor(scene.cast.ada)

    def erases() -> int:
        held.wait(10)
        return personal.erase_student(actor=ada, slug=scene.exam.slug, student=str(scene.cast.sam.pk))

    assert at_once([told(student, session, held), erases]) == [2, 1]
    assert not ExamSession.objects.filter(pk=session).exists()


def test_a_student_is_erased_while_their_page_loads_anew(scene, student, session, at_once):
    held, ada = Event(), scene.cast.actor(scene.cast.ada)

    def loads() -> UUID:
        with transaction.atomic():
            access.enrolment_for(student, scene.exam.slug, for_update=True)
            held.set()
            wait_for(is_waited_for)
            return sessions.start_session(student=student, slug=scene.exam.slug, start=Start())[0].id

    def erases() -> int:
        held.wait(10)
        return personal.erase_student(actor=ada, slug=scene.exam.slug, student=str(scene.cast.sam.pk))

    assert at_once([loads, erases]) == [session, 1]
    assert not ExamSession.objects.filter(pk=session).exists()
