"""Exams as people or the exam system set them up: upserted by slug, with their rules, tutors and students."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from config.errors import Invalid, NotFound, Said
from config.live.identity import publish_access_change
from config.live.unit import unit_of_work
from crm.access import check
from crm.actors import Actor, Member
from crm.models import Member as Membership
from crm.models import User
from crm.roles import Action
from crm.services import audit
from crm.services.roles import subject
from proctoring import access
from proctoring.errors import SlugTaken
from proctoring.events import announce_exam
from proctoring.guests import subject_of as guest_subject
from proctoring.models import Enrolment, Exam, ExamRule, ExamTutor
from proctoring.queries.exams import get_exam
from proctoring.states import VOCABULARY

# What an upsert may set; what it does not name stays as it is.
FIELDS = frozenset(
    {
        "title",
        "supabase_id",
        "starts_at",
        "ends_at",
        "duration_seconds",
        "question_count",
        "attempts",
        "requires_consent",
        "requires_guardian",
        "policy_version",
        "keep_violations_days",
        "keep_network_days",
        "keep_chat_days",
        "keep_sessions_days",
        "is_chat_open",
        "merge_seconds",
        "summary_url",
        "reminder_minutes",
    }
)
MOST_ENROLLED_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Enrolled:
    """One student as an exam system names them: a user's id or e-mail, or its own word."""

    user: UUID | None = None
    email: str = ""
    external_id: str = ""
    name: str = ""
    group: str = ""
    extra_seconds: int = 0
    attempts: int | None = None


@dataclass(frozen=True, slots=True)
class ExamChange:
    slug: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    rules: Sequence[Mapping[str, Any]] | None = None
    tutors: Sequence[UUID] | None = None  # added; taking one away is a step of its own
    students: Sequence[Enrolled] | None = None  # added or changed, none taken away
    secret: str | None = None  # becomes the newest; the one before it stays good


@unit_of_work
def upsert_exam(*, actor: Actor, change: ExamChange) -> tuple[Exam, bool]:
    """The exam, and whether this call made it. A member who makes one is its first tutor."""
    slug = change.slug.lower()
    exam = _known(actor, slug)
    created = exam is None
    if exam is None:
        exam = _create(actor, slug, change)
        _audit(actor, exam, "exam.created", sorted(change.fields))
    else:
        if changed := _set(exam, change.fields):
            _audit(actor, exam, "exam.changed", changed)
    _set_secret(actor, exam, change.secret)
    if change.rules is not None:
        _set_rules(exam, change.rules)
    for user_id in change.tutors or ():
        _add_tutor(actor, exam, user_id)
    if change.students:
        _enrol(exam, change.students)
    exam = get_exam(exam)
    announce_exam(exam)
    return exam, created


def _known(actor: Actor, slug: str) -> Exam | None:
    """Outside names are nobody's secret: that one is taken may be told to whoever may make exams."""
    check(actor, Action.MANAGE_EXAMS)
    found = Exam.objects.select_for_update(of=("self",), no_key=True).filter(slug=slug).first()
    if found is not None and found.workspace_id != actor.workspace_id:
        raise SlugTaken
    return found


def _audit(actor: Actor, exam: Exam, action: str, what: Sequence[str] | UUID) -> None:
    detail = {"user": str(what)} if isinstance(what, UUID) else {"fields": list(what)}
    audit.record(actor=actor, action=action, target_kind="exam", target_id=exam.pk, detail=detail)


def _set_secret(actor: Actor, exam: Exam, secret: str | None) -> None:
    if secret is None:
        return
    exam.secrets = {"signing": list(dict.fromkeys([secret, *exam.secrets.get("signing", [])]))[:2]}
    exam.save(update_fields=["secrets", "updated_at"])
    _audit(actor, exam, "exam.secret_changed", ["secret"])


def _create(actor: Actor, slug: str, change: ExamChange) -> Exam:
    creator = actor.user_id if isinstance(actor, Member) else None
    values = {name: value for name, value in change.fields.items() if name in FIELDS}
    if not values.get("title"):
        raise Invalid(errors={"title": "An exam needs a title."})
    _check_times(Exam(**values))
    try:
        with transaction.atomic():
            exam = Exam.objects.create(workspace_id=actor.workspace_id, slug=slug, created_by_id=creator, **values)
    except IntegrityError:
        raise SlugTaken from None
    if creator is not None:
        ExamTutor.objects.create(workspace_id=exam.workspace_id, exam=exam, user_id=creator, added_by_id=creator)
        publish_access_change(subject(creator))
    return exam


def _set(exam: Exam, fields: Mapping[str, Any]) -> list[str]:
    changed = [name for name, value in fields.items() if name in FIELDS and getattr(exam, name) != value]
    for name in changed:
        setattr(exam, name, fields[name])
    _check_times(exam)
    if changed:
        try:
            with transaction.atomic():
                exam.save(update_fields=[*changed, "updated_at"])
        except IntegrityError:
            raise SlugTaken("Another exam has this supabase_id.") from None
    return changed


def _check_times(exam: Exam) -> None:
    if exam.starts_at and exam.ends_at and exam.ends_at <= exam.starts_at:
        raise Invalid(errors={"ends_at": "An exam ends after it starts."})


def _set_rules(exam: Exam, rules: Sequence[Mapping[str, Any]]) -> None:
    """All of them: what is not named is as usual again."""
    wrong = [rule["type"] for rule in rules if rule["type"] not in VOCABULARY]
    if wrong:
        raise Invalid(
            errors={"rules": Said("There is no such type of violation: {types}.", types=", ".join(sorted(wrong)[:5]))}
        )
    if len({rule["type"] for rule in rules}) != len(rules):
        raise Invalid(errors={"rules": "A type is named twice."})
    ExamRule.objects.filter(exam=exam).delete()
    ExamRule.objects.bulk_create([ExamRule(workspace_id=exam.workspace_id, exam=exam, **rule) for rule in rules])


