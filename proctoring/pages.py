"""The pages of exams: the tutors' list and grid, and the page of a student who sits one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from config.errors import Invalid, NotFound
from config.languages import in_readers_language
from crm import features
from crm.access import member_of, member_on_page
from crm.actors import Member
from crm.features import Feature
from crm.models import User, Workspace
from crm.pages import signed_in, user_of
from crm.roles import Action
from proctoring import access, grid, topics, words
from proctoring.models import Enrolment, Exam, ExamSession, Violation
from proctoring.payloads.sessions import exam_payload, session_payload, violation_payload
from proctoring.people import Student
from proctoring.queries import exams as queries
from proctoring.queries.exams import SessionFilter
from proctoring.queries.rooms import unread_of_exam
from proctoring.rows import SessionRow
from proctoring.states import LIVE, VOCABULARY, WATCHED, AutoAction, Review, Severity

MOST_EXAMS = 50
MOST_TOGETHER = 8  # exams in one grid
MOST_SESSIONS = 5_000
DRAWN = 60  # cards of the first paint; the script brings the rest
MOST_ENTRIES = 500
STREAM = 50
LINES = ("connection_lost", "connection_restored")


@never_cache
@require_safe
@signed_in
def exam_list(request: HttpRequest) -> HttpResponse:
    """All exams that one supervises; with `exam=` once or more, the grid of those."""
    if chosen := list(dict.fromkeys(slug.lower() for slug in request.GET.getlist("exam"))):
        if len(chosen) > MOST_TOGETHER:
            raise Invalid(errors={"exam": f"At most {MOST_TOGETHER} at once."})
        return _watching(request, chosen)
    user = user_of(request)
    actor = member_on_page(user.pk, Action.PROCTOR, request.GET.get("workspace", ""))
    if not actor.may(Action.PROCTOR):
        raise NotFound
    features.check(actor.workspace_id, Feature.PROCTORING)
    found = list(queries.list_exams(actor).order_by("-pk")[:MOST_EXAMS])
    seqs = {exam.slug: queries.live_of(topics.exam(exam.slug)) for exam in found}
    counts = queries.counts_of_exams(found)
    lines = [{"exam": exam_payload(exam), "counts": counts[exam.pk], "live": seqs[exam.slug]} for exam in found]
    state = {**_who(request, user, actor), "exams": [line | {"exam": line["exam"]["slug"]} for line in lines]}
    return render(request, "proctor/list.html", {"state": state, "lines": lines, **_words()})


@never_cache
@require_safe
@signed_in
def dashboard(request: HttpRequest, exam: str) -> HttpResponse:
    return _watching(request, [exam])


@dataclass(frozen=True, slots=True)
class _Watched:
    """One exam of the grid, as it was at `live`'s number."""

    actor: Member
    exam: Exam
    live: dict[str, Any]
    rows: list[SessionRow]
    waiting: list[Violation]
    stream: list[Violation]
    unread: dict[UUID, int]


def _watching(request: HttpRequest, slugs: Sequence[str]) -> HttpResponse:
    """One exam, or several side by side; each by the tutor's own right to it."""
    user = user_of(request)
    watched = [_watched(user, slug) for slug in slugs]
    unread = {session: count for one in watched for session, count in one.unread.items()}
    rows = [row for one in watched for row in one.rows]
    titles = {one.exam.pk: one.exam.title for one in watched} if len(watched) > 1 else {}
    waiting = [entry for one in watched for entry in one.waiting]
    stream = sorted((entry for one in watched for entry in one.stream), key=lambda entry: entry.pk, reverse=True)
    cards = grid.cards(grid.newest_of_each(rows), waiting, unread, titles)
    drawn = cards[:DRAWN]
    exams = [
        {"exam": exam_payload(queries.get_exam(one.exam)), "workspace": one.actor.workspace_slug, "live": one.live}
        for one in watched
    ]
    state = {
        **_who(request, user, watched[0].actor),
        "exams": exams,
        "sessions": [session_payload(card.row) for card in drawn],
        "is_whole": len(rows) == len(drawn),
        "waiting": [violation_payload(entry) for entry in waiting],
        "stream": [violation_payload(entry) for entry in stream[:STREAM]],
        "unread": {str(session): count for session, count in unread.items()},
    }
    context = {
        "state": state,
        "exam": exams[0]["exam"] if len(exams) == 1 else None,
        "title": " · ".join(one.exam.title for one in watched),
        "flagged": [card for card in drawn if card.rank],
        "rest": [card for card in drawn if not card.rank],
        "tally": grid.tallied(cards),
        "groups": sorted({card.row.group for card in cards if card.row.group}),
        **_words(),
    }
    return render(request, "proctor/dashboard.html", context)


