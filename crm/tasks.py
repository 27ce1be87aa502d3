"""Jobs and crons about people. Each makes one service call."""

from datetime import timedelta
from uuid import UUID

from crm.dossier import tasks as dossier
from crm.identity import sessions
from crm.issuer import sessions as issuer_sessions
from crm.services import invitations
from crm.services.imports import tasks as imports
from jobs.crons import cron
from jobs.tasks import RunningJob, task

__all__ = ["dossier", "imports"]

# A demo account that nobody used for so long signs in again.
ISSUER_SESSIONS_KEPT = timedelta(days=30)


@task(sessions.REVOKE_TASK, max_attempts=3, atomic=False)
def revoke_tokens(job: RunningJob, sealed: str) -> None:
    sessions.revoke(sealed)


@task(invitations.MAIL_TASK, max_attempts=6, atomic=False)
def mail_invitation(job: RunningJob, invitation: str, sealed: str) -> dict[str, str]:
    return invitations.mail_invitation(invitation_id=UUID(invitation), sealed=sealed)


@cron("crm.prune_sessions", every=timedelta(hours=6))
def prune_sessions() -> dict[str, int]:
    return {"browser": sessions.prune(), "issuer": issuer_sessions.prune(ISSUER_SESSIONS_KEPT)}
