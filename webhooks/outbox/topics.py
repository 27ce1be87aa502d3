"""`outbox.<slug>`: a signal, at most once a second, that something changed there. It carries nothing."""

from uuid import UUID

from config.live.coalesce import Coalescer
from config.live.events import signal
from config.live.identity import Identity
from config.live.topics import register
from crm.access import listener
from crm.models import Workspace
from crm.roles import Action

PAUSE = 1.0  # seconds between two tellings


def outbox(workspace_slug: str) -> str:
    return f"outbox.{workspace_slug}"


def _tell(changed_in: set[UUID]) -> None:
    for slug in Workspace.objects.filter(pk__in=changed_in).values_list("slug", flat=True):
        signal(outbox(slug), "changed", {})


_teller: Coalescer[UUID] = Coalescer("outbox", _tell, breath=PAUSE / 5, pause=PAUSE)


def changed(workspace_id: UUID | None) -> None:
    """Something there is different now, after its commit. What is of no workspace is not followed live."""
    if workspace_id is not None:
        _teller.note(workspace_id)


def _may_hear(identity: Identity | None, slug: str) -> bool:
    actor = listener(identity, slug)
    return actor is not None and actor.may(Action.MANAGE)


def register_topics() -> None:
    register("outbox", _may_hear)
