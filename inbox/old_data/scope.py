"""What one run of the import knows: its mapping, which workspaces it is about, and who is who here."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from crm.erased import OldId, Traced, erased_among
from crm.identity.people import PROVIDER
from inbox.old_data import values
from inbox.old_data.mapping import Mapped
from inbox.old_data.report import Tally
from inbox.old_data.staging import fetch


@dataclass(frozen=True, slots=True)
class Place:
    """A workspace here that stands for an old one."""

    id: UUID
    slug: str
    region: str


class LeftOut(Exception):
    """The row belongs to a workspace that this run is not about."""


@dataclass(slots=True)
class Scope:
    mapped: Mapped
    wanted: frozenset[str] = frozenset()  # slugs or old ids; empty is all
    adopt: bool = False
    dry: bool = False
    places: dict[UUID, Place] = field(default_factory=dict)
    left_out: set[UUID] = field(default_factory=set)  # old workspaces
    left_conversations: set[UUID] = field(default_factory=set)
    left_contacts: set[UUID] = field(default_factory=set)
    touched: set[str] = field(default_factory=set)  # slugs
    _users: dict[str, UUID | None] = field(default_factory=dict)
    _members: dict[UUID, set[UUID]] = field(default_factory=dict)

    def forget(self) -> None:
        """A batch was rolled back: what it made is not there."""
        self._users.clear()
        self._members.clear()
        self.places.clear()
        self.load_places()

    def load_places(self) -> None:
        """What earlier runs brought here; and what `wanted` names of it."""
        rows = fetch(
            "select supabase_id, id, slug, default_region from crm_workspace where supabase_id is not null", {}
        )
        for old, new, slug, region in rows:
            if self.is_wanted(slug, old):
                self.places[old] = Place(new, slug, region)
            else:
                self.left_out.add(old)

    def is_wanted(self, slug: str, old: UUID) -> bool:
        return not self.wanted or slug.lower() in self.wanted or str(old) in self.wanted

    def key(self, table: str, value: Any) -> UUID | None:
        return values.key(value, table, any_ids=self.mapped.any_ids)

    def need(self, table: str, value: Any, missing: str) -> UUID:
        found = self.key(table, value)
        if found is None:
            raise values.Refused(missing)
        return found

    def place(self, value: Any) -> Place:
        old = self.need("workspaces", value, "no_workspace")
        place = self.places.get(old)
        if place is not None:
            return place
        if old in self.left_out:
            raise LeftOut
        raise values.Refused("unknown_workspace")

    def is_left_out(self, value: Any) -> bool:
        return bool(self.left_out) and self.key("workspaces", value) in self.left_out

    def erased(self, kind: Traced, table: str, rows: Iterable[dict[str, Any]], name: str = "id") -> set[UUID]:
        """Which of the old ids under `name` were erased here at somebody's request: they stay away."""
        ids = (key for row in rows if (key := self.quiet(table, row.get(name))))
        return self.erased_ids(kind, ids)

    def erased_ids(self, kind: Traced, ids: Iterable[OldId]) -> set[OldId]:
        return erased_among((place.id for place in self.places.values()), kind, ids)

    def quiet(self, table: str, value: Any) -> UUID | None:
        """As `key`, for looking ahead: an id that cannot be read is refused when its row is."""
        try:
            return self.key(table, value)
        except values.Refused:
            return None

    # --- People ---------------------------------------------------------------------------------------------

    def learn_users(self, subs: Iterable[Any]) -> None:
        """Who these are here: one query for all that are new."""
        unknown = {sub for sub in map(_sub, subs) if sub and sub not in self._users}
        if not unknown:
            return
        rows = fetch(
            "select subject, user_id from crm_useridentity where provider = %(provider)s and subject = any(%(subs)s)",
            {"provider": PROVIDER, "subs": list(unknown)},
        )
        self._users.update(dict.fromkeys(unknown))
        self._users.update(rows)

    def user(self, sub: Any) -> UUID | None:
        return self._users.get(_sub(sub))

    def know_user(self, sub: UUID, user_id: UUID) -> None:
        self._users[str(sub)] = user_id

    def member(self, sub: Any, workspace_id: UUID) -> UUID | None:
        """The user, when they belong to the workspace."""
        user_id = self.user(sub)
        if user_id is None:
            return None
        if workspace_id not in self._members:
            rows = fetch("select user_id from crm_member where workspace_id = %(id)s", {"id": workspace_id})
            self._members[workspace_id] = {row[0] for row in rows}
        return user_id if user_id in self._members[workspace_id] else None


def _sub(value: Any) -> str:
    return values.text(value).lower()


@dataclass(slots=True)
class Given:
    """One old row while it is read: cuts and empties what does not fit, and says so."""

    raw: dict[str, Any]
    tally: Tally
    supabase_id: UUID | None = None

    def text(self, name: str, limit: int) -> str:
        word = values.text(self.raw.get(name))
        if len(word) > limit:
            self.changed(f"{name}_cut")
            return word[:limit].rstrip()
        return word

    def get(self, name: str) -> Any:
        return self.raw.get(name)

    def changed(self, reason: str) -> None:
        self.tally.change(self.supabase_id, reason)
