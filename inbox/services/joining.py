"""Two conversations with one contact on one channel become one thread. For good: what was one thread stays it."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import Model

from config.errors import Conflict, NotFound, Said
from config.live.unit import unit_of_work
from crm.access import check
from crm.actors import Actor
from crm.roles import Action
from inbox.access import conversation_for
from inbox.activity_words import MERGED
from inbox.models import Conversation
from inbox.services import folding
from inbox.services.activity import add_line
from inbox.states import ConversationStatus, Scope

LONGEST_WAY = 20  # merges of merges


class CannotMerge(Conflict):
    code = "cannot_merge"
    message = "Only two conversations with the same contact on the same channel become one."


class _Unrecorded:
    """Moves rows as the merge of two contacts does, and writes nothing down to take it back by."""

    def set(self, row: Model, **values: Any) -> None:
        changed = {name: value for name, value in values.items() if getattr(row, name) != value}
        for name, value in changed.items():
            setattr(row, name, value)
        if changed:
            row.save(update_fields=[*changed, "updated_at"])

    def move_rows(
        self, model: type[Model], column: str, *, before: UUID, after: UUID, only: Iterable[Any] | None = None
    ) -> int:
        rows = model._default_manager.filter(**{column: before})
        if only is not None:
            rows = rows.filter(pk__in=list(only))
        return rows.update(**{column: after})

    def made(self, row: Model) -> None:
        """Nothing to remember."""


@unit_of_work
def merge_conversations(*, actor: Actor, conversation_id: UUID, other_id: UUID) -> Conversation:
    """What stays is the first; the other's address leads to it from then on."""
    if conversation_id == other_id:
        raise CannotMerge
    both = {pk: conversation_for(actor, pk, for_update=True) for pk in sorted((conversation_id, other_id))}
    check(actor, Action.RESOLVE)
    check(actor, Action.ASSIGN)
    first, second = both[conversation_id], both[other_id]
    if (first.contact_id, first.channel_id) != (second.contact_id, second.channel_id):
        raise CannotMerge
    folding.fold(_Unrecorded(), first, second)
    if first.status != ConversationStatus.RESOLVED and first.resolved_at is not None:
        first.resolved_at = None
        first.save(update_fields=["resolved_at", "updated_at"])
    folding.announce_folded([(first, second)], first.contact_id)
    add_line(actor, first, "merged", Said(MERGED), {"merged": str(second.pk)})
    return first


def leads_to(actor: Actor, conversation_id: UUID) -> UUID:
    """Where a conversation that was merged away goes on; NotFound for every other."""
    rows = Conversation.objects.filter(workspace_id=actor.workspace_id, scope=Scope.SUPPORT)
    at = conversation_id
    for _ in range(LONGEST_WAY):
        onward = rows.filter(pk=at).values_list("merged_into_id", flat=True).first()
        if onward is None:
            break
        at = onward
        if actor.may(Action.READ_INBOX) and rows.filter(pk=at, deleted_at=None, merged_into=None).exists():
            return at
    raise NotFound
