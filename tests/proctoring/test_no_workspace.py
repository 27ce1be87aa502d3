"""Whoever is signed in and a member of nothing: as much is not there as for any stranger, but there is a way on."""

from datetime import UTC, datetime

import pytest
from django.conf import settings
from django.test import Client

from crm.identity import sessions
from crm.identity.cookies import write
from crm.identity.grants import Grant
from crm.models import User
from proctoring.models import Enrolment, Exam
from tests.api import Api, token_for
from tests.cast import make_user
from tests.proctoring.scene import make_scene


def browser_of(user: User) -> Client:
    client = Client()
    client.cookies[settings.SIGN_IN_COOKIE_NAME] = write(sessions.start(Grant(token_for(user), "")))
    return client


PAGES = ["/inbox", "/contacts", "/reports", "/settings", "/outbox", "/proctor"]


@pytest.mark.parametrize("path", PAGES)
def test_a_student_is_led_to_the_exams_to_sit_and_out(path):
    scene = make_scene(title="Biology <midterm>")
    answer = browser_of(scene.cast.sam).get(path)
    words = answer.content.decode()
    assert answer.status_code == 404
    assert f'href="/exam/{scene.exam.slug}"' in words
    assert "Biology &lt;midterm&gt;" in words
    assert scene.cast.sam.email in words
    assert 'action="/logout"' in words


def test_an_exam_that_is_over_or_was_withdrawn_is_no_way_on():
    scene = make_scene()
    sam = browser_of(scene.cast.sam)
    over = Exam.objects.filter(pk=scene.exam.pk)
    over.update(closed_at=datetime.now(UTC))
    assert scene.exam.slug not in sam.get("/inbox").content.decode()
    over.update(closed_at=None)
    assert scene.exam.slug in sam.get("/inbox").content.decode()
    Enrolment.objects.filter(exam=scene.exam, user=scene.cast.sam).update(revoked_at=datetime.now(UTC))
    assert scene.exam.slug not in sam.get("/inbox").content.decode()


def test_who_takes_part_in_nothing_is_told_whom_to_ask_in_the_browsers_language():
    stranger = browser_of(make_user("stranger"))
    assert "ask its owner to invite you" in stranger.get("/inbox").content.decode()
    answer = stranger.get("/inbox", headers={"Accept-Language": "es"})
    assert "pide a su propietario" in answer.content.decode()
    assert answer["Content-Language"] == "es"


def test_a_member_is_told_that_the_page_is_not_there():
    scene = make_scene()
    words = browser_of(scene.cast.cleo).get(f"/inbox?workspace={scene.cast.workspace.slug}").content.decode()
    assert "Not there" in words
    assert "/logout" not in words


def test_a_program_is_told_in_its_own_form():
    answer = Api(make_scene().cast.sam).get("/inbox")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
