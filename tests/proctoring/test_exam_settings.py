"""Exams and boards are set up on pages too: by whoever manages exams, with what is wrong said where it was typed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from crm.models import AuditEntry
from proctoring.models import BoardSnapshot, Enrolment, Exam, ExamSession, ExamTutor, Leaderboard
from tests.api import Api, token_for
from tests.cast import unique
from tests.proctoring.scene import Scene, item, make_scene, service_was_always_there
from tests.proctoring.test_leaderboard import push


@pytest.fixture
def scene() -> Scene:
    service_was_always_there()
    return make_scene()


class Page:
    """Somebody at a section of the settings of the scene's workspace."""

    def __init__(self, scene: Scene, user: Any, section: str = "exams") -> None:
        self.client = Client(headers={"authorization": f"Bearer {token_for(user)}"})
        self.path = f"/settings/{section}?workspace={scene.cast.workspace.slug}"

    def read(self, **query: str) -> str:
        answer = self.client.get(self.path + "".join(f"&{name}={value}" for name, value in query.items()))
        assert answer.status_code == 200, answer.status_code
        return str(answer.content.decode())

    def do(self, what: str, **fields: Any) -> Any:
        return self.client.post(self.path, {"do": what, **fields})


def fields(exam: Exam, **changed: Any) -> dict[str, Any]:
    """The form as it stands."""
    return {
        "exam": exam.slug,
        "title": exam.title,
        "starts_at": "",
        "ends_at": "",
        "minutes": "",
        "question_count": "40",
        "attempts": "1",
        "reminder_minutes": "",
        "policy_version": "1",
        "merge_seconds": "10",
        "summary_url": "",
        "keep_violations_days": "60",
        "keep_network_days": "14",
        "keep_chat_days": "60",
        "keep_sessions_days": "365",
        "is_chat_open": "on",
        **changed,
    }


def test_an_exam_is_made_set_up_and_ended(scene):
    ada = Page(scene, scene.cast.ada)
    slug = unique("new-exam")
    made = ada.do("create", slug=slug.upper(), title="Chemistry")
    assert (made.status_code, f"exam={slug}" in made["Location"]) == (303, True)
    assert ada.do("create", slug=slug, title="Another").status_code == 409
    exam = Exam.objects.get(slug=slug)
    assert (exam.title, exam.workspace_id) == ("Chemistry", scene.cast.workspace.pk)
    scene.cast.workspace.timezone = "Asia/Jakarta"
    scene.cast.workspace.save(update_fields=["timezone"])
    changed = fields(
        exam, title="Chemistry 2", starts_at="2030-05-01T08:00", ends_at="2030-05-01T10:30", minutes="90"
    ) | {"reminder_minutes": "1440, 60", "requires_consent": "on", "policy_version": "2030-01", "keep_chat_days": "7"}
    assert ada.do("save", **changed).status_code == 303
    exam.refresh_from_db()
    assert exam.starts_at == datetime(2030, 5, 1, 1, tzinfo=UTC)  # seven hours before Jakarta
    assert (exam.ends_at - exam.starts_at, exam.duration_seconds) == (timedelta(minutes=150), 5400)
    assert (exam.title, exam.reminder_minutes, exam.requires_consent) == ("Chemistry 2", [1440, 60], True)
    assert (exam.policy_version, exam.keep_chat_days, exam.is_chat_open) == ("2030-01", 7, True)
    shown = ada.read(exam=slug)
    assert 'value="2030-05-01T08:00"' in shown
    assert "Asia/Jakarta" in shown
    assert ada.do("close", exam=slug).status_code == 303
    exam.refresh_from_db()
    assert exam.closed_at is not None
    audited = AuditEntry.objects.filter(target_id=str(exam.pk)).values_list("action", flat=True)
    assert {"exam.created", "exam.changed", "exam.closed"} <= set(audited)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"starts_at": "2030-05-01T10:00", "ends_at": "2030-05-01T08:00"}, "ends after it starts"),
        ({"starts_at": "tomorrow"}, "no time"),
        ({"minutes": "-5"}, "Whole numbers"),
        ({"reminder_minutes": "soon, later"}, "Whole numbers"),
        ({"keep_chat_days": "0"}, "greater than or equal to 1"),
        ({"title": ""}, "blank"),
        ({"summary_url": "ftp:nowhere"}, "valid URL"),
    ],
    ids=["ends-before", "no-time", "minus", "words", "no-days", "no-title", "no-address"],
)
def test_what_is_wrong_is_said_and_nothing_changes(scene, wrong, said):
    before = Exam.objects.filter(pk=scene.exam.pk).values().get()
    answer = Page(scene, scene.cast.ada).do("save", **fields(scene.exam, **wrong))
    assert answer.status_code == 400
    page = answer.content.decode()
    assert said in page
    typed = next(value for value in wrong.values())
    assert typed == "" or f'value="{typed}"' in page  # what was typed is not lost
    assert Exam.objects.filter(pk=scene.exam.pk).values().get() == before


