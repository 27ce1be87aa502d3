"""One batch of an import: who is known already, who is new, and all of them written with a few statements."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.db.models import prefetch_related_objects
from django.utils import timezone

from config.live.events import publish
from crm import feed, topics
from crm.events import ContactCreated, ContactUpdated
from crm.ids import uuid7
from crm.models import Contact, ContactIdentity, ContactImport, ContactImportLine, IdentityKind, Workspace
from crm.payloads import contact_payload
from crm.services.contacts.words import index_words
from crm.services.imports.copying import copy_in, copy_whole, write_over
from crm.services.imports.fields import Reader, Values
from crm.services.imports.reading import Row

ROUNDS = 5  # a number that somebody else takes at the same moment is looked up again
UPDATED = (
    "name",
    "phone",
    "phone_normalized",
    "email",
    "lead_status",
    "lead_score",
    "tags",
    "metadata",
    "attributes",
    "owner_id",
    "search",
)
# Address by address: of many at once the planner expects half of the table, whatever is in it, since it has no
# statistics of an expression that only a partial index holds.
_BY_EMAIL = """
    select known.id from unnest(%s::text[]) as told (email) cross join lateral (
        select id from crm_contact
        where workspace_id = %s and deleted_at is null and not email = '' and lower(email) = told.email offset 0
    ) as known
