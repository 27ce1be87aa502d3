"""The one statement that writes a batch of beats, and what becomes of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from config.arrays import array
from config.errors import DomainError, Invalid, NotFound
from proctoring.beats.beat import Beat
from proctoring.errors import OutOfOrder, SessionEnded, TooEarly
from proctoring.liveness import DEADLINE, LEAST_SECONDS

TRAIL = 90  # beats kept for the plot: a quarter of an hour

# Pulses are locked in one order in every process. `held` is what stood there under the lock; a session that is not the
# student's own is not in `known` at all. An enrolment taken away or a user deactivated counts from the same moment.
# Whether there is such a user is joined: asked as `exists`, a few thousand users are all read, with every batch.
# Without consent a beat says that its student is there and how far, and nothing of what they do.
WRITE = f"""
with given as (
    select * from unnest(
        %(places)s::int[], %(sessions)s::uuid[], %(users)s::uuid[], %(browsers)s::uuid[], %(exams)s::uuid[],
        %(externals)s::text[], %(questions)s::int[], %(answered)s::int[], %(hidden)s::bool[], %(delays)s::int[],
        %(idles)s::int[], %(rtts)s::int[], %(networks)s::text[], %(skews)s::bigint[], %(seqs)s::bigint[],
        %(devices)s::text[]
    ) as given (
        place, session_id, user_id, browser_id, exam_id, external_id, question, answered, hidden, delay, idle, rtt,
        network, skew, seq, device
    )
), held as (
    select p.* from proctoring_sessionpulse p where p.session_id = any(%(sessions)s::uuid[])
    order by p.session_id for no key update
), known as (
    select g.place, g.session_id, g.question, g.answered, g.seq,
        c.is_captured, c.is_captured and g.hidden as hidden, case when c.is_captured then g.delay else 0 end as delay,
        case when c.is_captured then g.idle else 0 end as idle, case when c.is_captured then g.rtt end as rtt,
        case when c.is_captured then g.network end as network, case when c.is_captured then g.skew end as skew,
        case when c.is_captured then g.device else '' end as device,
        h.is_live, h.last_heartbeat, h.seen_at, h.lost_at, h.current_question, h.answered_count, h.client_seq,
        h.device as device_before, h.is_hidden, h.has_commands, s.status, e.slug, e.question_count,
        h.last_heartbeat > now() - interval '{LEAST_SECONDS} s' as is_early,
        h.client_seq > 0 and g.seq > 0 and g.seq <= h.client_seq and g.device in ('', h.device) as is_old,
        coalesce(greatest(g.question, g.answered) > e.question_count, false) as is_beyond,
        extract(epoch from h.last_heartbeat + interval '{LEAST_SECONDS} s' - now()) as wait
    from given g
    join held h on h.session_id = g.session_id
    join proctoring_examsession s on s.id = g.session_id
    cross join lateral (select s.consent_withdrawn_at is null as is_captured) c
    join proctoring_enrolment n on n.id = s.enrolment_id and n.revoked_at is null
    join proctoring_exam e on e.id = s.exam_id
    left join crm_user u on u.id = g.user_id and u.deactivated_at is null
    left join crm_browsersession b on b.id = g.browser_id and b.user_id = g.user_id
    where case when g.user_id is null
        then n.user_id is null and n.exam_id = g.exam_id and n.external_id = g.external_id and n.external_id <> ''
        else n.user_id = g.user_id and u.id is not null and (g.browser_id is null or b.id is not null) end
), beaten as (
    update proctoring_sessionpulse p set
        seen_at = now(), last_heartbeat = now(), beats = p.beats + 1,
        current_question = coalesce(k.question, p.current_question),
        answered_count = coalesce(k.answered, p.answered_count),
        is_hidden = k.hidden, timer_delay_ms = k.delay, idle_ms = k.idle, rtt_ms = coalesce(k.rtt, p.rtt_ms),
        network = coalesce(k.network, p.network), skew_ms = coalesce(k.skew, p.skew_ms),
        client_seq = case when k.seq > 0 then k.seq else p.client_seq end,
        device = case when k.device = '' then p.device else k.device end,
        trail_at = case when k.is_captured
            then (p.trail_at || extract(epoch from now())::int)[greatest(1, cardinality(p.trail_at) + 2 - {TRAIL}):]
            else p.trail_at end,
        trail_rtt = case when k.is_captured
            then (p.trail_rtt || coalesce(k.rtt, -1))[greatest(1, cardinality(p.trail_rtt) + 2 - {TRAIL}):]
            else p.trail_rtt end
    from known k
    where p.session_id = k.session_id and p.is_live and k.is_early is not true and not k.is_old and not k.is_beyond
    returning p.session_id, p.is_hidden
)
select k.place, k.slug, k.status, k.is_live,
    coalesce(k.is_early, false), k.is_old, k.is_beyond, coalesce(ceil(k.wait), 0)::int, k.client_seq, k.question_count,
    b.session_id is not null, k.has_commands, k.lost_at is not null,
    (k.question is not null and k.question is distinct from k.current_question)
        or (k.answered is not null and k.answered <> k.answered_count) or k.lost_at is not null
        or k.hidden <> k.is_hidden,
    k.device <> '' and k.device_before <> '' and k.device <> k.device_before
        and k.seen_at > now() - interval '20 s',
    k.device_before, {DEADLINE}, now()
