"""Erases everything about one contact, for good, at somebody's request. What stays says when and how much, not whom."""

from datetime import datetime
from uuid import UUID

from config.errors import Conflict, NotFound
from config.live.forgetting import blank_events, forget_topics
from config.live.unit import unit_of_work
from crm import dossier, feed, storage, topics
from crm.access import check
from crm.actors import Actor
from crm.dossier import Erasing
from crm.identity.topics import user
from crm.models import Contact, ContactImport, Erasure, ImportState, Member, Workspace
from crm.roles import Action
from crm.services import audit
from crm.services.merging.events import announce_gone
from crm.services.merging.together import user_behind
from jobs.queue import enqueue

FORGET_EVENTS, REMOVE_FILES = "crm.forget_events", "crm.remove_files"
FILES_AT_ONCE = 500
DEEPEST = 100  # merges within merges


class IsMerged(Conflict):
    """`data["into"]` is the contact to erase."""

    code = "contact_merged"
    message = "This contact is part of another one. Erase that, or undo the merge first."


class ImportRunning(Conflict):
    code = "import_running"
    message = "An import of contacts is running, and might bring the contact back. Wait for it or cancel it."


@unit_of_work
def erase_contact(*, actor: Actor, contact_id: UUID) -> Erasure:
    """The contact with all that was merged into it. Deleted ones can be erased too."""
    if not actor.may(Action.READ_INBOX):
        raise NotFound
    contacts = _locked(actor, contact_id)
    check(actor, Action.MANAGE)
    _check_no_import(actor)
    erasing = Erasing(actor.workspace_id, [contact.pk for contact in contacts], names=_names(contacts))
    for part in dossier.parts():
        part.check_erasable(erasing)
    for part in reversed(dossier.parts()):
        part.erase(erasing)
    erasure = Erasure.objects.create(
        workspace_id=actor.workspace_id, contact_ref=contact_id, erased_by_id=user_behind(actor), rows=erasing.rows
    )
    audit.record(
        actor=actor,
        action="contact.erased",
        target_kind="contact",
        target_id=contact_id,
        detail={"rows": sum(erasing.rows.values()), "files": len(erasing.files)},
    )
    _forget_events(erasure, erasing)
    _remove_files(erasure, erasing)
    for contact in contacts:
        announce_gone(contact)
    return erasure


def _locked(actor: Actor, contact_id: UUID) -> list[Contact]:
    """It and all that was merged into it, locked in the order of their ids."""
    ids, edge = [contact_id], [contact_id]
    for _ in range(DEEPEST):
        merged = Contact.objects.filter(workspace_id=actor.workspace_id, merged_into_id__in=edge)
        edge = [pk for pk in merged.values_list("pk", flat=True) if pk not in ids]
        if not edge:
            break
        ids += edge
    rows = Contact.objects.select_for_update().filter(workspace_id=actor.workspace_id, pk__in=ids)
    found = list(rows.order_by("pk"))
    itself = next((contact for contact in found if contact.pk == contact_id), None)
    if itself is None:
        raise NotFound
    if itself.merged_into_id is not None:
        raise IsMerged(into=itself.merged_into_id)
    return found


def _check_no_import(actor: Actor) -> None:
    running = ContactImport.objects.filter(workspace_id=actor.workspace_id, state=ImportState.RUNNING)
    found = running.values_list("pk", flat=True).first()
    if found is not None:
        raise ImportRunning(None, **{"import": found})


def _names(contacts: list[Contact]) -> set[str]:
    known = {name for contact in contacts for name in (contact.phone_normalized, contact.email)}
    for contact in contacts:
        known |= set(contact.identities.values_list("value", flat=True))
    return known - {""}


def _forget_events(erasure: Erasure, erasing: Erasing) -> None:
    """Topics of its own are emptied at once, before anything is told there; where it is one among many, a job looks."""
    of_its_own = [topics.contact(contact_id) for contact_id in erasing.contact_ids]
    of_its_own += [f"{kind}.{row_id}" for kind in ("conversation", "chat") for row_id in erasing.ids]
    forget_topics(of_its_own)
    enqueue(
        FORGET_EVENTS,
        key=f"{FORGET_EVENTS}:{erasure.pk}",
        lane="",
        workspace_id=erasure.workspace_id,
        payload={"ids": [str(one) for one in (*erasing.contact_ids, *erasing.ids)]},
    )


def forget_events(*, workspace_id: UUID, ids: list[str], until: datetime) -> int:
    """`until`: when it was erased. That it is gone was told after that, and stays told."""
    slug = Workspace.objects.values_list("slug", flat=True).get(pk=workspace_id)
    members = Member.objects.filter(workspace_id=workspace_id).values_list("user_id", flat=True)
    shared = [f"inbox.{slug}", feed.topic(slug), *(user(member) for member in members)]
    return blank_events(shared, ids, until=until)


def _remove_files(erasure: Erasure, erasing: Erasing) -> None:
    for start in range(0, len(erasing.files), FILES_AT_ONCE):
        enqueue(
            REMOVE_FILES,
            key=f"{REMOVE_FILES}:{erasure.pk}:{start}",
            lane="",
            workspace_id=erasure.workspace_id,
            payload={"names": erasing.files[start : start + FILES_AT_ONCE]},
        )


def remove_files(names: list[str]) -> int:
    """Outside of any transaction. A repeat finds them gone."""
    for name in names:
        storage.remove(name)
    return len(names)