"""
Problem = tuple[int, str, str, str]  # row, column, code, sentence


@dataclass
class Outcome:
    created: int = 0
    updated: int = 0
    skipped: int = 0
    refused: int = 0
    problems: list[Problem] = field(default_factory=list)


def write_rows(
    workspace: Workspace, reader: Reader, batch: list[tuple[int, Row]], *, of: ContactImport, known: str, is_dry: bool
) -> Outcome:
    """Joins the caller's unit of work. `of`: what the contacts' histories name."""
    read = [(number, reader.read(row)) for number, row in batch]
    for _ in range(ROUNDS):
        try:
            with transaction.atomic():
                return _Batch(workspace, of, known).write(read, is_dry=is_dry)
        except IntegrityError:
            continue
    raise RuntimeError("the numbers of this batch keep being taken by somebody else")


class _Batch:
    def __init__(self, workspace: Workspace, of: ContactImport, known: str) -> None:
        self._workspace = workspace
        self._of = of
        self._known = known
        self._outcome = Outcome()
        self._by_match: dict[str, Contact] = {}
        self._by_email: dict[str, list[Contact]] = {}
        self._new: dict[Any, Contact] = {}
        self._changed: dict[Any, Contact] = {}
        self._rows: dict[Any, int] = {}  # of every contact that is written, the first that speaks of it
        self._identities: dict[tuple[str, str], Contact] = {}
        self._given_up: dict[str, ContactIdentity] = {}  # held by deleted contacts

    def write(self, read: list[tuple[int, Values]], *, is_dry: bool) -> Outcome:
        good = [values for _, values in read if not values.problems]
        self._look_up(good, lock=not is_dry)
        for number, values in read:
            self._take(number, values)
        if not is_dry:
            self._save()
        return self._outcome

    # --- Who is known -------------------------------------------------------------------------------------------

    def _look_up(self, good: list[Values], *, lock: bool) -> None:
        matches = sorted({values.phone.match for values in good if values.phone})
        rows = ContactIdentity.objects.filter(
            workspace=self._workspace, kind=IdentityKind.MATCH, value__in=matches
        ).select_related("contact")
        for identity in rows:
            if identity.contact.deleted_at is None:
                self._by_match[identity.value] = identity.contact
            else:
                self._given_up[identity.value] = identity
        numbers = {values.phone.e164: values.phone.match for values in good if values.phone}
        # Of so many values Postgres does not see by itself that none is empty, which both indexes are built on
        alive = Contact.objects.alive().filter(workspace=self._workspace)
        plain = alive.filter(phone_normalized__in=list(numbers)).exclude(phone_normalized="")
        for contact in plain:
            self._by_match.setdefault(numbers[contact.phone_normalized], contact)
        emails = sorted({values.email for values in good if values.email})
        for contact in alive.filter(pk__in=_known_by(self._workspace, emails)):
            self._by_email.setdefault(contact.email.lower(), []).append(contact)
        if lock:
            self._lock()

    def _lock(self) -> None:
        """As they are now, in the order of their ids: nobody's edit of the same moment is written over."""
        held = [*self._by_match.values(), *(one for found in self._by_email.values() for one in found)]
        ids = sorted({contact.pk for contact in held}, key=str)
        if not ids or self._known != "update":
            return
        rows = Contact.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk")
        fresh = {contact.pk: contact for contact in rows}
        self._by_match = {match: fresh[one.pk] for match, one in self._by_match.items() if one.pk in fresh}
        self._by_email = {
            email: [fresh[one.pk] for one in found if one.pk in fresh] for email, found in self._by_email.items()
        }

    def _contact_of(self, values: Values) -> Contact | None:
        """Raises _TwoContacts where number and address, or the address alone, are those of different people."""
        by_number = self._by_match.get(values.phone.match) if values.phone else None
        by_email = self._by_email.get(values.email, []) if values.email else []
        if by_number is not None:
            if by_email and by_number.pk not in {contact.pk for contact in by_email}:
                raise _TwoContacts
            return by_number
        if len(by_email) > 1:
            raise _TwoContacts
        return by_email[0] if by_email else None

    # --- What becomes of a row ----------------------------------------------------------------------------------

    def _take(self, number: int, values: Values) -> None:
        if values.problems:
            self._refuse(number, values.problems)
            return
        if values.is_empty:
            self._outcome.skipped += 1
            return
        try:
            contact = self._contact_of(values)
        except _TwoContacts:
            sentence = "Its number and its e-mail address belong to different contacts."
            self._refuse(number, [("", "two_contacts", sentence)])
            return
        if contact is None:
            contact = self._create(values)
            self._outcome.created += 1
        elif self._known == "update":
            self._update(contact, values)
            self._outcome.updated += 1
        else:
            self._outcome.skipped += 1
            return
        self._rows.setdefault(contact.pk, number)

    def _refuse(self, number: int, problems: Iterable[tuple[str, str, str]]) -> None:
        self._outcome.refused += 1
        self._outcome.problems += [(number, *problem) for problem in problems]

    def _create(self, values: Values) -> Contact:
        contact = Contact(id=uuid7(), workspace=self._workspace)
        self._new[contact.pk] = contact
        self._set(contact, values)
        return contact

    def _update(self, contact: Contact, values: Values) -> None:
        """Only what the file tells; an empty cell takes nothing away."""
        if contact.pk not in self._new:
            self._changed[contact.pk] = contact
        self._set(contact, values)

    def _set(self, contact: Contact, values: Values) -> None:
        told = dict(values.fields)
        typed = told.pop("phone", "")
        if values.phone:
            self._identities[IdentityKind.MATCH, values.phone.match] = contact
            self._identities[IdentityKind.PHONE, values.phone.e164] = contact
            self._by_match[values.phone.match] = contact
            if not contact.phone_normalized:
                contact.phone, contact.phone_normalized = typed, values.phone.e164
        for name in ("metadata", "attributes"):
            if name in told:
                told[name] = {**getattr(contact, name), **told[name]}
        if "tags" in told:
            told["tags"] = list(dict.fromkeys([*contact.tags, *told["tags"]]))
        for name, value in told.items():
            setattr(contact, name, value)
        if values.email:
            self._identities.setdefault((IdentityKind.EMAIL, values.email), contact)
            self._by_email[values.email] = [contact]

    # --- Writing ------------------------------------------------------------------------------------------------

    def _save(self) -> None:
        self._index_words()
        copy_whole(Contact, self._new.values())
        self._write_changed()
        self._save_identities()
        self._save_lines()
        self._tell()

    def _index_words(self) -> None:
        numbers: dict[UUID, set[str]] = defaultdict(set)
        known = ContactIdentity.objects.filter(contact__in=list(self._changed), kind=IdentityKind.PHONE)
        for contact_id, number in known.values_list("contact_id", "value"):
            numbers[contact_id].add(number)
        for (kind, value), contact in self._identities.items():
            if kind == IdentityKind.PHONE:
                numbers[contact.pk].add(value)
        for contact in (*self._new.values(), *self._changed.values()):
            index_words(contact, numbers[contact.pk])

    def _write_changed(self) -> None:
        now = timezone.now()
        for contact in self._changed.values():
            contact.updated_at = now
        if self._changed:
            write_over(Contact, (*UPDATED, "updated_at"), self._changed.values())

    def _save_identities(self) -> None:
        """Numbers of deleted contacts are free. An address stays with whom it is known for; a number that somebody
        took meanwhile is an IntegrityError, and the batch is looked up anew."""
        held = ContactIdentity.objects.select_for_update(no_key=True).filter(
            workspace=self._workspace,
            kind__in=[IdentityKind.MATCH, IdentityKind.PHONE],
            value__in=[value for _, value in self._identities],
        )
        known: set[tuple[str, str]] = set()
        for identity in held.select_related("contact").order_by("pk"):
            wanted = self._identities.get((identity.kind, identity.value))
            if wanted is None:
                continue
            known.add((identity.kind, identity.value))
            if identity.contact_id != wanted.pk and identity.contact.deleted_at is not None:
                identity.contact = wanted
                identity.save(update_fields=["contact"])
            elif identity.contact_id != wanted.pk:
                raise IntegrityError("a number was taken meanwhile")
        new = [
            ContactIdentity(workspace_id=self._workspace.pk, contact_id=contact.pk, kind=kind, value=value)
            for (kind, value), contact in sorted(self._identities.items(), key=itemgetter(0))
            if (kind, value) not in known
        ]
        copy_whole(ContactIdentity, [row for row in new if row.kind != IdentityKind.EMAIL])
        ContactIdentity.objects.bulk_create(
            [row for row in new if row.kind == IdentityKind.EMAIL], ignore_conflicts=True
        )

    def _save_lines(self) -> None:
        lines = [
            (self._workspace.pk, contact_id, self._of.pk, number, contact_id in self._new)
            for contact_id, number in self._rows.items()
        ]
        copy_in(ContactImportLine, ("workspace_id", "contact_id", "contact_import_id", "row", "is_new"), lines)

    def _tell(self) -> None:
        told = [*self._changed.values(), *(self._new.values() if self._workspace.is_feed_open else ())]
        prefetch_related_objects(told, "identities", "owner")
        for contact in self._changed.values():
            event = ContactUpdated(contact_payload(contact))
            publish(topics.contact(contact.pk), event)
            feed.announce(self._workspace, event)
        if self._workspace.is_feed_open:
            for contact in self._new.values():
                feed.announce(self._workspace, ContactCreated(contact_payload(contact)))


class _TwoContacts(Exception):
    pass


def _known_by(workspace: Workspace, emails: list[str]) -> list[UUID]:
    with connection.cursor() as cursor:
        cursor.execute(_BY_EMAIL, [emails, workspace.pk])
        return [contact_id for (contact_id,) in cursor.fetchall()]
