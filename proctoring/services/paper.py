"""An exam as a PDF: its totals, and a line for each session, from the same lines as the sheet."""

from django.utils import timezone
from django.utils.translation import gettext as _
from fpdf import FPDF

from crm.paper import family_of, printable
from proctoring.models import Exam
from proctoring.services.reports import lines_of, session_line

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
    return bytes(paper.output())


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
