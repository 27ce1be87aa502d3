"""What was folded at the import stands as a merge like any other, so that it can be taken back like any other."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from uuid import UUID

from crm.models import Contact, ContactMerge, ContactMergeMove
from crm.services.merging.moves import plain
from inbox.old_data.staging import execute

Fold = tuple[UUID, UUID, UUID, datetime]  # workspace, who is folded, into whom, deleted at

_MOVED = """
    insert into crm_contactmergemove (workspace_id, merge_id, "table", "row", "column", before, after)
    select merge.workspace_id, merge.id, %(table)s, moved.row::text, 'contact_id', to_jsonb(loser.id::text),
        to_jsonb(merge.winner_id::text)
    from unnest(%(rows)s::uuid[], %(olds)s::uuid[]) as moved(row, old)
    join crm_contact loser on loser.supabase_id = moved.old
    join crm_contactmerge merge on merge.loser_id = loser.id and merge.undone_at is null
    order by moved.row
"""


def record(folds: Sequence[Fold]) -> None:
    merges = [ContactMerge(workspace_id=place, winner_id=into, loser_id=one) for place, one, into, _ in folds]
    ContactMerge.objects.bulk_create(merges)
    ContactMergeMove.objects.bulk_create(
        ContactMergeMove(
            workspace_id=merge.workspace_id,
            merge=merge,
            table=Contact._meta.db_table,
            row=str(merge.loser_id),
            column=column,
            after=plain(after),
        )
        for merge, (_, _, _, at) in zip(merges, folds, strict=True)
        for column, after in (("merged_into_id", merge.winner_id), ("deleted_at", at.astimezone(UTC)))
    )


def record_moved(table: str, contacts: Mapping[UUID, UUID]) -> None:
    """New rows of `table`, each with the old id of the contact that it had over there."""
    if contacts:
        execute(_MOVED, {"table": table, "rows": list(contacts), "olds": list(contacts.values())})
