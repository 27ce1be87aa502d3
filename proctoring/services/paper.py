"""An exam as a PDF: its totals, and a line for each session, from the same lines as the sheet. Of one student also
what was noticed, and who said what of it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from fpdf import FPDF

from crm.paper import family_of, printable
from proctoring import words
from proctoring.models import Exam
from proctoring.services.reports import lines_of, review_lines, session_line, violation_lines
from proctoring.states import Review, Severity

COLUMNS = (
    ("student_name", 62),
    ("status", 26),
    ("started_at", 36),
    ("duration_seconds", 24),
    ("answered_count", 22),
    ("violation_count", 22),
    ("confirmed", 22),
    ("lost_seconds", 22),
)


def pdf_report(exam: Exam, *, student: str = "") -> bytes:
    paper = FPDF(orientation="landscape", format="A4")
    family = family_of(paper)
    lines = [session_line(row, totals) for row, totals in lines_of(exam, student)]
    paper.add_page()
    paper.set_font(family, size=16)
    paper.cell(0, 10, printable(exam.title, family), new_x="LMARGIN", new_y="NEXT")
    paper.set_font(family, size=9)
    total = sum(line["violation_count"] for line in lines)
    confirmed = sum(line["confirmed"] for line in lines)
    summary = _("%(sessions)s sessions, %(violations)s violations, %(confirmed)s confirmed") % {
        "sessions": len(lines),
        "violations": total,
        "confirmed": confirmed,
    }
    paper.cell(
        0, 6, printable(f"{summary}. {timezone.now():%Y-%m-%d %H:%M} UTC", family), new_x="LMARGIN", new_y="NEXT"
    )
    paper.ln(3)
    for name, width in COLUMNS:
        paper.cell(width, 7, printable(_HEADS[name](), family), border="B")
    paper.ln()
    for line in lines:
        for name, width in COLUMNS:
            value = line[name]
            shown = f"{value:%Y-%m-%d %H:%M}" if name == "started_at" else str(value)
            paper.cell(width, 6, printable(shown[: width // 2], family))
        paper.ln()
    _withdrawals(paper, family, lines)
    if student:
        _log(paper, family, exam, student)
    return bytes(paper.output())


def _withdrawals(paper: FPDF, family: str, lines: Iterable[dict[str, Any]]) -> None:
    withdrawn = [line for line in lines if line["consent_withdrawn_at"]]
    if withdrawn:
        _section(paper, family, _("Consent withdrawn: nothing was captured from then on"))
    for line in withdrawn:
        _line(paper, family, [_at(line["consent_withdrawn_at"]), line["student_name"] or line["student"]])


def _log(paper: FPDF, family: str, exam: Exam, student: str) -> None:
    _section(paper, family, _("What was noticed"))
    for line in violation_lines(exam, student):
        word = str(words.VIOLATIONS.get(line["type"], line["type"]))
        said = [
            _at(line["occurred_at"]),
            str(Severity(line["severity"]).label),
            word,
            str(Review(line["review"]).label),
        ]
        if line["reviewed_by"]:
            said.append(line["reviewed_by"])
        if line["explanation"]:
            said.append(_("The student: %(words)s") % {"words": line["explanation"]})
        _line(paper, family, said)
    _section(paper, family, _("Verdicts"))
    for line in review_lines(exam, student):
        word = str(words.VIOLATIONS.get(line["type"], line["type"]))
        verdict = f"{Review(line['before']).label} > {Review(line['after']).label}"
        _line(paper, family, [_at(line["at"]), line["by"], word, verdict, line["reason"]])


def _section(paper: FPDF, family: str, title: str) -> None:
    paper.ln(4)
    paper.set_font(family, size=12)
    paper.cell(0, 8, printable(title, family), new_x="LMARGIN", new_y="NEXT")
    paper.set_font(family, size=9)


def _line(paper: FPDF, family: str, parts: Iterable[str]) -> None:
    text = " · ".join(part for part in parts if part)
    paper.multi_cell(0, 5, printable(text, family), new_x="LMARGIN", new_y="NEXT")


def _at(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}"


_HEADS = {
    "student_name": lambda: _("Student"),
    "status": lambda: _("State"),
    "started_at": lambda: _("Started"),
    "duration_seconds": lambda: _("Seconds"),
    "answered_count": lambda: _("Answered"),
    "violation_count": lambda: _("Violations"),
    "confirmed": lambda: _("Confirmed"),
    "lost_seconds": lambda: _("Lost time"),
}
