"""The parts of a dossier that crm keeps itself: the contact, its identities, what is known apart from it, billing."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.models import Model, Q, QuerySet

from crm.dossier import Erasing, Part, Row, register
from crm.erased import Traced, trace_old
from crm.models import (
    BillingAccount,
    Contact,
    ContactIdentity,
    ContactImportLine,
    ContactMemory,
    ContactMerge,
    ContactMergeMove,
    ContactNote,
    ContactProfile,
)

if TYPE_CHECKING:
    from crm.services.merging.moves import Merging, Undoing


class ContactPart(Part):
    """The contact itself. Registered first, since it is the last to be erased."""

    name = "contact"
    tables = ("crm_contact",)

    def merge(self, merging: "Merging") -> None:
        winner, loser = merging.winner, merging.loser
        values: dict[str, Any] = {}
        if loser.phone_normalized and not winner.phone_normalized:
            values |= {"phone": loser.phone, "phone_normalized": loser.phone_normalized}
        elif winner.phone_normalized != loser.phone_normalized and loser.phone_normalized:
            merging.collided(loser, "phone_normalized", winner.phone_normalized)
        for name in ("name", "email", "lead_status", "lead_score", "owner_id"):
            _fill(merging, winner, loser, name, values)
        for name in ("metadata", "attributes"):
            values[name] = _together(merging, winner, loser, name)
        values["tags"] = winner.tags + [tag for tag in loser.tags if tag not in winner.tags]
        merging.set(winner, **values)

    def export(self, contact_ids: Sequence[UUID]) -> Iterable[Row]:
        return _rows(Contact.objects.filter(pk__in=contact_ids), without=("search",))

    def erase(self, erasing: Erasing) -> None:
        rows = Contact.objects.filter(workspace_id=erasing.workspace_id, pk__in=erasing.contact_ids)
        trace_old(erasing.workspace_id, Traced.OLD_CONTACT, rows.values_list("supabase_id", flat=True))
        _delete(erasing, rows)


class IdentityPart(Part):
    name = "identities"
    tables = ("crm_contactidentity",)

    def merge(self, merging: "Merging") -> None:
        """Unique in the workspace, so no two of them collide: every one moves, and with it whoever writes from it."""
        merging.move_rows(ContactIdentity, "contact_id", before=merging.loser.pk, after=merging.winner.pk)

    def export(self, contact_ids: Sequence[UUID]) -> Iterable[Row]:
        return _rows(ContactIdentity.objects.filter(contact_id__in=contact_ids))

    def erase(self, erasing: Erasing) -> None:
        rows = ContactIdentity.objects.filter(contact_id__in=erasing.contact_ids)
        erasing.names |= set(rows.values_list("value", flat=True))
        _delete(erasing, rows)


class ProfilePart(Part):
    name = "profile"
    tables = ("crm_contactprofile",)

    def merge(self, merging: "Merging") -> None:
        theirs = ContactProfile.objects.filter(contact=merging.loser).first()
        if theirs is None:
            return
        ours = _own(merging, ContactProfile)
        values: dict[str, Any] = {}
        for name in ("first_name", "relationship", "zip_code", "journey_phase", "last_contact_at"):
            _fill(merging, ours, theirs, name, values)
        if ours.burnout_score is None and not ours.burnout_band:
            values |= {"burnout_score": theirs.burnout_score, "burnout_band": theirs.burnout_band}
        elif theirs.burnout_score is not None and theirs.burnout_score != ours.burnout_score:
            merging.collided(theirs, "burnout_score", ours.burnout_score)
        values["pressure_zones"] = ours.pressure_zones + [
            zone for zone in theirs.pressure_zones if zone not in ours.pressure_zones
        ]
        _fill(merging, ours, theirs, "assessment", values)
        merging.set(ours, **values)

    def export(self, contact_ids: Sequence[UUID]) -> Iterable[Row]:
        return _rows(ContactProfile.objects.filter(contact_id__in=contact_ids))

    def erase(self, erasing: Erasing) -> None:
        _delete(erasing, ContactProfile.objects.filter(contact_id__in=erasing.contact_ids))


class MemoryPart(Part):
    name = "memory"
    tables = ("crm_contactmemory",)

    def merge(self, merging: "Merging") -> None:
        theirs = ContactMemory.objects.filter(contact=merging.loser).first()
        if theirs is None:
            return
        ours = _own(merging, ContactMemory)
        values: dict[str, Any] = {
            "total_interactions": ours.total_interactions + theirs.total_interactions,
            "conversation_started_at": _first(min, ours.conversation_started_at, theirs.conversation_started_at),
            "last_message_at": _first(max, ours.last_message_at, theirs.last_message_at),
        }
        for name in ("historical_summary", "recent_messages"):
            _fill(merging, ours, theirs, name, values)
        merging.set(ours, **values)

    def unmerge(self, undoing: "Undoing") -> None:
        """What came later is counted with the winner; what was the loser's is taken off again."""
        ours = ContactMemory.objects.filter(contact=undoing.winner).first()
        for move in undoing.moves("crm_contactmemory", "total_interactions"):
            before, after = int(move.before or 0), int(move.after or 0)
            if ours is not None and ours.total_interactions > after:
                ours.total_interactions -= after - before
                ours.save(update_fields=["total_interactions", "updated_at"])

    def export(self, contact_ids: Sequence[UUID]) -> Iterable[Row]:
        return _rows(ContactMemory.objects.filter(contact_id__in=contact_ids))

    def erase(self, erasing: Erasing) -> None:
        _delete(erasing, ContactMemory.objects.filter(contact_id__in=erasing.contact_ids))