def test_rules_weigh_and_act_as_they_were_set(scene):
    ada = Page(scene, scene.cast.ada)
    rules = {
        "weight_copy": "critical",
        "weight_mouse_leave": "off",
        "after_tab_switch": "2",
        "action_tab_switch": "pause",
    }
    assert ada.do("rules", exam=scene.exam.slug, **rules).status_code == 303
    session = scene.start()["id"]
    answers = scene.log(session, item("copy"), item("mouse_leave"), item("tab_switch")).json()["results"]
    assert [one["violation"]["severity"] for one in answers] == ["critical", "info", "medium"]
    assert scene.shown(session)["status"] == "active"
    scene.log(session, item("tab_switch"))
    assert scene.shown(session)["status"] == "paused"
    assert ada.do("rules", exam=scene.exam.slug, action_paste="pause").status_code == 400  # after how many?
    assert ada.do("rules", exam=scene.exam.slug, weight_paste="enormous").status_code == 400
    assert scene.exam.rules.count() == 3
    assert ada.do("rules", exam=scene.exam.slug).status_code == 303
    assert scene.exam.rules.count() == 0


def test_tutors_and_students_come_and_go(scene):
    ada, slug = Page(scene, scene.cast.ada), scene.exam.slug
    assert ada.do("add_tutor", exam=slug, user=str(scene.cast.ben.pk)).status_code == 303
    assert ExamTutor.objects.filter(exam=scene.exam, user=scene.cast.ben).exists()
    assert ada.do("add_tutor", exam=slug, user=str(scene.cast.cleo.pk)).status_code == 400
    assert ada.do("remove_tutor", exam=slug, user=str(scene.cast.ben.pk)).status_code == 303
    assert not ExamTutor.objects.filter(exam=scene.exam, user=scene.cast.ben).exists()
    lines = f'{scene.cast.cleo.email}, Cleo, 8a, 10\n\nschool-17;"Siti; Rahmawati";8b\n'
    assert ada.do("enrol", exam=slug, students=lines).status_code == 303
    cleo = Enrolment.objects.get(exam=scene.exam, user=scene.cast.cleo)
    assert (cleo.name, cleo.group, cleo.extra_seconds) == ("Cleo", "8a", 600)
    assert Enrolment.objects.get(exam=scene.exam, external_id="school-17").name == "Siti; Rahmawati"
    assert "school-17" in ada.read(exam=slug, search="rahma")
    refused = ada.do("enrol", exam=slug, students="nobody@nowhere.example")
    assert (refused.status_code, "nobody@nowhere.example" in refused.content.decode()) == (400, True)
    assert ada.do("enrol", exam=slug, students=" \n ").status_code == 400
    assert ada.do("withdraw", exam=slug, enrolment=str(cleo.pk)).status_code == 303
    assert Api(scene.cast.cleo).post(f"/api/v1/exams/{slug}/sessions", {}).status_code == 404
    scene.start()
    assert ada.do("erase", exam=slug, student=str(scene.cast.sam.pk)).status_code == 303
    assert not ExamSession.objects.filter(exam=scene.exam).exists()


def test_a_secret_is_shown_once_and_the_one_before_stays_good(scene):
    ada = Page(scene, scene.cast.ada)
    first = ada.do("secret", exam=scene.exam.slug).content.decode()
    second = ada.do("secret", exam=scene.exam.slug).content.decode()
    scene.exam.refresh_from_db()
    newest, older = scene.exam.secrets["signing"]
    assert newest in second.replace("&#x2B;", "+")
    assert older in first.replace("&#x2B;", "+")
    assert newest not in ada.read(exam=scene.exam.slug)


def test_who_manages_no_exams_finds_no_such_page(scene):
    for user in (scene.cast.tia, scene.cast.ben, scene.cast.vic):
        assert Page(scene, user).do("close", exam=scene.exam.slug).status_code == 403
    stranger = Page(scene, scene.cast.cleo)
    assert stranger.do("close", exam=scene.exam.slug).status_code == 404
    other = make_scene()
    assert Page(other, other.cast.ada).do("close", exam=scene.exam.slug).status_code == 404
    scene.exam.refresh_from_db()
    assert scene.exam.closed_at is None


def test_a_board_is_made_named_and_shows_how_it_ended(scene):
    ada = Page(scene, scene.cast.ada, "boards")
    code = unique("QUIZ")
    made = ada.do("create", quiz_code=code, name="Fractions", exam_id=scene.exam.slug)
    assert (made.status_code, f"board={code}" in made["Location"]) == (303, True)
    assert ada.do("create", quiz_code=code.lower(), name="Again").status_code == 409
    assert ada.do("create", quiz_code="two words", name="").status_code == 400
    tia = Page(scene, scene.cast.tia, "boards")
    assert tia.do("save", board=code, name="Fractions 8a", exam_id=scene.exam.slug, keep_days="30").status_code == 303
    assert tia.do("save", board=code, name="x", exam_id=scene.exam.slug, keep_days="0").status_code == 400
    assert tia.do("create", quiz_code=unique("MINE"), name="").status_code == 403
    board = Leaderboard.objects.get(quiz_code=code)
    assert (board.name, board.keep_days) == ("Fractions 8a", 30)
    push(board, 7, "Brave Otter")
    assert tia.do("close", board=code).status_code == 303
    assert BoardSnapshot.objects.get(board=board).players == 1
    page = tia.read(board=code)
    assert "How it ended" in page
    assert "New board" not in page
