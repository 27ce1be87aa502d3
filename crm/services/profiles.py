"""Changes to what is kept about a contact in rows of their own: profile and memory.

Neither touches the contact's row nor waits for whoever holds it; each has writers of its own.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

from config.live.events import publish
from config.live.unit import on_commit, unit_of_work
from crm import topics
from crm.access import check, contact_for
from crm.actors import Actor
from crm.models import BurnoutBand, Contact, ContactMemory, ContactProfile
from crm.profiles import ProfileUpdated, StateUpdated, profile_payload, state_payload
from crm.roles import Action
from jobs import statements

PROFILE_FIELDS = (
    *("first_name", "relationship", "zip_code", "journey_phase", "burnout_score", "burnout_band"),
    *("pressure_zones", "last_contact_at", "assessment"),
)
MEMORY_FIELDS = ("recent_messages", "historical_summary", "conversation_started_at")
# A score of 0 to 100 from which on each band counts; a band that is named with the score stands as named.
BANDS = (
    (Decimal(75), BurnoutBand.SEVERE),
    (Decimal(50), BurnoutBand.HIGH),
    (Decimal(25), BurnoutBand.MODERATE),
    (Decimal(0), BurnoutBand.LOW),
)
# A statement of its own after each message's commit: it waits for no disk and holds its row for microseconds, so that
# two transactions with several people each can never wait for one another in a circle.
_COUNT = """
    with hurry as (
        select set_config('synchronous_commit', 'off', true), set_config('lock_timeout', '2s', true)
    )
    insert into crm_contactmemory (contact_id, workspace_id, recent_messages, historical_summary,
        conversation_started_at, total_interactions, last_message_at, updated_at)
    select %(contact)s, %(workspace)s, '[]', '', %(at)s, %(number)s, %(at)s, now() from hurry
    on conflict (contact_id) do update set
        total_interactions = crm_contactmemory.total_interactions + excluded.total_interactions,
        last_message_at = greatest(crm_contactmemory.last_message_at, excluded.last_message_at),
        conversation_started_at = least(crm_contactmemory.conversation_started_at, excluded.conversation_started_at),
        updated_at = excluded.updated_at
"""


@unit_of_work
def update_profile(*, actor: Actor, contact_id: UUID, changes: Mapping[str, Any]) -> ContactProfile:
    """`changes`: some of PROFILE_FIELDS, checked. What is not named stays."""
    contact = contact_for(actor, contact_id)
    check(actor, Action.EDIT_CONTACTS)
    ContactProfile.objects.bulk_create(
        [ContactProfile(contact=contact, workspace_id=contact.workspace_id)], ignore_conflicts=True
    )
    profile = ContactProfile.objects.select_for_update(no_key=True).get(contact=contact)
    wanted = _with_band(changes)
    for name, value in wanted.items():
        setattr(profile, name, value)
    profile.save(update_fields=[*wanted, "updated_at"])
    publish(topics.contact(contact.pk), ProfileUpdated(contact.pk, profile_payload(profile)))
    return profile


def _with_band(changes: Mapping[str, Any]) -> dict[str, Any]:
    named = {name: changes[name] for name in PROFILE_FIELDS if name in changes}
    if "burnout_score" in named and "burnout_band" not in named:
        named["burnout_band"] = band_of(named["burnout_score"])
    return named


def band_of(score: Decimal | None) -> str:
    if score is None:
        return ""
    return next((band.value for least, band in BANDS if score >= least), BurnoutBand.LOW.value)


@unit_of_work
def update_memory(*, actor: Actor, contact_id: UUID, changes: Mapping[str, Any]) -> ContactMemory:
    """`changes`: some of MEMORY_FIELDS, checked. The count of interactions is the product's own."""
    contact = contact_for(actor, contact_id)
    check(actor, Action.EDIT_CONTACTS)
    ContactMemory.objects.bulk_create(
        [ContactMemory(contact=contact, workspace_id=contact.workspace_id)], ignore_conflicts=True
    )
    memory = ContactMemory.objects.select_for_update(no_key=True).get(contact=contact)
    wanted = {name: changes[name] for name in MEMORY_FIELDS if name in changes}
    for name, value in wanted.items():
        setattr(memory, name, value)
    memory.save(update_fields=[*wanted, "updated_at"])
    publish(topics.contact(contact.pk), StateUpdated(contact.pk, state_payload(memory)))
    return memory


def count_interactions(*, contact: Contact, at: datetime, number: int = 1) -> None:
    """After the commit of the caller's unit of work. Lost when the process dies in that instant, which is what
    `backfill_split_tables` is for: no message waits for a number that can be counted again."""
    row = {"contact": contact.pk, "workspace": contact.workspace_id, "at": at, "number": number}
    on_commit(partial(statements.execute, _COUNT, row))


def get_profile(actor: Actor, contact_id: UUID) -> ContactProfile:
    """An empty one for a contact that has none yet."""
    contact = contact_for(actor, contact_id)
    found = ContactProfile.objects.filter(contact=contact).first()
    return found or ContactProfile(contact=contact, workspace_id=contact.workspace_id)


def get_memory(actor: Actor, contact_id: UUID) -> ContactMemory:
    contact = contact_for(actor, contact_id)
    found = ContactMemory.objects.filter(contact=contact).first()
    return found or ContactMemory(contact=contact, workspace_id=contact.workspace_id)