def _watched(user: User, slug: str) -> _Watched:
    actor, found = _tutored(user, slug)
    live = queries.live_of(topics.exam(found.slug))
    page = queries.list_sessions(found, SessionFilter(), cursor=None, limit=MOST_SESSIONS)
    narrow = {"review": Review.NOT_REVIEWED, "severity": grid.FLAGGING, "merged": True}
    log = queries.violations_of_exam(found)
    return _Watched(
        actor=actor,
        exam=found,
        live=live,
        rows=page.rows,
        waiting=list(queries.narrowed(log, narrow).order_by("-pk")[:MOST_ENTRIES]),
        # The page tells of lines by the sessions' own moves
        stream=list(queries.narrowed(log, {"merged": True}).exclude(type__in=LINES).order_by("-pk")[:STREAM]),
        unread=unread_of_exam(found),
    )


def _tutored(user: User, slug: str) -> tuple[Member, Exam]:
    workspace_id = Exam.objects.filter(slug=slug.lower()).values_list("workspace_id", flat=True).first()
    if workspace_id is None:
        raise NotFound
    actor = member_of(user.pk, workspace_id)
    found = access.exam_for(actor, slug)
    features.check(workspace_id, Feature.PROCTORING)
    return actor, found


def _who(request: HttpRequest, user: User, actor: Member) -> dict[str, Any]:
    return {
        "me": {**_me(user), "expires_at": request.identity.expires_at},  # type: ignore[attr-defined]
        "workspace": {
            "slug": actor.workspace_slug,
            "name": Workspace.objects.values_list("name", flat=True).get(pk=actor.workspace_id),
            "role": actor.role,
            "can": actor.can,
        },
    }


def _me(user: User) -> dict[str, Any]:
    return {"id": user.pk, "name": user.display_name, "email": user.email}


def _words() -> dict[str, Any]:
    return {
        "violation_words": list(words.VIOLATIONS.items()),
        "state_words": list(words.STATES.items()),
        "severity_words": [(severity.value, severity.label) for severity in Severity],
        "review_words": [(review.value, review.label) for review in Review],
    }


# --- The student's page -------------------------------------------------------------------------------------


@never_cache
@require_safe
@signed_in
@in_readers_language
def sitting(request: HttpRequest, exam: str) -> HttpResponse:
    user = user_of(request)
    enrolment = access.enrolment_for(Student(user_id=user.pk), exam)
    found = queries.get_exam(enrolment.exam)
    latest = ExamSession.objects.filter(enrolment=enrolment).order_by("-attempt").first()
    goes_on = latest is not None and latest.status in LIVE
    if not goes_on:
        features.check(enrolment.workspace_id, Feature.PROCTORING)
    most = enrolment.attempts or found.attempts
    state: dict[str, Any] = {
        "me": {**_me(user), "expires_at": request.identity.expires_at},  # type: ignore[attr-defined]
        "exam": _for_student(found, enrolment),
        "now": timezone.now(),
        "resume": goes_on,
        "latest": {"status": latest.status, "attempt": latest.attempt} if latest else None,
    }
    context = {
        "state": state,
        "exam": found,
        "student_name": enrolment.name or user.display_name,
        "tutors": [row.user.display_name for row in found.tutors.all()],
        "minutes": (found.duration_seconds + enrolment.extra_seconds) // 60 if found.duration_seconds else None,
        "rules": _rules(found),
        "questions": range(1, (found.question_count or 10) + 1),
        "is_last": latest is not None and latest.attempt >= most and not goes_on,
        "is_over": not goes_on and _is_over(state["exam"]["begins_until"]),
        **_words(),
    }
    return render(request, "exam/exam.html", context)


def _for_student(exam: Exam, enrolment: Enrolment) -> dict[str, Any]:
    return {
        "slug": exam.slug,
        "title": exam.title,
        "question_count": exam.question_count or 10,
        "policy_version": exam.policy_version,
        "is_chat_open": exam.is_chat_open,
        "unwatched": [rule.type for rule in exam.rules.all() if not rule.is_counted],
        "begins_until": _begins_until(exam, enrolment),
    }


def _begins_until(exam: Exam, enrolment: Enrolment) -> datetime | None:
    if exam.closed_at is not None or exam.ends_at is None:
        return exam.closed_at
    return exam.ends_at + timedelta(seconds=enrolment.extra_seconds)


def _is_over(until: datetime | None) -> bool:
    return until is not None and until <= timezone.now()


def _rules(exam: Exam) -> list[dict[str, Any]]:
    """What is noticed and how it weighs, so that nobody learns of a rule by breaking it."""
    own = {rule.type: rule for rule in exam.rules.all()}
    lines = []
    for type_ in dict.fromkeys([*WATCHED, *own]):
        rule = own.get(type_)
        severity = Severity((rule.severity if rule else "") or VOCABULARY.get(type_, Severity.LOW))
        if rule is not None and not rule.is_counted:
            severity = Severity.INFO
        acts = rule is not None and rule.action != AutoAction.NONE
        lines.append(
            {
                "word": words.VIOLATIONS.get(type_, type_),
                "severity": severity.value,
                "severity_word": severity.label,
                "action": rule.action if rule and acts else "",
                "threshold": rule.threshold if rule and acts else 0,
            }
        )
    return sorted(lines, key=lambda line: -list(Severity.values).index(line["severity"]))
