"""The section of /settings where exams are set up: times, rules, what is kept, who tutors and who sits them."""

import csv
from base64 import b64encode
from collections.abc import Iterable, Mapping
from datetime import datetime
from secrets import token_bytes
from typing import Any
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from config.errors import Invalid, NotFound
from crm.actors import Member
from crm.api.base import checked
from crm.models import Workspace
from crm.roles import Action
from crm.sections.base import Done, Section, section
from proctoring import access, words
from proctoring.api.exams import ExamBody, ExamPatch, RuleBody, StudentBody
from proctoring.errors import SlugTaken
from proctoring.models import Enrolment, Exam
from proctoring.queries import exams as queries
from proctoring.services import exams, personal
from proctoring.services.exams import Enrolled, ExamChange
from proctoring.states import OURS, VOCABULARY, WATCHED, AutoAction, Severity

MOST_EXAMS, STUDENTS = 200, 50
NOT_COUNTED = "off"
RULED = [*WATCHED, *(type_ for type_ in VOCABULARY if type_ not in OURS and type_ not in WATCHED)]
NUMBERS = (
    "question_count",
    "attempts",
    "merge_seconds",
    "keep_violations_days",
    "keep_network_days",
    "keep_chat_days",
    "keep_sessions_days",
)
SWITCHES = ("requires_consent", "requires_guardian", "is_chat_open")
MAY_BE_EMPTY = frozenset({"question_count"})


@section
class Exams(Section):
    key, title, icon, needs = "exams", lazy("Exams"), "proctor", Action.MANAGE_EXAMS
    place, template = 55, "settings/exams.html"

    def context(self, actor: Member, request: HttpRequest) -> Mapping[str, Any]:
        rows = list(access.manageable_exams(actor).order_by("-id")[:MOST_EXAMS])
        asked = (request.POST.get("exam") or request.GET.get("exam", "")).lower()
        chosen = next((row for row in rows if row.slug == asked), rows[0] if rows else None)
        if chosen is None:
            return {"exams": rows, "exam": None}
        exam = queries.get_exam(chosen)
        search = request.GET.get("search", "")[:60]
        students = list(queries.enrolments_of(exam, search=search)[: STUDENTS + 1])
        tutors = [row.user for row in exam.tutors.all()]
        return {
            "exams": rows,
            "exam": exam,
            "form": _form(exam, request, _zone(actor)),
            "zone": _zone(actor).key,
            "rules": _rules(exam, request),
            "watched": len(WATCHED),
            "weights": [(one.value, one.label) for one in Severity if one is not Severity.INFO],
            "actions": AutoAction.choices,
            "tutors": tutors,
            "others": queries.possible_tutors(exam, but=[user.pk for user in tutors]),
            "students": [_student(row) for row in students[:STUDENTS]],
            "more": len(students) > STUDENTS,
            "search": search,
            "has_secret": bool(exam.secrets.get("signing")),
        }

    def do_create(self, actor: Member, request: HttpRequest) -> Done:
        data = {name: request.POST.get(name, "").strip() for name in ("slug", "title")}
        given = checked(ExamBody(data=data))
        slug = given.pop("slug").lower()
        if access.manageable_exams(actor).filter(slug=slug).exists():
            raise SlugTaken
        exams.upsert_exam(actor=actor, change=ExamChange(slug=slug, fields=given))
        return _done(request, _("Created"), slug)

    def do_save(self, actor: Member, request: HttpRequest) -> Done:
        given = checked(ExamPatch(data=_given(request, _zone(actor))))
        return _changed(actor, request, ExamChange(slug=_slug(actor, request), fields=given))

    def do_rules(self, actor: Member, request: HttpRequest) -> Done:
        found = (_rule(type_, request) for type_ in RULED)
        rules = [checked(RuleBody(data=rule)) for rule in found if rule is not None]
        return _changed(actor, request, ExamChange(slug=_slug(actor, request), rules=rules))

    def do_secret(self, actor: Member, request: HttpRequest) -> Done:
        secret = f"whsec_{b64encode(token_bytes(32)).decode()}"
        exams.upsert_exam(actor=actor, change=ExamChange(slug=_slug(actor, request), secret=secret))
        return Done(_("Made"), {"secret": secret})

    def do_close(self, actor: Member, request: HttpRequest) -> Done:
        exams.close_exam(actor=actor, slug=_slug(actor, request))
        return _done(request, _("Ended"))

    def do_add_tutor(self, actor: Member, request: HttpRequest) -> Done:
        exams.add_tutor(actor=actor, slug=_slug(actor, request), user_id=_uuid(request, "user"))
        return _done(request, _("Added"))

    def do_remove_tutor(self, actor: Member, request: HttpRequest) -> Done:
        exams.remove_tutor(actor=actor, slug=_slug(actor, request), user_id=_uuid(request, "user"))
        return _done(request, _("Removed"))

    def do_enrol(self, actor: Member, request: HttpRequest) -> Done:
        students = list(_students(request.POST.get("students", "")))
        if not students:
            raise Invalid(errors={"students": _("Write at least one line.")})
        enrolled = exams.enrol(actor=actor, slug=_slug(actor, request), students=students)
        return _done(request, _("Enrolled: %(n)d") % {"n": len(enrolled)})

    def do_withdraw(self, actor: Member, request: HttpRequest) -> Done:
        exams.withdraw(actor=actor, slug=_slug(actor, request), enrolment_id=_uuid(request, "enrolment"))
        return _done(request, _("Taken off the list"))

    def do_erase(self, actor: Member, request: HttpRequest) -> Done:
        student = request.POST.get("student", "")
        sessions = personal.erase_student(actor=actor, slug=_slug(actor, request), student=student)
        return _done(request, _("Erased, with %(n)d sessions") % {"n": sessions})


