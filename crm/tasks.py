"""Jobs and crons about people. Each makes one service call."""

from datetime import timedelta

from crm.identity import sessions
from crm.issuer import sessions as issuer_sessions
from jobs.crons import cron
from jobs.tasks import RunningJob, task

# A demo account that nobody used for so long signs in again.
ISSUER_SESSIONS_KEPT = timedelta(days=30)


@task(sessions.REVOKE_TASK, max_attempts=3, atomic=False)
def revoke_tokens(job: RunningJob, sealed: str) -> None:
    sessions.revoke(sealed)


@cron("crm.prune_sessions", every=timedelta(hours=6))
def prune_sessions() -> dict[str, int]:
    return {"browser": sessions.prune(), "issuer": issuer_sessions.prune(ISSUER_SESSIONS_KEPT)}