from known k
left join beaten b on b.session_id = k.session_id
join proctoring_examsession s on s.id = k.session_id
join proctoring_exam e on e.id = s.exam_id
join proctoring_enrolment n on n.id = s.enrolment_id
"""  # noqa: S608  # constants of the code


@dataclass(frozen=True, slots=True)
class Written:
    """What the statement says of one beat."""

    place: int
    exam: str
    status: str
    is_live: bool
    is_early: bool
    is_old: bool
    is_beyond: bool
    wait: int
    client_seq: int
    question_count: int | None
    is_done: bool
    has_commands: bool
    was_lost: bool
    is_news: bool
    is_other_device: bool
    device_before: str
    ends_at: datetime | None
    now: datetime


def parameters(beats: Sequence[Beat]) -> dict[str, Any]:
    """Of one session there is one beat at most in a batch."""
    placed = sorted(enumerate(beats), key=lambda one: one[1].session_id)
    return {
        "places": array(place for place, _ in placed),
        "sessions": array(beat.session_id for _, beat in placed),
        "users": array(beat.student.user_id for _, beat in placed),
        "browsers": array(beat.student.browser_session for _, beat in placed),
        "exams": array(beat.student.exam_id for _, beat in placed),
        "externals": array(beat.student.external_id for _, beat in placed),
        "questions": array(beat.current_question for _, beat in placed),
        "answered": array(beat.answered_count for _, beat in placed),
        "hidden": array(beat.is_hidden for _, beat in placed),
        "delays": array(beat.timer_delay_ms for _, beat in placed),
        "idles": array(beat.idle_ms for _, beat in placed),
        "rtts": array(beat.rtt_ms for _, beat in placed),
        "networks": array(beat.network for _, beat in placed),
        "skews": array(beat.skew_ms for _, beat in placed),
        "seqs": array(beat.client_seq for _, beat in placed),
        "devices": array(beat.device for _, beat in placed),
    }


def refusal(beat: Beat, written: Written | None) -> DomainError | None:
    """Why a beat changed nothing."""
    if written is None:
        return NotFound()
    if written.is_done:
        return None
    if not written.is_live:
        return SessionEnded(session_status=written.status)
    if written.is_early:
        return TooEarly(retry_after=max(1, written.wait))
    if written.is_old:
        return OutOfOrder(client_seq=written.client_seq)
    if written.is_beyond:
        return _beyond(beat, written.question_count or 0)
    return SessionEnded(session_status=written.status)  # it ended while the beat waited for it


def _beyond(beat: Beat, questions: int) -> Invalid:
    given = {"current_question": beat.current_question, "answered_count": beat.answered_count}
    return Invalid(
        errors={name: f"The exam has {questions} questions." for name, n in given.items() if (n or 0) > questions}
    )


def sessions_with_news(beats: Sequence[Beat], found: Sequence[Written]) -> list[UUID]:
    """Whose question, count or state changed: that is told with a number."""
    return sorted(beats[one.place].session_id for one in found if one.is_done and one.is_news)