def _slug(actor: Member, request: HttpRequest) -> str:
    return access.managed_exam_for(actor, request.POST.get("exam", "")).slug


def _uuid(request: HttpRequest, name: str) -> UUID:
    try:
        return UUID(request.POST.get(name, ""))
    except ValueError:
        raise NotFound from None


def _zone(actor: Member) -> ZoneInfo:
    return ZoneInfo(Workspace.objects.values_list("timezone", flat=True).get(pk=actor.workspace_id))


# --- What the form shows, and what it says ------------------------------------------------------------------


def _form(exam: Exam, request: HttpRequest, zone: ZoneInfo) -> dict[str, Any]:
    """As it stands, or as it was just typed where that was refused."""
    shown: dict[str, Any] = {
        "title": exam.title,
        "starts_at": _local(exam.starts_at, zone),
        "ends_at": _local(exam.ends_at, zone),
        "minutes": exam.duration_seconds // 60 if exam.duration_seconds else "",
        "reminder_minutes": ", ".join(str(minutes) for minutes in exam.reminder_minutes),
        "policy_version": exam.policy_version,
        "summary_url": exam.summary_url,
        **{name: "" if (value := getattr(exam, name)) is None else value for name in NUMBERS},
    }
    switches = {name: getattr(exam, name) for name in SWITCHES}
    if request.method != "POST" or request.POST.get("do") != "save":
        return {**shown, **switches}
    return {**{name: request.POST.get(name, "") for name in shown}, **{name: name in request.POST for name in SWITCHES}}


def _local(at: datetime | None, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%dT%H:%M}" if at else ""


def _given(request: HttpRequest, zone: ZoneInfo) -> dict[str, Any]:
    text = {name: request.POST.get(name, "").strip() for name in ("title", "policy_version", "summary_url")}
    numbers = {name: request.POST.get(name, "").strip() for name in NUMBERS}
    return {
        **text,
        **{name: value or None for name, value in numbers.items() if value or name in MAY_BE_EMPTY},
        **{name: name in request.POST for name in SWITCHES},
        "starts_at": _time(request, "starts_at", zone),
        "ends_at": _time(request, "ends_at", zone),
        "duration_seconds": _seconds(request),
        "reminder_minutes": _whole_numbers(request.POST.get("reminder_minutes", ""), "reminder_minutes"),
    }