class NotePart(Part):
    name = "notes"
    tables = ("crm_contactnote",)

    def merge(self, merging: "Merging") -> None:
        merging.move_rows(ContactNote, "contact_id", before=merging.loser.pk, after=merging.winner.pk)

    def export(self, contact_ids: Sequence[UUID]) -> Iterable[Row]:
        return _rows(ContactNote.objects.filter(contact_id__in=contact_ids), without=("search",))

    def erase(self, erasing: Erasing) -> None:
        rows = ContactNote.objects.filter(contact_id__in=erasing.contact_ids)
        erasing.ids |= set(rows.values_list("pk", flat=True))
        trace_old(erasing.workspace_id, Traced.OLD_NOTE, rows.values_list("supabase_id", flat=True))
        _delete(erasing, rows)


class BillingPart(Part):
    name = "billing"
    tables = ("crm_billingaccount",)

    def merge(self, merging: "Merging") -> None:
        """A contact may have several accounts: each stays the Stripe customer it is."""
        merging.move_rows(BillingAccount, "contact_id", before=merging.loser.pk, after=merging.winner.pk)

    def export(self, contact_ids: Sequence[UUID]) -> Iterable[Row]:
        return _rows(BillingAccount.objects.filter(contact_id__in=contact_ids))

    def erase(self, erasing: Erasing) -> None:
        rows = BillingAccount.objects.filter(contact_id__in=erasing.contact_ids)
        erasing.names |= set(rows.values_list("stripe_customer_id", flat=True))
        _delete(erasing, rows)


class ImportPart(Part):
    """Which rows of which files spoke of it."""

    name = "imports"
    tables = ("crm_contactimportline",)

    def merge(self, merging: "Merging") -> None:
        merging.move_rows(ContactImportLine, "contact_id", before=merging.loser.pk, after=merging.winner.pk)

    def export(self, contact_ids: Sequence[UUID]) -> Iterable[Row]:
        return _rows(ContactImportLine.objects.filter(contact_id__in=contact_ids))

    def erase(self, erasing: Erasing) -> None:
        _delete(erasing, ContactImportLine.objects.filter(contact_id__in=erasing.contact_ids))


class MergePart(Part):
    """The records of merges themselves, which hold what was before."""

    name = "merges"
    tables = ("crm_contactmerge",)

    def export(self, contact_ids: Sequence[UUID]) -> Iterable[Row]:
        rows = ContactMerge.objects.filter(Q(winner_id__in=contact_ids) | Q(loser_id__in=contact_ids))
        for row in _rows(rows):
            moves = ContactMergeMove.objects.filter(merge_id=row["id"]).order_by("id")
            yield {**row, "moves": list(moves.values("table", "row", "column", "before", "after"))}

    def erase(self, erasing: Erasing) -> None:
        rows = ContactMerge.objects.filter(Q(winner_id__in=erasing.contact_ids) | Q(loser_id__in=erasing.contact_ids))
        _delete(erasing, rows)


def register_parts() -> None:
    kept = (IdentityPart(), ProfilePart(), MemoryPart(), NotePart(), BillingPart(), ImportPart())
    for part in (ContactPart(), *kept, MergePart()):
        register(part)


# --- What they share --------------------------------------------------------------------------------------------


def _own(merging: "Merging", model: Any) -> Any:
    """The winner's row, made for it where it had none."""
    row, is_new = model.objects.get_or_create(
        contact=merging.winner, defaults={"workspace_id": merging.winner.workspace_id}
    )
    if is_new:
        merging.made(row)
    return row


def _fill(merging: "Merging", ours: Model, theirs: Model, name: str, values: dict[str, Any]) -> None:
    """What the winner lacks it gets; where both have something else, its own stays."""
    mine, other = getattr(ours, name), getattr(theirs, name)
    if _is_empty(other) or other == mine:
        return
    if _is_empty(mine):
        values[name] = other
    else:
        merging.collided(theirs, name, mine)


def _together(merging: "Merging", ours: Model, theirs: Model, name: str) -> dict[str, Any]:
    mine, other = getattr(ours, name), getattr(theirs, name)
    if any(key in mine and mine[key] != value for key, value in other.items()):
        merging.collided(theirs, name, mine)
    return {**other, **mine}


def _is_empty(value: Any) -> bool:
    return value is None or value in ("", [], {})


def _first(choose: Any, one: datetime | None, other: datetime | None) -> datetime | None:
    known = [moment for moment in (one, other) if moment is not None]
    return choose(known) if known else None


def _rows(rows: "QuerySet[Any]", *, without: tuple[str, ...] = ()) -> Iterable[Row]:
    names = [one.attname for one in rows.model._meta.concrete_fields if one.name not in {"workspace", *without}]
    return rows.order_by("pk").values(*names).iterator(chunk_size=500)


def _delete(erasing: Erasing, rows: "QuerySet[Any]") -> None:
    _, counts = rows.delete()
    for label, count in counts.items():
        erasing.count(label.lower().replace(".", "_"), count)
