"""What a client reports: taken in batches, each item once, however often and late it comes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import orjson
from django.utils import timezone

from config.errors import NotFound
from config.live.unit import unit_of_work
from proctoring import access, rows
from proctoring.events import announce_session, announce_violation
from proctoring.models import ExamRule, ExamSession, SessionPulse, Violation
from proctoring.people import Student
from proctoring.services import own_log
from proctoring.services.automatic import act_on
from proctoring.services.consent import withdrawals_of
from proctoring.services.summaries import make_summary
from proctoring.states import (
    ALIASES,
    LIVE,
    LONG_ABSENCE_MS,
    OURS,
    RANK,
    VOCABULARY,
    Severity,
    Source,
)

BATCH = 100
MOST_KEPT = 2_000  # of one session: nobody reads on from there, and tutors hear of each
DETAIL_BYTES = 4_000
# A clock may be wrong by hours, but not by more than this
FURTHEST = timedelta(days=1)
# What came before the sitting, or after it, is not the sitting's
MARGIN = timedelta(minutes=2)


class Outcome(StrEnum):
    STORED = "stored"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Reported:
    """One item whose form was right."""

    client_id: UUID
    type: str
    occurred_at: datetime
    seq: int | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    outcome: Outcome
    client_id: str = ""
    violation: Violation | None = None
    code: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An item that could not be read at all, in its place in the batch."""

    client_id: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Logged:
    answers: list[Answer]
    gaps: list[int]  # numbers that never came, of those up to the newest
    last_seq: int


MOST_GAPS = 100


@unit_of_work
def log_violations(
    *, student: Student, session_id: UUID, items: Sequence[Reported | Refusal], sent_at: datetime | None = None
) -> Logged:
    """An answer for each item, in order. `sent_at`: the client's clock at sending, which tells how wrong it is."""
    session = access.own_session(student, session_id, for_update=True)
    intake = _Intake(session, sent_at, [item for item in items if isinstance(item, Reported)])
    answers = [intake.take(item) for item in items]
    new = [answer.violation for answer in answers if answer.violation and answer.outcome is Outcome.STORED]
    if new:
        intake.write(new)
        if session.status not in LIVE:  # reported late: the summary says so
            make_summary(session)
        else:
            act_on(session, new, intake.rules)
        announce_session(rows.one(session.pk))
    return Logged(answers, _gaps(session), max(session.last_violation_seq, intake.last_seq))


def _gaps(session: ExamSession) -> list[int]:
    """Holes in the client's counting: something was noticed and has not arrived."""
    numbers = Violation.objects.filter(session=session, seq__gt=0).values_list("seq", flat=True)
    seen = sorted({number for number in numbers if number is not None})
    missing: list[int] = []
    for before, after in zip([0, *seen], seen, strict=False):
        missing += range(before + 1, min(after, before + 1 + MOST_GAPS))
    return missing[:MOST_GAPS]


