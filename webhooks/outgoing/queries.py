"""Reads for admins: the log of calls, and the feed for those who would rather fetch than be called."""

from dataclasses import dataclass
from uuid import UUID

from config.live import events
from config.live.log import Logged
from crm import feed
from crm.access import check
from crm.actors import Caller
from crm.models import Workspace
from crm.paging import Page, page
from crm.roles import Action
from webhooks.models import Call
from webhooks.outgoing.access import visible_calls
from webhooks.outgoing.bodies import wants
from webhooks.outgoing.errors import FeedReset


@dataclass(frozen=True, slots=True)
class FeedPage:
    events: list[Logged]
    read_to: int  # the number to go on from, whether or not its event was wanted
    more: bool
    head: int  # read before the events
    is_open: bool


def list_calls(
    actor: Caller, subscription_id: UUID, *, state: str | None, cursor: str | None, limit: int
) -> Page[Call]:
    """Newest first; without bodies, which may be large."""
    rows = visible_calls(actor, subscription_id).defer("body")
    if state:
        rows = rows.filter(state=state)
    return page(rows, ("-id",), cursor=cursor, limit=limit)


def read_feed(actor: Caller, *, after: int | None, limit: int, types: list[str]) -> FeedPage:
    """What came after the number; without one, from the oldest that is kept. FeedReset where there is a hole."""
    check(actor, Action.MANAGE)
    topic = feed.topic(actor.workspace_slug)
    is_open = Workspace.objects.filter(pk=actor.workspace_id, is_feed_open=True).exists()
    head = events.head(topic)
    found = events.events_after(topic, after or 0, limit)
    if after is not None and not _continues(after, head, found):
        raise FeedReset(seq=after, oldest=found[0].seq if found else head + 1, head=head)
    read_to = found[-1].seq if found else head
    return FeedPage(
        events=[event for event in found if wants(types, event.type)],
        read_to=read_to,
        more=len(found) == limit and read_to < head,
        head=head,
        is_open=is_open,
    )


def _continues(after: int, head: int, found: list[Logged]) -> bool:
    """A number beyond the newest is from before a restored backup, or made up."""
    return after <= head and (found[0].seq == after + 1 if found else after == head)
