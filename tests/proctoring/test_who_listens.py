"""Who may listen to a session, asked by thousands at once: the same as asked alone, in one statement."""

from uuid import UUID, uuid4

from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.live import topics
from config.live.identity import Identity
from crm.models import User
from proctoring import access
from proctoring.guests import Sitting, subject_of
from proctoring.people import Student
from tests.proctoring.scene import Scene
from tests.proctoring.test_external_students import begin, scene

__all__ = ["scene"]


def as_user(user: User) -> Identity:
    return Identity(user_id=user.pk, subject=f"user:{user.pk}")


def external(scene: Scene, sub: str, exam_id: UUID | None = None) -> Sitting:
    student = Student(exam_id=exam_id or scene.exam.pk, external_id=sub)
    return Sitting(user_id=None, subject=subject_of(scene.exam.pk, sub), student=student)


def test_many_are_answered_as_each_would_be_alone(scene: Scene):
    own, sues = scene.start()["id"], scene.start(scene.sue)["id"]
    meis, _ = begin(scene, "pupil-9")
    lees, _ = begin(scene, "pupil-10")
    sam, sue, tia = as_user(scene.cast.sam), as_user(scene.sue), as_user(scene.cast.tia)
    asked: list[tuple[Identity | None, str]] = [
        (sam, own),
        (sam, sues),
        (sue, sues),
        (external(scene, "pupil-9"), meis),
        (external(scene, "pupil-9"), lees),
        (external(scene, "pupil-9", uuid4()), meis),
        (external(scene, ""), sues),
        (sam, meis),
        (tia, own),
        (tia, meis),
        (as_user(scene.cast.cleo), own),
        (None, own),
        (sam, own.upper()),
        (sam, ""),
        (sam, "x"),
        (sam, str(uuid4())),
        (Identity(user_id=None, subject="key:1"), own),
    ]
    named = [(identity, f"session.{key}") for identity, key in asked]
    together = topics.who_may_listen(named)
    assert together == [topics.may_listen(identity, topic) for identity, topic in named]
    assert [place for place, may in enumerate(together) if may] == [0, 2, 3, 8, 9]


def test_the_rule_for_many_is_the_rule_for_one(scene: Scene):
    sessions = [UUID(one) for one in (scene.start()["id"], scene.start(scene.sue)["id"], begin(scene)[0])]
    students = [
        Student(user_id=scene.cast.sam.pk),
        Student(user_id=scene.sue.pk),
        Student(exam_id=scene.exam.pk, external_id="pupil-9"),
        Student(exam_id=scene.exam.pk, external_id="pupil-8"),
        Student(exam_id=scene.exam.pk),
        Student(external_id="pupil-9"),
        Student(),
    ]
    pairs = [(student, session) for student in students for session in sessions]
    assert access.are_own(pairs) == [access.own_sessions(who).filter(pk=session).exists() for who, session in pairs]


def test_an_enrolment_taken_away_counts_from_that_moment(scene: Scene):
    session = scene.start()["id"]
    asked: list[tuple[Identity | None, str]] = [(as_user(scene.cast.sam), f"session.{session}")]
    assert topics.who_may_listen(asked) == [True]
    enrolment = scene.exam.enrolments.get(user=scene.cast.sam)
    scene.exam.enrolments.filter(pk=enrolment.pk).update(revoked_at=enrolment.created_at)
    assert topics.who_may_listen(asked) == [False]


def test_a_hall_of_students_is_one_statement(scene: Scene):
    asked: list[tuple[Identity | None, str]] = [
        (as_user(who), f"session.{scene.start(who)['id']}") for who in (scene.cast.sam, scene.sue)
    ]
    with CaptureQueriesContext(connection) as captured:
        assert topics.who_may_listen(asked * 20) == [True] * 40
    assert len(captured) == 1