class _Intake:
    """One batch for one locked session."""

    def __init__(self, session: ExamSession, sent_at: datetime | None, items: Sequence[Reported]) -> None:
        self.session = session
        self.now = timezone.now()
        self.sent_at = sent_at
        self.skew = sent_at - self.now if sent_at else None
        self.rules = {rule.type: rule for rule in ExamRule.objects.filter(exam_id=session.exam_id)}
        log = Violation.objects.select_related("session", "reviewed_by").filter(session=session)
        self.withdrawals = withdrawals_of(session)
        self.known: dict[UUID, Violation] = {
            row.client_id: row for row in log.filter(client_id__in=[item.client_id for item in items])
        }
        self.room = MOST_KEPT - log.count()
        self.new: set[UUID] = set()
        types = {ALIASES.get(item.type, item.type) for item in items}
        newest = log.filter(type__in=types, merged_into=None).order_by("type", "-last_at").distinct("type")
        self.heads: dict[str, Violation] = {row.type: row for row in newest}
        self.last_seq = 0
        self.touched: dict[UUID, Violation] = {}

    def take(self, item: Reported | Refusal) -> Answer:
        if isinstance(item, Refusal):
            return Answer(Outcome.REJECTED, item.client_id, code=item.code, message=item.message)
        if item.client_id in self.known:
            return self._again(item, self.known[item.client_id])
        refusal = self._refusal(item)
        if refusal is not None:
            return Answer(Outcome.REJECTED, str(item.client_id), code=refusal[0], message=refusal[1])
        violation = self._make(item)
        self.known[item.client_id] = violation
        self.new.add(violation.pk)
        self.last_seq = max(self.last_seq, item.seq or 0)
        return Answer(Outcome.STORED, str(item.client_id), violation)

    def _again(self, item: Reported, known: Violation) -> Answer:
        if known.type != ALIASES.get(item.type, item.type):
            return Answer(
                Outcome.REJECTED,
                str(item.client_id),
                code="client_id_reused",
                message="This client_id was used for something else.",
            )
        return Answer(Outcome.DUPLICATE, str(item.client_id), known)

    def _refusal(self, item: Reported) -> tuple[str, str] | None:
        type_ = ALIASES.get(item.type, item.type)
        if type_ not in VOCABULARY or type_ in OURS:
            return "unknown_type", "There is no such type of violation."
        if len(self.new) >= self.room:
            return "log_full", f"The log of a session has room for {MOST_KEPT} entries."
        if self.session.evidence_removed_at is not None:
            return "evidence_removed", "What was noticed in this session is past its days."
        if len(orjson.dumps(item.detail, default=str)) > DETAIL_BYTES:
            return "detail_too_long", f"The detail takes {DETAIL_BYTES} bytes at most."
        age, unsure = self._age(item), timedelta() if self.sent_at else FURTHEST
        if age < -FURTHEST:
            return "from_the_future", "That is more than a day ahead."
        if age > self.now - self.session.started_at + MARGIN + unsure:
            return "before_the_session", "That was before the session began."
        corrected = self._corrected(item)
        if self.session.ended_at is not None and corrected > self.session.ended_at + MARGIN:
            return "after_the_end", "The session had ended by then."
        if any(one.since <= corrected and (one.until is None or corrected < one.until) for one in self.withdrawals):
            return "consent_withdrawn", "The student had withdrawn their consent by then."
        return None

    def _age(self, item: Reported) -> timedelta:
        """By the client's own clock where it says what that showed at sending, else by ours: a length, for a time
        that is shifted by a clock of another century is none."""
        return (self.sent_at or self.now) - item.occurred_at

    def _corrected(self, item: Reported) -> datetime:
        """On our clock. Without the client's word on its own, what lies ahead of us tells how far it is ahead."""
        return self.now - max(self._age(item), timedelta())

    def _make(self, item: Reported) -> Violation:
        type_ = ALIASES.get(item.type, item.type)
        corrected = self._corrected(item)
        skew = item.occurred_at - corrected
        violation = Violation(
            workspace_id=self.session.workspace_id,
            session=self.session,
            client_id=item.client_id,
            seq=item.seq,
            type=type_,
            severity=severity_of(type_, item.detail, self.rules.get(type_)),
            source=Source.CLIENT,
            occurred_at=item.occurred_at,
            corrected_at=corrected,
            received_at=self.now,
            skew_ms=round(skew.total_seconds() * 1000),
            last_at=corrected,
            detail=dict(item.detail),
        )
        self._merge(violation)
        return violation

    def _merge(self, violation: Violation) -> None:
        """Into the burst it continues: the same type within the exam's seconds."""
        head = self.heads.get(violation.type)
        near = timedelta(seconds=self.session.exam.merge_seconds)
        if head is None or not head.corrected_at - near <= violation.corrected_at <= head.last_at + near:
            self.heads[violation.type] = violation
            return
        violation.merged_into = head
        head.merged_count += 1
        head.last_at = max(head.last_at, violation.corrected_at)
        self.touched[head.pk] = head

    def write(self, new: list[Violation]) -> None:
        session, slug = self.session, self.session.exam.slug
        Violation.objects.bulk_create(sorted(new, key=lambda row: row.merged_into_id is not None))
        older = [head for head in self.touched.values() if head.pk not in self.new]
        if older:
            Violation.objects.bulk_update(older, ["merged_count", "last_at"])
        own_log.count(session, [Severity(row.severity) for row in new])
        if self.last_seq > session.last_violation_seq:
            ExamSession.objects.filter(pk=session.pk).update(last_violation_seq=self.last_seq)
        if self.skew is not None:
            SessionPulse.objects.filter(pk=session.pk).update(skew_ms=round(self.skew.total_seconds() * 1000))
        for row in new:
            announce_violation(row, slug, created=True)
        for row in older:
            announce_violation(row, slug)


def severity_of(type_: str, detail: Mapping[str, Any], rule: ExamRule | None) -> Severity:
    """As the exam's rule says, else as usual; being away for long weighs more than a glance."""
    if rule is not None and not rule.is_counted:
        return Severity.INFO
    if rule is not None and rule.severity:
        return Severity(rule.severity)
    usual = VOCABULARY[type_]
    duration = detail.get("duration_ms")
    is_long = isinstance(duration, int | float) and duration > LONG_ABSENCE_MS
    if type_ == "focus_loss" and is_long and RANK[usual] < RANK[Severity.MEDIUM]:
        return Severity.MEDIUM
    return usual


@unit_of_work
def explain(*, student: Student, session_id: UUID, violation_id: UUID, explanation: str) -> Violation:
    """The student's own words on an entry of their log; the newest stand."""
    session = access.own_session(student, session_id)
    violation = (
        Violation.objects.select_for_update(of=("self",), no_key=True)
        .select_related("session", "reviewed_by")
        .filter(session=session, pk=violation_id)
        .first()
    )
    if violation is None:
        raise NotFound
    violation.explanation = explanation
    violation.explained_at = timezone.now()
    violation.save(update_fields=["explanation", "explained_at"])
    announce_violation(violation, session.exam.slug)
    return violation
