"""The one statement that writes a batch of beats, and what becomes of each."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from config.arrays import array
from config.errors import DomainError, Invalid, NotFound
from crm.identity.people import PROVIDER
from proctoring.beats.beat import Beat
from proctoring.errors import OutOfOrder, SessionEnded, TooEarly
from proctoring.liveness import DEADLINE, LEAST_SECONDS

TRAIL = 90  # beats kept for the plot: a quarter of an hour

# Pulses are locked in one order in every process. `held` is what stood there under the lock; a session that is not the
# student's own is not in `known` at all. An enrolment taken away or a user deactivated counts from the same moment.
# Whether there is such a user is joined: asked as `exists`, a few thousand users are all read, with every batch.
# Without consent a beat says that its student is there and how far, and nothing of what they do.
_WRITE = f"""
with given as (
    select * from unnest(
        %(sessions)s::uuid[], %(users)s::uuid[], %(subjects)s::text[], %(browsers)s::uuid[],
        %(exams)s::uuid[], %(externals)s::text[], %(questions)s::int[], %(answered)s::int[], %(hidden)s::bool[],
        %(delays)s::int[], %(idles)s::int[], %(rtts)s::int[], %(networks)s::text[], %(skews)s::bigint[],
        %(seqs)s::bigint[], %(devices)s::text[]
    ) with ordinality as given (
        session_id, user_id, subject, browser_id, exam_id, external_id, question, answered, hidden, delay, idle, rtt,
        network, skew, seq, device, place
    )
), held as (
    select * from proctoring_sessionpulse where session_id = any(%(sessions)s::uuid[])
    order by session_id for no key update
), known as (
    select g.place, g.session_id, g.question, g.answered, g.seq,
        c.hidden is not null as is_captured, coalesce(c.hidden, false) as hidden, coalesce(c.delay, 0) as delay,
        coalesce(c.idle, 0) as idle, c.rtt, c.network, c.skew, coalesce(c.device, '') as device,
        h.is_live, h.last_heartbeat, h.seen_at, h.lost_at, h.current_question, h.answered_count, h.client_seq,
        u.id as user_id, h.device as device_before, h.is_hidden, h.has_commands, s.status, e.slug, e.question_count,
        h.last_heartbeat > now() - interval '{LEAST_SECONDS} s' as is_early,
        h.client_seq > 0 and g.seq > 0 and g.seq <= h.client_seq and g.device in ('', h.device) as is_old,
        coalesce(greatest(g.question, g.answered) > e.question_count, false) as is_beyond,
        {DEADLINE} as ends_at,
        extract(epoch from h.last_heartbeat + interval '{LEAST_SECONDS} s' - now()) as wait
    from given g
    join held h on h.session_id = g.session_id
    join proctoring_examsession s on s.id = g.session_id
    left join lateral (select g.* where s.consent_withdrawn_at is null) c on true
    join proctoring_enrolment n on n.id = s.enrolment_id and n.revoked_at is null
    join proctoring_exam e on e.id = s.exam_id
    left join crm_useridentity i on i.provider = '{PROVIDER}' and i.subject = g.subject
    left join crm_user u on u.id = coalesce(i.user_id, g.user_id) and u.deactivated_at is null
    left join crm_browsersession b on b.id = g.browser_id and b.user_id = u.id
    where case when g.user_id is null and g.subject = ''
        then n.user_id is null and n.exam_id = g.exam_id and n.external_id = g.external_id and n.external_id <> ''
        else n.user_id = u.id and (g.browser_id is null or b.id is not null) end
), beaten as (
    update proctoring_sessionpulse p set
        seen_at = now(), last_heartbeat = now(), beats = p.beats + 1,
        current_question = coalesce(k.question, p.current_question),
        answered_count = coalesce(k.answered, p.answered_count),
        is_hidden = k.hidden, timer_delay_ms = k.delay, idle_ms = k.idle, rtt_ms = coalesce(k.rtt, p.rtt_ms),
        network = coalesce(k.network, p.network), skew_ms = coalesce(k.skew, p.skew_ms),
        client_seq = coalesce(nullif(k.seq, 0), p.client_seq),
        device = coalesce(nullif(k.device, ''), p.device),
        trail_at = case when k.is_captured
            then (p.trail_at || extract(epoch from now())::int)[greatest(1, cardinality(p.trail_at) - {TRAIL - 2}):]
            else p.trail_at end,
        trail_rtt = case when k.is_captured
            then (p.trail_rtt || coalesce(k.rtt, -1))[greatest(1, cardinality(p.trail_rtt) - {TRAIL - 2}):]
            else p.trail_rtt end
    from known k
    where p.session_id = k.session_id and p.is_live and k.is_early is not true and not k.is_old and not k.is_beyond
    returning p.session_id
)
select k.place - 1, k.user_id, k.slug, k.status, k.is_live,
    coalesce(k.is_early, false), k.is_old, k.is_beyond, coalesce(ceil(k.wait), 0)::int, k.client_seq, k.question_count,
    b.session_id is not null, k.has_commands, k.lost_at is not null,
    (k.question is not null and k.question is distinct from k.current_question)
        or (k.answered is not null and k.answered <> k.answered_count) or k.lost_at is not null
        or k.hidden <> k.is_hidden,
    k.device <> '' and k.device_before <> '' and k.device <> k.device_before
        and k.seen_at > now() - interval '20 s',
    k.device_before, k.ends_at, now()
from known k left join beaten b on b.session_id = k.session_id
"""  # noqa: S608  # constants of the code
WRITE = " ".join(_WRITE.split())  # psycopg finds the parameters anew each time in what is longer than 4,096 characters


class Written(NamedTuple):
    """What the statement says of one beat."""

    place: int
    user_id: UUID | None
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
    return {
        "sessions": array(beat.session_id for beat in beats),
        "users": array(beat.student.user_id for beat in beats),
        "subjects": array(beat.student.subject for beat in beats),
        "browsers": array(beat.student.browser_session for beat in beats),
        "exams": array(beat.student.exam_id for beat in beats),
        "externals": array(beat.student.external_id for beat in beats),
        "questions": array(beat.current_question for beat in beats),
        "answered": array(beat.answered_count for beat in beats),
        "hidden": array(beat.is_hidden for beat in beats),
        "delays": array(beat.timer_delay_ms for beat in beats),
        "idles": array(beat.idle_ms for beat in beats),
        "rtts": array(beat.rtt_ms for beat in beats),
        "networks": array(beat.network for beat in beats),
        "skews": array(beat.skew_ms for beat in beats),
        "seqs": array(beat.client_seq for beat in beats),
        "devices": array(beat.device for beat in beats),
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
