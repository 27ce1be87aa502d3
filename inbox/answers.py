"""Whole answers that REST and the page's first paint share: a page of the list, a page of a thread."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from crm.actors import Caller
from crm.paging import DEFAULT_LIMIT, link
from inbox import queries
from inbox.access import conversation_for
from inbox.narrowing import ListFilter


def list_answer(
    actor: Caller,
    wanted: ListFilter,
    *,
    given: Mapping[str, str],
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
) -> dict[str, Any]:
    """`given` is the query that the links to the next pages repeat. The live number is read before the state."""
    counts, live = queries.get_tabs_and_live(actor)
    found = queries.list_conversations(actor, wanted, cursor=cursor, limit=limit)
    path = f"/api/v1/workspaces/{actor.workspace_slug}/conversations/"
    return {
        "results": queries.lines_for_reader(actor, found.rows),
        "next": link(path, given, found.next),
        "previous": link(path, given, found.previous),
        "counts": counts,
        "live": live,
    }


def thread_answer(
    actor: Caller, conversation_id: UUID, *, cursor: str | None = None, limit: int = DEFAULT_LIMIT
) -> dict[str, Any]:
    """Newest first; `next` goes to older messages."""
    live = queries.get_thread_live(conversation_id)
    conversation = conversation_for(actor, conversation_id)
    found = queries.list_messages(actor, conversation, cursor=cursor, limit=limit)
    path = f"/api/v1/workspaces/{actor.workspace_slug}/conversations/{conversation_id}/messages/"
    return {
        "results": queries.message_payloads(conversation, found.rows),
        "next": link(path, {}, found.next),
        "previous": link(path, {}, found.previous),
        "live": live,
    }
