"""An exam as a PDF: its totals, and a line for each session, from the same lines as the sheet. Of one student also
what was noticed, and who said what of it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, cast

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from fpdf.enums import MethodReturnValue

from crm.paper import Paper, fitting
from inbox.services.snoozing import zone_of
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
ROW, LINE = 6, 5  # mm
SHORT = 80  # letters that one line holds in any script; looking how a text breaks costs as much as printing it
INDENTS = (0, 6)  # mm; of what stands below a line
# Before what people wrote: the line runs from left to right whatever script it begins with
LEFT_TO_RIGHT = "\u200e"


def pdf_report(exam: Exam, *, student: str = "") -> bytes:
    """Times by the workspace's clock."""
    report = _Report(exam, [session_line(row, totals) for row, totals in lines_of(exam, student)])
    report.summary()
    report.table()
    report.noted(_("Consent withdrawn: nothing was captured from then on"), "consent_withdrawn_at")
    report.noted(_("Past its days: what was noticed was removed, the totals stay"), "evidence_removed_at")
    if student:
        report.log(student)
    return report.paper.whole()


class _Report:
    def __init__(self, exam: Exam, lines: Sequence[dict[str, Any]]) -> None:
        self.exam = exam
        self.lines = lines
        self.zone = zone_of(exam.workspace)
        self.paper = Paper(exam.title, "landscape")
        self._size(9)

    def summary(self) -> None:
        self._size(16)
        self.paper.multi_cell(0, 8, self.paper.printable(self.exam.title), new_x="LMARGIN", new_y="NEXT")
        self._size(9)
        total = sum(line["violation_count"] for line in self.lines)
        self._line(
            [
                ngettext("%(n)s session", "%(n)s sessions", len(self.lines)) % {"n": len(self.lines)},
                ngettext("%(n)s violation", "%(n)s violations", total) % {"n": total},
                _("%(n)s confirmed") % {"n": sum(line["confirmed"] for line in self.lines)},
                f"{self._at(timezone.now(), '%Y-%m-%d %H:%M')} {self.zone.key}",
            ]
        )
        self.paper.ln(3)

    def table(self) -> None:
        """Its heads stand on every page, and below it what the lines come to."""
        heads = {name: head() for name, head in _HEADS.items()}
        self._row([heads["student_name"]], heads, border="B")
        for line in self.lines:
            names = self._names(line)
            if self.paper.will_page_break(self._height(names)):
                self.paper.add_page()
                self._row([heads["student_name"]], heads, border="B")
            self._row(names, {name: self._shown(line, name) for name in COLUMNS if name != "student_name"})
        if self.paper.will_page_break(ROW):
            self.paper.add_page()
            self._row([heads["student_name"]], heads, border="B")
        sums = {name: sum(line[name] for line in self.lines) for name in SUMMED}
        self._row([_("Together")], {name: self._shown(sums, name) for name in SUMMED}, border="T")

    def noted(self, title: str, when: str) -> None:
        """Below the table, for whom that happened and when; nothing where it happened to nobody."""
        marked = [line for line in self.lines if line[when]]
        if marked:
            self._section(title)
        for line in marked:
            self._line([self._at(line[when]), line["student_name"] or line["student"]])

    def log(self, student: str) -> None:
        self._section(_("What was noticed"))
        noticed = list(violation_lines(self.exam, student))
        if not noticed and not any(line["evidence_removed_at"] for line in self.lines):
            self._line([_("Nothing has been noticed.")])
        for line in noticed:
            said = [str(Severity(line["severity"]).label), _word(line), str(Review(line["review"]).label)]
            explained = _("The student: %(words)s") % {"words": line["explanation"]} if line["explanation"] else ""
            self._line([self._at(line["occurred_at"]), *said, line["reviewed_by"]], explained)
        verdicts = list(review_lines(self.exam, student))
        if verdicts:
            self._section(_("Verdicts"))
        for line in verdicts:
            verdict = f"{Review(line['before']).label} > {Review(line['after']).label}"
            self._line([self._at(line["at"]), line["by"], _word(line), verdict], line["reason"])

    # --- How it is put on paper ---------------------------------------------------------------------------------

    def _size(self, size: int) -> None:
        self.paper.set_font(self.paper.family, size=size)

    def _names(self, line: Mapping[str, Any]) -> list[str]:
        """Whole, on as many lines as it takes. With what the exam system calls them, where the paper has no letters
        for the name."""
        name = " ".join(line["student_name"].split())
        shown = self.paper.printable(name)
        text = shown if name and shown.count("?") == name.count("?") else f"{line['student']} {shown}".strip()
        return self._split(text, COLUMNS["student_name"] - 1) or [""]

    def _split(self, text: str, width: float) -> list[str]:
        """As it will stand on so many millimetres."""
        lines = self.paper.multi_cell(width, LINE, text, dry_run=True, output=MethodReturnValue.LINES, align="L")
        return cast("list[str]", lines)

    def _height(self, names: Sequence[str]) -> float:
        return ROW + LINE * (len(names) - 1)

    def _row(self, names: Sequence[str], cells: Mapping[str, str], *, border: Literal["", "B", "T"] = "") -> None:
        paper = self.paper
        for name, width in COLUMNS.items():
            text = names[0] if name == "student_name" else paper.printable(cells.get(name, ""))
            align = "L" if name in WORDS else "R"
            paper.cell(width, ROW, fitting(paper, text, width - 2), border=border or 0, align=align)
        paper.ln(ROW)
        for more in names[1:]:
            paper.cell(COLUMNS["student_name"], LINE, more, new_x="LMARGIN", new_y="NEXT")

    def _section(self, title: str) -> None:
        """Not by itself at the foot of a page."""
        if self.paper.will_page_break(4 + 8 + 2 * LINE):
            self.paper.add_page()
        self.paper.ln(4)
        self._size(12)
        self.paper.cell(0, 8, self.paper.printable(title), new_x="LMARGIN", new_y="NEXT")
        self._size(9)

    def _line(self, parts: Iterable[str], below: str = "") -> None:
        """What belongs together is not torn apart by the end of a page, as long as one page holds it."""
        texts = [" · ".join(" ".join(part.split()) for part in parts if part), *([below] if below else [])]
        texts = [LEFT_TO_RIGHT + self.paper.printable(text) for text in texts]
        indented = list(zip(INDENTS, texts, strict=False))
        if self.paper.will_page_break(LINE * sum(1 + text.count("\n") + len(text) // SHORT for text in texts)):
            self._make_room(indented)
        for indent, text in indented:
            self.paper.set_x(self.paper.l_margin + indent)
            self.paper.multi_cell(0, LINE, text, align="L", new_x="LMARGIN", new_y="NEXT")

    def _make_room(self, indented: Sequence[tuple[float, str]]) -> None:
        height = LINE * sum(len(self._split(text, self.paper.epw - indent)) for indent, text in indented)
        if self.paper.will_page_break(height) and height < self.paper.eph:
            self.paper.add_page()

    def _at(self, at: datetime, form: str = "%Y-%m-%d %H:%M:%S") -> str:
        return at.astimezone(self.zone).strftime(form)

    def _shown(self, line: Mapping[str, Any], name: str) -> str:
        value = line[name]
        if name == "status":
            return str(words.STATES[value])
        if name == "started_at":
            return self._at(value, "%Y-%m-%d %H:%M")
        if name in SPANS:
            return f"{value // 3600}:{value // 60 % 60:02}:{value % 60:02}"
        if name == "answered_count" and line["question_count"]:
            return f"{value}/{line['question_count']}"
        return str(value)


def _word(line: Mapping[str, Any]) -> str:
    return str(words.VIOLATIONS.get(line["type"], line["type"]))


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
