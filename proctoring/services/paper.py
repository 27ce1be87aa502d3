"""An exam as a PDF: its totals, and a line for each session, from the same lines as the sheet. Of one student also
what was noticed, and who said what of it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from fpdf import FPDF

from crm.paper import family_of, printable
from proctoring import words
from proctoring.models import Exam
from proctoring.services.reports import lines_of, review_lines, session_line, violation_lines
from proctoring.states import Review, Severity

# Millimetres of the 277 that a page has between its margins
COLUMNS = {
    "student_name": 48,
    "status": 26,
    "started_at": 32,
    "duration_seconds": 19,
    "answered_count": 21,
    "violation_count": 21,
    "critical": 16,
    "high": 16,
    "medium": 16,
    "low": 16,
    "confirmed": 22,
    "lost_seconds": 21,
}
SUMMED = ("violation_count", "critical", "high", "medium", "low", "confirmed", "lost_seconds")
SPANS = ("duration_seconds", "lost_seconds")
WORDS = ("student_name", "status", "started_at")  # numbers stand at the right
ROW = 6  # mm


def pdf_report(exam: Exam, *, student: str = "") -> bytes:
    paper = FPDF(orientation="landscape", format="A4")
    family = family_of(paper)
    lines = [session_line(row, totals) for row, totals in lines_of(exam, student)]
    paper.add_page()
    paper.set_font(family, size=16)
    paper.cell(0, 10, printable(exam.title, family), new_x="LMARGIN", new_y="NEXT")
    paper.set_font(family, size=9)
    total = sum(line["violation_count"] for line in lines)
    summary = [
        ngettext("%(n)s session", "%(n)s sessions", len(lines)) % {"n": len(lines)},
        ngettext("%(n)s violation", "%(n)s violations", total) % {"n": total},
        _("%(n)s confirmed") % {"n": sum(line["confirmed"] for line in lines)},
        f"{timezone.now():%Y-%m-%d %H:%M} UTC",
    ]
    _line(paper, family, summary)
    paper.ln(3)
    _table(paper, family, lines)
    _noted(paper, family, _("Consent withdrawn: nothing was captured from then on"), lines, "consent_withdrawn_at")
    _noted(
        paper, family, _("Past its days: what was noticed was removed, the totals stay"), lines, "evidence_removed_at"
    )
    if student:
        _log(paper, family, exam, student, is_removed=any(line["evidence_removed_at"] for line in lines))
    return bytes(paper.output())


def _table(paper: FPDF, family: str, lines: Sequence[dict[str, Any]]) -> None:
    """Its heads stand on every page, and below it what the lines come to."""
    heads = {name: head() for name, head in _HEADS.items()}
    _row(paper, family, heads, border="B")
    for line in lines:
        if paper.will_page_break(ROW):
            paper.add_page()
            _row(paper, family, heads, border="B")
        _row(paper, family, {name: _shown(line, name) for name in COLUMNS} | {"student_name": _name(line, family)})
    sums = {name: sum(line[name] for line in lines) for name in SUMMED}
    _row(paper, family, {"student_name": _("Together")} | {name: _shown(sums, name) for name in SUMMED}, border="T")


def _row(paper: FPDF, family: str, cells: Mapping[str, str], *, border: Literal["", "B", "T"] = "") -> None:
    for name, width in COLUMNS.items():
        text = printable(cells.get(name, ""), family)
        while text and paper.get_string_width(text) > width - 2:
            text = text[:-1]
        paper.cell(width, ROW, text, border=border or 0, align="L" if name in WORDS else "R")
    paper.ln()


def _name(line: Mapping[str, Any], family: str) -> str:
    """With what the exam system calls them, where the paper has no letters for the name."""
    name = line["student_name"]
    return name if name and printable(name, family) == name else f"{line['student']} {name}".strip()


def _shown(line: Mapping[str, Any], name: str) -> str:
    value = line[name]
    if name == "status":
        return str(words.STATES[value])
    if name == "started_at":
        return f"{value:%Y-%m-%d %H:%M}"
    if name in SPANS:
        return f"{value // 3600}:{value // 60 % 60:02}:{value % 60:02}"
    if name == "answered_count" and line["question_count"]:
        return f"{value}/{line['question_count']}"
    return str(value)


def _noted(paper: FPDF, family: str, title: str, lines: Iterable[dict[str, Any]], when: str) -> None:
    """Below the table, for whom that happened and when; nothing where it happened to nobody."""
    marked = [line for line in lines if line[when]]
    if marked:
        _section(paper, family, title)
    for line in marked:
        _line(paper, family, [_at(line[when]), line["student_name"] or line["student"]])


def _log(paper: FPDF, family: str, exam: Exam, student: str, *, is_removed: bool) -> None:
    _section(paper, family, _("What was noticed"))
    noticed = list(violation_lines(exam, student))
    if not noticed and not is_removed:
        _line(paper, family, [_("Nothing has been noticed.")])
    for line in noticed:
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
    verdicts = list(review_lines(exam, student))
    if verdicts:
        _section(paper, family, _("Verdicts"))
    for line in verdicts:
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


_HEADS: dict[str, Callable[[], str]] = {
    "student_name": lambda: _("Student"),
    "status": lambda: _("State"),
    "started_at": lambda: _("Started"),
    "duration_seconds": lambda: _("Time"),
    "answered_count": lambda: _("Answered"),
    "violation_count": lambda: _("Violations"),
    "critical": lambda: str(Severity.CRITICAL.label),
    "high": lambda: str(Severity.HIGH.label),
    "medium": lambda: str(Severity.MEDIUM.label),
    "low": lambda: str(Severity.LOW.label),
    "confirmed": lambda: _("Confirmed"),
    "lost_seconds": lambda: _("Lost time"),
}