@unit_of_work
def close_exam(*, actor: Actor, slug: str) -> Exam:
    """Nobody starts or goes on any more; who is at it is handed in by hand or runs out."""
    exam = access.any_exam_for(actor, slug, for_update=True)
    if exam.closed_at is not None:
        return get_exam(exam)
    exam.closed_at = timezone.now()
    exam.save(update_fields=["closed_at", "updated_at"])
    _audit(actor, exam, "exam.closed", ["closed_at"])
    exam = get_exam(exam)
    announce_exam(exam)
    return exam


# --- Tutors -------------------------------------------------------------------------------------------------


@unit_of_work
def add_tutor(*, actor: Actor, slug: str, user_id: UUID) -> Exam:
    """By whoever manages exams, who may so add themselves: it stands in the audit log."""
    exam = access.managed_exam_for(actor, slug, for_update=True)
    _add_tutor(actor, exam, user_id)
    exam = get_exam(exam)
    announce_exam(exam)
    return exam


def _add_tutor(actor: Actor, exam: Exam, user_id: UUID) -> None:
    members = Membership.objects.filter(workspace_id=exam.workspace_id, user_id=user_id, user__deactivated_at=None)
    if not members.exists():
        raise Invalid(errors={"tutors": "Not a member of this workspace."})
    adder = actor.user_id if isinstance(actor, Member) else None
    row, created = ExamTutor.objects.select_for_update(of=("self",), no_key=True).get_or_create(
        exam=exam, user_id=user_id, defaults={"workspace_id": exam.workspace_id, "added_by_id": adder}
    )
    if not created and row.expires_at is not None:
        row.expires_at = None
        row.save(update_fields=["expires_at"])
    if created:
        _audit(actor, exam, "exam.tutor_added", user_id)
    publish_access_change(subject(user_id))


@unit_of_work
def remove_tutor(*, actor: Actor, slug: str, user_id: UUID) -> Exam:
    exam = access.managed_exam_for(actor, slug, for_update=True)
    if ExamTutor.objects.filter(exam=exam, user_id=user_id).delete()[0]:
        _audit(actor, exam, "exam.tutor_removed", user_id)
    publish_access_change(subject(user_id))
    exam = get_exam(exam)
    announce_exam(exam)
    return exam


# --- Students -----------------------------------------------------------------------------------------------


@unit_of_work
def enrol(*, actor: Actor, slug: str, students: Sequence[Enrolled]) -> list[Enrolment]:
    return _enrol(access.managed_exam_for(actor, slug), students)


def _enrol(exam: Exam, students: Sequence[Enrolled]) -> list[Enrolment]:
    if len(students) > MOST_ENROLLED_AT_ONCE:
        raise Invalid(errors={"students": Said("At most {most} at once.", most=MOST_ENROLLED_AT_ONCE)})
    users = _users(students)
    return [_enrol_one(exam, student, users) for student in students]


def _users(students: Sequence[Enrolled]) -> dict[str, User]:
    """By id and by e-mail. An e-mail that two have names nobody."""
    ids = [student.user for student in students if student.user]
    emails = [student.email.lower() for student in students if student.email]
    found: dict[str, User] = {}
    doubled: set[str] = set()
    for user in User.objects.filter(Q(pk__in=ids) | Q(email__in=emails), deactivated_at=None):
        found[str(user.pk)] = user
        doubled |= {user.email} & found.keys()
        found[user.email] = user
    return {key: user for key, user in found.items() if key not in doubled}


def _enrol_one(exam: Exam, student: Enrolled, users: Mapping[str, User]) -> Enrolment:
    user = users.get(str(student.user)) if student.user else users.get(student.email.lower())
    if user is None and not student.external_id:
        if whom := student.email or student.user:
            raise Invalid(errors={"students": Said("Nobody here is {whom}: give an external_id otherwise.", whom=whom)})
        raise Invalid(errors={"students": "Name a user that exists by id or e-mail, or give an external_id."})
    keys: dict[str, Any] = {"user": user} if user else {"external_id": student.external_id}
    values: dict[str, Any] = {
        "name": student.name,
        "group": student.group,
        "extra_seconds": student.extra_seconds,
        "attempts": student.attempts,
        "revoked_at": None,
    }
    enrolment, created = Enrolment.objects.select_for_update(of=("self",), no_key=True).get_or_create(
        exam=exam, **keys, defaults={"workspace_id": exam.workspace_id, **values}
    )
    if not created:
        for name, value in values.items():
            setattr(enrolment, name, value)
        enrolment.save(update_fields=list(values))
    if user is not None:
        publish_access_change(subject(user.pk))
    return enrolment


@unit_of_work
def withdraw(*, actor: Actor, slug: str, enrolment_id: UUID) -> None:
    """The student sees the exam no more; what was kept of them stays until it is erased."""
    exam = access.managed_exam_for(actor, slug)
    enrolment = Enrolment.objects.select_for_update(no_key=True).filter(exam=exam, pk=enrolment_id).first()
    if enrolment is None:
        raise NotFound
    enrolment.revoked_at = enrolment.revoked_at or timezone.now()
    enrolment.save(update_fields=["revoked_at"])
    external = guest_subject(exam.pk, enrolment.external_id)
    publish_access_change(subject(enrolment.user_id) if enrolment.user_id is not None else external)
