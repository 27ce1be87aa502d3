"""The reports of an exam: the sheet and the paper, and that both agree with the log."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen

from crm.models import Workspace
from crm.paper import Paper
from proctoring.models import ExamSession
from proctoring.services import paper, retention
from tests.api import Api
from tests.proctoring.scene import item, make_scene, service_was_always_there


@pytest.fixture
def scene():
    service_was_always_there()
    return make_scene()


@pytest.fixture
def printed(monkeypatch) -> list[str]:
    """What is put on paper, cell by cell."""
    cells: list[str] = []
    trying: list[bool] = []

    def noted(put):
        def note(self, w=None, h=None, text="", *args, **more):
            trying.append(more.get("dry_run", False))
            if not any(trying):
                cells.append(text.removeprefix(paper.LEFT_TO_RIGHT))
            try:
                return put(self, w, h, text, *args, **more)
            finally:
                trying.pop()

        return note

    monkeypatch.setattr(Paper, "cell", noted(Paper.cell))
    monkeypatch.setattr(Paper, "multi_cell", noted(Paper.multi_cell))
    return cells


def test_the_paper_says_in_words_what_the_log_comes_to(scene, printed):
    session = scene.start()["id"]
    scene.log(session, item("paste"), item("copy"), item("context_menu"))
    own = scene.tia.get(f"{scene.base}report.pdf", student=str(scene.cast.sam.pk))
    assert own.status_code == 200
    assert printed[1].startswith("1 session · 3 violations · 0 confirmed")
    assert "Active" in printed
    assert "Verdicts" not in printed
    together = printed.index("Together")
    assert printed[together + 5 : together + 12] == ["3", "0", "1", "1", "1", "0", "0:00:00"]
    scene.start(scene.sue)
    printed.clear()
    scene.tia.get(f"{scene.base}report.pdf", student=str(scene.sue.pk))
    assert "Nothing has been noticed." in printed


def test_the_paper_says_when_the_log_was_removed(scene, printed):
    session = scene.start()["id"]
    scene.log(session, item("paste"))
    scene.sam.post(f"/api/v1/sessions/{session}/end", {})
    ExamSession.objects.filter(pk=session).update(ended_at=timezone.now() - timedelta(days=61))
    retention.apply()
    scene.tia.get(f"{scene.base}report.pdf", student=str(scene.cast.sam.pk))
    assert printed[1].startswith("1 session · 1 violation · 0 confirmed")
    title = printed.index("Past its days: what was noticed was removed, the totals stay")
    assert printed[title + 1] == f"{timezone.now():%Y-%m-%d} {printed[title + 1].split()[1]} · Sam"
    assert "Nothing has been noticed." not in printed


def test_a_name_without_letters_on_the_paper_is_told_by_its_id(scene, printed):
    session = scene.start()["id"]
    ExamSession.objects.filter(pk=session).update(student="s-17", student_name="\U0001f9d1 Sam")
    assert scene.tia.get(f"{scene.base}report.pdf").status_code == 200
    assert "s-17 ? Sam" in printed


def test_each_page_of_the_paper_has_its_heads(scene, printed, monkeypatch):
    scene.start()
    lines = list(paper.lines_of(scene.exam, ""))
    monkeypatch.setattr(paper, "lines_of", lambda *_: lines * 70)
    assert scene.tia.get(f"{scene.base}report.pdf").status_code == 200
    assert printed.count("Student") == 3


def test_each_page_says_which_of_how_many_it_is(scene, printed, monkeypatch):
    scene.start()
    lines = list(paper.lines_of(scene.exam, ""))
    monkeypatch.setattr(paper, "lines_of", lambda *_: lines * 70)
    assert scene.tia.get(f"{scene.base}report.pdf").status_code == 200
    assert [text for text in printed if text.startswith("Page ")] == [f"Page {n} of 3" for n in (1, 2, 3)]
    assert printed.count("Biology midterm") == 4


def test_names_are_whole_and_turn_nothing_round(scene, printed):
    session = scene.start()["id"]
    name = "Maximilian-Alexander von und zu Hohenstaufen-Wittgenstein der Jüngere \u202eeno\u202c {nb}"
    ExamSession.objects.filter(pk=session).update(student_name=name)
    assert scene.tia.get(f"{scene.base}report.pdf").status_code == 200
    at = printed.index("Student") + len(paper.COLUMNS)
    whole = " ".join([printed[at], *printed[at + len(paper.COLUMNS) : printed.index("Together")]])
    assert " ".join(whole.split()) == "Maximilian-Alexander von und zu Hohenstaufen-Wittgenstein der Jüngere eno {nb}"


def test_times_are_told_by_the_workspaces_clock(scene, printed):
    session = scene.start()["id"]
    ExamSession.objects.filter(pk=session).update(started_at=datetime(2026, 11, 22, 20, 30, tzinfo=UTC))
    Workspace.objects.filter(pk=scene.cast.workspace.pk).update(timezone="Asia/Jakarta")
    assert scene.tia.get(f"{scene.base}report.pdf").status_code == 200
    assert "2026-11-23 03:30" in printed
    assert printed[1].endswith("Asia/Jakarta")


def font_of(path, letters):
    """A font with these letters and no other, each of them empty: what a system has does not matter then."""
    names = {letter: f"u{ord(letter):04X}" for letter in letters}
    order = [".notdef", *names.values()]
    made = FontBuilder(1000)
    made.setupGlyphOrder(order)
    made.setupCharacterMap({ord(letter): name for letter, name in names.items()})
    made.setupGlyf(dict.fromkeys(order, TTGlyphPen(None).glyph()))
    made.setupHorizontalMetrics(dict.fromkeys(order, (500, 0)))
    made.setupHorizontalHeader(ascent=800, descent=-200)
    made.setupNameTable({"familyName": path.stem, "styleName": "Regular"})
    made.setupOS2()
    made.setupPost()
    made.save(path)
    return path


def test_letters_that_one_font_lacks_are_looked_for_in_another(scene, printed, monkeypatch, tmp_path):
    monkeypatch.setattr("crm.paper.FONTS", (font_of(tmp_path / "usual.ttf", map(chr, range(32, 127))),))
    monkeypatch.setattr("crm.paper.OF_SCRIPT", str(tmp_path / "{script}.ttf"))
    monkeypatch.setattr("crm.paper.OF_EAST_ASIA", str(tmp_path / "none.ttf"))
    font_of(tmp_path / "Devanagari.ttf", "सीता")
    session = scene.start()["id"]
    ExamSession.objects.filter(pk=session).update(student_name="सीता")
    assert scene.tia.get(f"{scene.base}report.pdf").status_code == 200
    assert "सीता" in printed


def test_the_report_as_a_pdf(scene):
    scene.start()
    answer = scene.tia.get(f"{scene.base}report.pdf")
    assert (answer.status_code, answer["Content-Type"], answer.content[:5]) == (200, "application/pdf", b"%PDF-")
    assert Api(scene.cast.cleo).of(scene.cast.workspace.slug).get(f"{scene.base}report.pdf").status_code == 404


def test_every_verdict_is_in_the_report_with_who_when_and_why(scene):
    session = scene.start()["id"]
    noted = scene.log(session, item("paste")).json()["results"][0]["violation"]["id"]
    scene.start(scene.sue)
    path = f"{scene.base}violations/{noted}/"
    for review, reason in (("suspicious", "twice in a row"), ("violation", "=SUM(1)")):
        assert scene.tia.patch(path, {"review": review, "reason": reason}).status_code == 200
    sheet = scene.tia.get(f"{scene.base}report.csv", of="reviews").content.decode("utf-8-sig")
    lines = list(csv.DictReader(io.StringIO(sheet)))
    assert [(line["before"], line["after"], line["by"], line["reason"]) for line in lines] == [
        ("not_reviewed", "suspicious", "Tia", "twice in a row"),
        ("suspicious", "violation", "Tia", "'=SUM(1)"),
    ]
    assert all(datetime.fromisoformat(line["at"]) for line in lines)
    of_sue = scene.tia.get(f"{scene.base}report.csv", of="reviews", student=str(scene.sue.pk)).content.decode()
    assert of_sue.count("\r\n") == 1
    assert scene.tia.get(f"{scene.base}report.csv", of="everything").status_code == 400
    whole = scene.tia.get(f"{scene.base}report.pdf").content
    own = scene.tia.get(f"{scene.base}report.pdf", student=str(scene.cast.sam.pk)).content
    assert (whole[:5], own[:5]) == (b"%PDF-", b"%PDF-")
