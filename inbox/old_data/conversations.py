"""Old conversations and chat sessions: waiting, active and ended become open and resolved ones of a channel here.

One contact has one open support conversation on a channel: the newest old one stays open, unless one is open here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from crm.erased import Traced
from crm.ids import uuid7_from
from inbox.models import Channel
from inbox.old_data import folds, values
from inbox.old_data.places import Person, contact_of, people
from inbox.old_data.report import Tally
from inbox.old_data.scope import Given, LeftOut, Scope
from inbox.old_data.staging import Stage, fetch
from inbox.states import ChannelKind, ConversationStatus
from inbox.states import Scope as Reach

STATUSES = {
    "waiting": ConversationStatus.OPEN,  # and nobody's
    "active": ConversationStatus.OPEN,
    "ended": ConversationStatus.RESOLVED,
}
COMPARED = ("status", "assignee_id", "priority", "created_at", "deleted_at")
COLUMNS = (
    "id",
    "workspace_id",
    "supabase_id",
    "contact_id",
    "channel_id",
    "scope",
    *COMPARED,
    "peer_address",
    "last_activity_at",
    "inbound_count",
    "updated_at",
)
_OPEN = """
    select channel_id, contact_id, supabase_id from inbox_conversation
    where contact_id = any(%(contacts)s) and scope = 'support' and status <> 'resolved' and deleted_at is null
      and merged_into_id is null