def _time(request: HttpRequest, name: str, zone: ZoneInfo) -> datetime | None:
    """As a clock in the workspace's zone shows it."""
    typed = request.POST.get(name, "").strip()
    if not typed:
        return None
    try:
        return datetime.fromisoformat(typed).replace(tzinfo=zone)
    except ValueError:
        raise Invalid(errors={name: _("That is no time.")}) from None


def _seconds(request: HttpRequest) -> int | None:
    typed = _whole_numbers(request.POST.get("minutes", ""), "minutes")
    return typed[0] * 60 if typed else None


def _whole_numbers(typed: str, name: str) -> list[int]:
    parts = [part.strip() for part in typed.split(",") if part.strip()]
    if any(not part.isascii() or not part.isdigit() or len(part) > 9 for part in parts):
        raise Invalid(errors={name: _("Whole numbers, with commas between them.")})
    return [int(part) for part in parts]


def _rules(exam: Exam, request: HttpRequest) -> list[dict[str, Any]]:
    own = {rule.type: rule for rule in exam.rules.all()}
    typed = request.POST if request.method == "POST" and request.POST.get("do") == "rules" else None
    lines = []
    for type_ in RULED:
        rule = own.get(type_)
        weight = "" if rule is None else rule.severity if rule.is_counted else NOT_COUNTED
        line = {
            "weight": weight,
            "after": rule.threshold if rule and rule.threshold else "",
            "action": rule.action if rule else AutoAction.NONE.value,
        }
        if typed is not None:
            line = {name: typed.get(f"{name}_{type_}", "") for name in line}
        usual = Severity(VOCABULARY[type_])
        lines.append({"type": type_, "word": words.VIOLATIONS.get(type_, type_), "usual": usual.label, **line})
    return lines


def _rule(type_: str, request: HttpRequest) -> dict[str, Any] | None:
    """None where all is as usual."""
    weight, after, action = (request.POST.get(f"{name}_{type_}", "").strip() for name in ("weight", "after", "action"))
    action = action or AutoAction.NONE.value
    if not weight and action == AutoAction.NONE:
        return None
    counted = weight != NOT_COUNTED
    severity = weight if counted else ""
    return {
        "type": type_,
        "is_counted": counted,
        "severity": severity,
        "threshold": after or 0,
        "action": action,
    }


def _student(row: Enrolment) -> dict[str, Any]:
    user = row.user
    return {
        "pk": row.pk,
        "student": str(user.pk) if user else row.external_id,
        "name": row.name or (user.display_name if user else row.external_id),
        "address": user.email if user else row.external_id,
        "group": row.group,
        "minutes": row.extra_seconds // 60,
    }


def _students(text: str) -> Iterable[Enrolled]:
    """A line each: an e-mail or the exam system's word, then name, group and minutes more."""
    for line in text.splitlines():
        if not line.strip():
            continue
        delimiter = next((one for one in "\t;" if one in line), ",")
        cells = [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter))]
        who, name, group, minutes = (cells + [""] * 4)[:4]
        key = "email" if "@" in who else "external_id"
        more = (_whole_numbers(minutes, "students") or [0])[0]
        data = {key: who, "name": name, "group": group, "extra_seconds": more * 60}
        yield Enrolled(**checked(StudentBody(data=data)))


def _changed(actor: Member, request: HttpRequest, change: ExamChange) -> Done:
    exams.upsert_exam(actor=actor, change=change)
    return _done(request, _("Saved"))


def _done(request: HttpRequest, word: str, slug: str = "") -> Done:
    """Back to the same exam."""
    kept = {"workspace": name} if (name := request.GET.get("workspace", "")) else {}
    return Done(
        word, to=f"/settings/exams?{urlencode({**kept, 'exam': slug or request.POST.get('exam', ''), 'done': word})}"
    )
