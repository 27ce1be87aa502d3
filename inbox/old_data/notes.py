"""Old notes about contacts."""

from typing import Any
from uuid import UUID

from crm.erased import Traced
from crm.ids import uuid7_from
from inbox.old_data import folds, values
from inbox.old_data.places import Person, contact_of, people
from inbox.old_data.report import Tally
from inbox.old_data.scope import Given, LeftOut, Scope
from inbox.old_data.searching import body_words
from inbox.old_data.staging import Stage

LIMIT = 64 * 1024  # bytes, as for notes written here
COMPARED = ("author_id", "body", "created_at", "deleted_at")
COLUMNS = ("id", "workspace_id", "supabase_id", "contact_id", *COMPARED, "mentions", "updated_at", "search")


class Notes:
    name = "notes"

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._stage = Stage("crm_contactnote", COLUMNS, compared=COMPARED, also=("updated_at", "search"))

    def write(self, rows: list[dict[str, Any]]) -> Tally:
        tally = Tally()
        self._scope.learn_users(row.get("author") for row in rows)
        whose = people(filter(None, (self._scope.quiet("contacts", row.get("contact")) for row in rows)))
        erased = self._scope.erased(Traced.OLD_NOTE, self.name, rows)
        gone = self._scope.erased(Traced.OLD_CONTACT, "contacts", rows, "contact")
        ready: dict[UUID, tuple[Any, ...]] = {}
        contacts: dict[UUID, UUID] = {}
        for raw in rows:
            row = Given(raw, tally)
            try:
                contact = self._scope.need("contacts", raw.get("contact"), "no_contact")
                if contact in gone:
                    raise values.Refused("erased")
                line = self._read(row, whose)
                if line[2] in erased:
                    raise values.Refused("erased")
                if line[2] in ready:
                    raise values.Refused("id_twice")
                ready[line[2]] = line
                contacts[line[2]] = contact
            except LeftOut:
                tally.counts["left_out"] += 1
            except values.Refused as refused:
                tally.refuse(values.text(raw.get("id")), refused.reason)
        created, updated = self._stage.write(ready.values())
        folds.record_moved("crm_contactnote", {new: contacts[old] for old, new in created.items()})
        tally.wrote(len(ready), len(created), len(updated))
        return tally

    def drop(self) -> None:
        self._stage.drop()

    def _read(self, row: Given, whose: dict[UUID, Person]) -> tuple[Any, ...]:
        old = row.supabase_id = self._scope.need("notes", row.get("id"), "no_id")
        _, person = contact_of(self._scope, row, whose)
        body = values.text(row.get("body"))
        if not body:
            raise values.Refused("empty")
        if len(body.encode()) > LIMIT:
            raise values.Refused("too_long")
        at = values.moment(row.get("created_at"))
        if at is None:
            raise values.Refused("no_time")
        author = self._scope.user(row.get("author"))
        if author is None and values.text(row.get("author")):
            row.changed("unknown_author")
        return (
            uuid7_from(at, old.bytes),
            person.workspace_id,
            old,
            person.id,
            author,
            body,
            at,
            values.moment(row.get("deleted_at")),
            [],
            values.moment(row.get("updated_at")) or at,
            body_words(body),
        )