"""


@dataclass(slots=True)
class Old:
    supabase_id: UUID
    contact: UUID  # as the old system has it
    person: Person
    channel: Channel
    reach: str
    status: str
    assignee_id: UUID | None
    priority: str
    peer_address: str
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None

    @property
    def is_open(self) -> bool:
        return self.reach == Reach.SUPPORT and self.status != ConversationStatus.RESOLVED and self.deleted_at is None

    def row(self) -> tuple[Any, ...]:
        return (
            uuid7_from(self.created_at, self.supabase_id.bytes),
            self.person.workspace_id,
            self.supabase_id,
            self.person.id,
            self.channel.pk,
            self.reach,
            self.status,
            self.assignee_id,
            self.priority,
            self.created_at,
            self.deleted_at,
            self.peer_address,
            self.updated_at,
            0,
            self.updated_at,
        )


class Conversations:
    name = "conversations"

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._stage = Stage("inbox_conversation", COLUMNS, compared=COMPARED, also=("updated_at",))
        self._channels: dict[tuple[UUID, str], Channel | None] = {}

    def write(self, rows: list[dict[str, Any]]) -> Tally:
        tally = Tally()
        self._scope.learn_users(row.get("assignee") for row in rows)
        whose = people(filter(None, (self._scope.quiet("contacts", row.get("contact")) for row in rows)))
        erased = self._scope.erased(Traced.OLD_CONVERSATION, self.name, rows)
        gone = self._scope.erased(Traced.OLD_CONTACT, "contacts", rows, "contact")
        olds: dict[UUID, Old] = {}
        for raw in rows:
            row = Given(raw, tally)
            try:
                if self._scope.quiet("contacts", raw.get("contact")) in gone:
                    raise values.Refused("erased")
                old = self._read(row, whose)
                if old.supabase_id in erased:
                    raise values.Refused("erased")
                if old.supabase_id in olds:
                    raise values.Refused("id_twice")
                olds[old.supabase_id] = old
            except LeftOut:
                tally.counts["left_out"] += 1
                if row.supabase_id:
                    self._scope.left_conversations.add(row.supabase_id)
            except values.Refused as refused:
                tally.refuse(values.text(raw.get("id")), refused.reason)
        _close_second(list(olds.values()), tally)
        created, updated = self._stage.write(old.row() for old in olds.values())
        folds.record_moved("inbox_conversation", {new: olds[old].contact for old, new in created.items()})
        tally.wrote(len(olds), len(created), len(updated))
        self._touch(olds, {*created, *updated})
        return tally

    def drop(self) -> None:
        self._stage.drop()

    def forget_channels(self) -> None:
        """After a batch that was rolled back: the channel that it made is gone."""
        self._channels.clear()

    def _touch(self, olds: dict[UUID, Old], changed: set[UUID]) -> None:
        slugs = {place.id: place.slug for place in self._scope.places.values()}
        self._scope.touched.update(slugs[olds[old].person.workspace_id] for old in changed)

    def _read(self, row: Given, whose: dict[UUID, Person]) -> Old:
        old = row.supabase_id = self._scope.need("conversations", row.get("id"), "no_id")
        contact, person = contact_of(self._scope, row, whose)
        created_at = values.moment(row.get("created_at"))
        if created_at is None:
            raise values.Refused("no_time")
        ended_at = values.moment(row.get("ended_at"))
        word = values.text(row.get("status")) or ("ended" if ended_at else "active")
        channel = self._channel(person, values.text(row.get("channel")))
        return Old(
            supabase_id=old,
            contact=contact,
            person=person,
            channel=channel,
            reach=values.text(row.get("scope")) or Reach.SUPPORT,
            status=STATUSES.get(word, word),
            assignee_id=None if word == "waiting" else self._assignee(row, person),
            priority=values.text(row.get("priority")) or "none",
            peer_address=row.text("peer_address", 160) or _peer(channel, person),
            created_at=created_at,
            updated_at=values.moment(row.get("updated_at")) or ended_at or created_at,
            deleted_at=values.moment(row.get("deleted_at")),
        )

    def _assignee(self, row: Given, person: Person) -> UUID | None:
        if not values.text(row.get("assignee")):
            return None
        found = self._scope.member(row.get("assignee"), person.workspace_id)
        if found is None:
            row.changed("assignee_is_no_member")
        return found

    def _channel(self, person: Person, word: str) -> Channel:
        slug = self._scope.mapped.channels.get(word.lower(), "") if word else ""
        key = (person.workspace_id, slug)
        if key not in self._channels:
            self._channels[key] = _named(*key) if slug else self._imported(person.workspace_id)
        channel = self._channels[key]
        if channel is None:
            raise values.Refused("unknown_channel")
        return channel

    def _imported(self, workspace_id: UUID) -> Channel:
        """Old history needs a channel. Nothing comes in by this one, and nothing can be sent."""
        found = Channel.objects.filter(workspace_id=workspace_id, settings__imported=True).first()
        if found is not None:
            return found
        slug = next(place.slug for place in self._scope.places.values() if place.id == workspace_id)
        wanted = f"imported-{slug}"[:60].rstrip("-")
        if Channel.objects.filter(slug=wanted).exists():
            wanted = f"imported-{workspace_id.hex}"
        return Channel.objects.create(
            workspace_id=workspace_id,
            slug=wanted,
            kind=ChannelKind.WIDGET,
            name="Imported",
            settings={"imported": True},
            is_active=False,
        )


def _named(workspace_id: UUID, slug: str) -> Channel | None:
    return Channel.objects.filter(workspace_id=workspace_id, slug=slug.lower()).first()


def _peer(channel: Channel, person: Person) -> str:
    """Where a reply would go, as the channel's provider spells it."""
    if channel.kind == ChannelKind.KAPSO:
        return person.e164.lstrip("+")
    return person.e164 if channel.kind == ChannelKind.TWILIO else ""


def _close_second(olds: Sequence[Old], tally: Tally) -> None:
    """The first of a batch wins; batches come newest first."""
    wanting = [old for old in olds if old.is_open]
    rows = fetch(_OPEN, {"contacts": [old.person.id for old in wanting]}) if wanting else []
    held: dict[tuple[UUID, UUID], UUID | None] = {(channel, contact): old for channel, contact, old in rows}
    for old in wanting:
        slot = (old.channel.pk, old.person.id)
        if slot not in held:
            held[slot] = old.supabase_id
        elif held[slot] != old.supabase_id:
            old.status = ConversationStatus.RESOLVED
            tally.change(old.supabase_id, "resolved_another_is_open")
