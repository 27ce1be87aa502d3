"""Several exams in one grid: each by its tutor's own right, each student under their exam's name."""

import json
import re

import pytest

from proctoring.models import Enrolment, Exam, ExamTutor
from tests.api import Api
from tests.cast import unique
from tests.proctoring.scene import item, make_scene, service_was_always_there


@pytest.fixture
def scene():
    service_was_always_there()
    return make_scene(title="Biology")


def another_exam(scene, title="Chemistry", **fields):
    exam = Exam.objects.create(workspace=scene.cast.workspace, slug=unique("exam"), title=title, **fields)
    Enrolment.objects.create(workspace=scene.cast.workspace, exam=exam, user=scene.cast.sam)
    return exam


def page(scene, *slugs):
    return Api(scene.cast.tia).get("/proctor?" + "&".join(f"exam={slug}" for slug in slugs))


def state_of(answer):
    return json.loads(re.search(r'id="proctor-state"[^>]*>(.*?)</script>', answer.content.decode()).group(1))


def test_two_exams_stand_in_one_grid(scene):
    other = another_exam(scene)
    ExamTutor.objects.create(workspace=scene.cast.workspace, exam=other, user=scene.cast.tia)
    first = scene.start()["id"]
    second = Api(scene.cast.sam).post(f"/api/v1/exams/{other.slug}/sessions", {}).json()["id"]
    scene.log(second, item("paste"))
    answer = page(scene, scene.exam.slug, other.slug.upper(), scene.exam.slug)
    state = state_of(answer)
    assert [(one["exam"]["title"], one["live"]["topic"]) for one in state["exams"]] == [
        ("Biology", f"exam.{scene.exam.slug}"),
        ("Chemistry", f"exam.{other.slug}"),
    ]
    # The same student in both is two cards, and what was noticed comes first
    assert [one["id"] for one in state["sessions"]] == [second, first]
    shown = answer.content.decode()
    assert [shown.count(f'data-field="exam" dir="auto">{title}<') for title in ("Biology", "Chemistry")] == [1, 1]
    assert [entry["session"] for entry in state["waiting"]] == [second]
    # Each has its own clock, page and report
    for slug in (scene.exam.slug, other.slug):
        assert f'data-clock="{slug}"' in shown
        assert shown.count(f'href="/proctor/{slug}"') == 2  # beside the clock, and in the menu
        assert f'href="/api/v1/workspaces/{scene.cast.workspace.slug}/exams/{slug}/report.pdf"' in shown
    listed = Api(scene.cast.tia).get("/proctor").content.decode()
    assert listed.count('name="exam"') == 2


def test_one_exam_alone_names_it_on_no_card(scene):
    scene.start()
    assert 'data-field="exam" dir="auto">Biology<' not in page(scene, scene.exam.slug).content.decode()
    assert 'name="exam"' not in Api(scene.cast.tia).get("/proctor").content.decode()


def test_of_several_exams_each_is_ones_own_or_there_is_no_page(scene):
    other = another_exam(scene)
    assert page(scene, scene.exam.slug, other.slug).status_code == 404
    assert page(scene, scene.exam.slug, "no-such-exam").status_code == 404
    assert Api(scene.cast.cleo).get(f"/proctor?exam={scene.exam.slug}").status_code == 404
    assert page(scene, *(f"exam-{n}" for n in range(9))).status_code == 400
