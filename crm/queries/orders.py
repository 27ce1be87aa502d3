"""In which order contacts are listed. Every order is total, so that pages neither skip nor repeat anybody."""

from dataclasses import dataclass
from uuid import UUID

from django.db import models
from django.db.models import Exists, F, OuterRef, QuerySet

from crm.models import Contact, ContactMemory
from crm.paging import Page, page
from crm.queries.lines import ContactRowPayload, lines

NOBODY_LEFT = "z."  # cursors among those who were never seen


class Order(models.TextChoices):
    NEWEST = "newest"
    OLDEST = "oldest"
    NAME = "name"
    SCORE = "score"
    LAST_SEEN = "last_seen"


_FIELDS = {
    Order.NEWEST: ("-created_at", "-id"),
    Order.OLDEST: ("created_at", "id"),
    Order.NAME: ("name", "id"),
    Order.SCORE: ("-lead_score", "-id"),
}
_SEEN = ("-last_seen", "-id")
_EMPTY = frozenset({"last_seen"})
LATELY = 2_000  # contacts


@dataclass(frozen=True, slots=True)
class Free:
    """Narrowed by a tree, of which the planner cannot tell how many it leaves."""

    workspace_id: UUID
    few: bool = False  # as has been counted


def ordered_page(
    rows: "QuerySet[Contact]", order: Order, *, cursor: str | None, limit: int, free: Free | None = None
) -> Page[ContactRowPayload]:
    """`free`: where a tree narrows `rows`."""
    if order is Order.LAST_SEEN:
        return _freely_by_last_seen(rows, cursor, limit, free) if free else _by_last_seen(rows, cursor, limit)
    return page(rows, _FIELDS[order], cursor=cursor, limit=limit, empty_last=frozenset({"lead_score"}), read=lines)


def _by_last_seen(rows: "QuerySet[Contact]", cursor: str | None, limit: int) -> Page[ContactRowPayload]:
    """Two lists one after the other, since an index serves the seen ones alone."""
    # Not by the join: of what an outer one leaves empty the planner expects nobody, and reads whole tables for them
    seen_once = ContactMemory.objects.filter(contact=OuterRef("pk"), last_message_at__isnull=False)
    never = rows.filter(~Exists(seen_once))
    if cursor and cursor.startswith(NOBODY_LEFT):
        after = cursor.removeprefix(NOBODY_LEFT) or None
        return _marked(page(never, ("-id",), cursor=after, limit=limit, read=lines))
    # The workspace once more, on the side where the index begins with it
    known = rows.filter(memory__last_message_at__isnull=False, memory__workspace=F("workspace"))
    known = known.annotate(last_seen=F("memory__last_message_at"))  # as a line has it
    seen = page(known, _SEEN, cursor=cursor, limit=limit, kept_last=frozenset({"last_seen"}), read=lines)
    if seen.next is not None:
        return seen
    if len(seen.rows) == limit:  # whether anybody is left is not worth a query
        return Page(rows=seen.rows, next=NOBODY_LEFT, previous=seen.previous)
    rest = _marked(page(never, ("-id",), limit=limit - len(seen.rows), read=lines))
    return Page(rows=[*seen.rows, *rest.rows], next=rest.next, previous=seen.previous)


def _freely_by_last_seen(
    rows: "QuerySet[Contact]", cursor: str | None, limit: int, free: Free
) -> Page[ContactRowPayload]:
    """The same list. What a tree leaves is often among those seen lately; where it is not, the index of last messages
    would lead to every contact one by one, so the tree is asked of all at once and what is left is sorted."""
    known = rows.annotate(last_seen=F("memory__last_message_at"))
    if cursor is None and not free.few:
        seen = ContactMemory.objects.filter(workspace_id=free.workspace_id, last_message_at__isnull=False)
        lately = seen.order_by(F("last_message_at").desc(nulls_last=True)).values("contact_id")[:LATELY]
        first = page(known.filter(pk__in=lately), _SEEN, limit=limit, empty_last=_EMPTY, read=lines)
        if first.next is not None:
            return first
    return page(known, _SEEN, cursor=cursor, limit=limit, empty_last=_EMPTY, read=lines)


def _marked(found: Page[ContactRowPayload]) -> Page[ContactRowPayload]:
    return Page(
        rows=found.rows,
        next=NOBODY_LEFT + found.next if found.next else None,
        previous=NOBODY_LEFT + found.previous if found.previous else None,
    )
