"""When a session counts as what, by the database's clock. The one place that says so, for REST, beats and the sweep.

`s` is the session, `p` its pulse, `e` its exam, `n` its enrolment.
"""

INTERVAL_SECONDS = 10  # between beats; the server tells the client
LEAST_SECONDS = 5  # a beat sooner after the last one is refused
# Two missed beats, and a second for the road
DISCONNECTED_SECONDS = 21
# Browsers wake a hidden page's timers once a minute: its silence is no absence yet
HIDDEN_SECONDS = 75
EXPIRED_SECONDS = 120
# Clients come back within so long after an outage of ours
RECONNECT_SECONDS = 10
IDLE_MS = 120_000
THROTTLED_MS = 2_000

SILENT_SINCE = f"""greatest(
    p.seen_at, (select back_at + interval '{RECONNECT_SECONDS} s' from proctoring_servicemark where id = 1)
)"""  # noqa: S608  # constants
SILENCE = f"extract(epoch from now() - {SILENT_SINCE})"
# Nor is one whose page may no longer say whether it is in view
MAY_BE_HIDDEN = "(p.is_hidden or s.consent_withdrawn_at is not null)"
PATIENCE = f"(case when {MAY_BE_HIDDEN} then {HIDDEN_SECONDS} else {DISCONNECTED_SECONDS} end)"
IS_OFFLINE = f"({SILENCE} > {PATIENCE})"
IS_EXPIRED = f"(s.status = 'active' and {SILENCE} > {EXPIRED_SECONDS})"
STATUS = f"(case when s.status = 'active' and {IS_OFFLINE} then 'disconnected' else s.status end)"
CONNECTION = f"""(case
    when not p.is_live then 'ended'
    when {IS_OFFLINE} then 'offline'
    when p.is_hidden and p.timer_delay_ms >= {THROTTLED_MS} then 'throttled'
    when p.is_hidden then 'hidden'
    when p.idle_ms >= {IDLE_MS} then 'idle'
    else 'online' end)"""
# Without an end or a length of its own, a sitting is open until somebody closes the exam
DEADLINE = """(
    least(e.ends_at, s.started_at + e.duration_seconds * interval '1 s')
    + (n.extra_seconds + s.extra_seconds + s.paused_seconds) * interval '1 s'
    + coalesce(now() - s.paused_at, interval '0')
)"""
