"""The feed of a workspace for other systems: everything that happens in it, in one numbered topic.

Written only while somebody subscribes. Whether anybody does stands in the workspace's own row, which whoever announces
has read already: nobody pays for a look-up, and an event right after the first subscription is in the feed.
"""

from collections.abc import Callable
from functools import partial
from typing import TypeVar
from uuid import UUID

from config.live import retention
from config.live.events import Event, publish
from config.live.identity import Identity
from config.live.topics import register
from config.live.unit import on_commit
from crm import features
from crm.access import listener
from crm.features import Feature
from crm.models import Workspace
from crm.roles import Action

PREFIX = "workspace"
# For readers that were away: far longer than a browser's topics.
KEPT_HOURS = 30 * 24
KEPT_EVENTS = 1_000_000
Heard = Callable[[UUID], object]
_hearers: list[Heard] = []
_types: set[str] = set()
E = TypeVar("E", bound=type[Event])


def topic(workspace_slug: str) -> str:
    return f"{PREFIX}.{workspace_slug}"


def offered(event: E) -> E:
    """Decorates what is announced here, so that subscribers can be told what there is."""
    _types.add(event.type)
    return event


def types() -> list[str]:
    return sorted(_types)


def on_announced(hear: Heard) -> None:
    """Registers `hear(workspace_id)`, in AppConfig.ready(): called after the commit of what was announced, by the
    thread that committed, so it must be quick."""
    if hear not in _hearers:
        _hearers.append(hear)


def announce(workspace: Workspace, event: Event) -> None:
    """Inside the unit of work of what happened, with the workspace as it was read there."""
    if workspace.is_feed_open:
        publish(topic(workspace.slug), event)
        on_commit(partial(_tell, workspace.pk))


def announce_in(workspace_id: UUID, event: Callable[[], Event]) -> None:
    """The same where the workspace was not read: one statement, and `event` is made only when somebody listens."""
    workspace = Workspace.objects.filter(pk=workspace_id, is_feed_open=True).first()
    if workspace is not None:
        announce(workspace, event())


def _tell(workspace_id: UUID) -> None:
    for hear in _hearers:
        hear(workspace_id)


def register_topics() -> None:
    register(PREFIX, _may_hear)
    retention.keep(PREFIX, hours=KEPT_HOURS, events=KEPT_EVENTS)


def _may_hear(identity: Identity | None, slug: str) -> bool:
    actor = listener(identity, slug)
    if actor is None or not actor.may(Action.MANAGE):
        return False
    features.check(actor.workspace_id, Feature.OUTGOING_WEBHOOKS)
    return True
