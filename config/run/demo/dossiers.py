"""What is kept of the demo's people beside their conversations: profile, an assistant's memory, notes, subscription."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import connection

from config.run.demo.people import DEMO, USERS
from crm.ids import uuid7_at
from crm.models import BillingAccount, Contact, ContactMemory, ContactNote, ContactProfile, SubscriptionStatus
from crm.services.profiles import band_of


@dataclass(frozen=True, slots=True)
class Dossier:
    name: str
    first_name: str
    phase: str
    score: str
    zones: tuple[str, ...]
    summary: str
    note: str
    by: str
    relationship: str = ""
    status: SubscriptionStatus | None = None
    days: float = 0  # until the trial or the period ends


DOSSIERS = (
    Dossier(
        "Lucía Fernández", "Lucía", "deciding", "31.5", ("schedule",),
        "Asks about times and prices in Spanish, mostly in the evening. Wants everything in writing.",
        "Prefers to be called Lucía, and after six in the evening.", "ben", status=SubscriptionStatus.TRIALING, days=6,
    ),
    Dossier(
        "Dewi Lestari", "Dewi", "paying", "18", (),
        "Pays by bank transfer and always sends the receipt as a picture.",
        "Transfers come from her husband's account; the name differs.", "ben", relationship="mother",
        status=SubscriptionStatus.ACTIVE, days=23,
    ),
    Dossier(
        "نورة القحطاني", "نورة", "enrolling", "44", ("paperwork",),
        "Fills in forms with care and asks before sending. Arabic only.",
        "Registration form: the second page was missing once.", "ben", relationship="sister",
    ),
    Dossier(
        "Grace Mwangi", "Grace", "settling", "67.25", ("sleep", "money"),
        "Had trouble receiving messages; her telephone is often off at night.",
        "Call instead of writing when it is urgent.", "bea", relationship="daughter",
        status=SubscriptionStatus.PAST_DUE, days=-4,
    ),
    Dossier(
        "Marcus Reid", "Marcus", "settling", "52", ("time",),
        "Comes by car and asks about the way in. Short messages, quick answers.",
        "Parking space 12 is kept for him on Thursdays.", "ben", status=SubscriptionStatus.ACTIVE, days=11,
    ),
    Dossier(
        "Олена Шевченко", "Олена", "waiting", "78", ("health", "sleep"),
        "Waits for her doctor's letter before she decides. Ukrainian, some English.",
        "Do not press her before the letter has come.", "bea",
    ),
    Dossier(
        "Ana Sofía Rojas", "Ana Sofía", "leaving", "24", (),
        "Was content, moves to another town at the end of the month.",
        "Asked for a confirmation of her payments.", "bea", status=SubscriptionStatus.CANCELED, days=-2,
    ),
)  # fmt: skip
# The messages that each contact and we have exchanged, as `count_interactions` would have counted them.
_MEMORIES = """
insert into crm_contactmemory (contact_id, workspace_id, recent_messages, historical_summary, conversation_started_at,
    total_interactions, last_message_at, updated_at)
select c.contact_id, c.workspace_id, '[]', '', min(m.created_at), count(*), max(m.created_at), max(m.created_at)
from inbox_message m join inbox_conversation c on c.id = m.conversation_id
where c.workspace_id = %s and m.direction in ('in', 'out') and m.type <> 'reaction'
group by c.contact_id, c.workspace_id
"""


def create_dossiers(now: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_MEMORIES, [DEMO.id])
    named = {dossier.name: dossier for dossier in DOSSIERS}
    for contact in Contact.objects.filter(workspace_id=DEMO.id, name__in=named):
        _create(contact, named[contact.name], now)


def _create(contact: Contact, of: Dossier, now: datetime) -> None:
    ContactProfile.objects.create(
        contact=contact,
        workspace_id=contact.workspace_id,
        first_name=of.first_name,
        relationship=of.relationship,
        journey_phase=of.phase,
        burnout_score=Decimal(of.score),
        burnout_band=band_of(Decimal(of.score)),
        pressure_zones=list(of.zones),
        last_contact_at=contact.updated_at,
        assessment={"questions": 9, "answered": 4} if of.zones else {},
    )
    ContactMemory.objects.filter(contact=contact).update(historical_summary=of.summary)
    ContactNote.objects.create(
        id=uuid7_at(contact.updated_at - timedelta(minutes=3)),
        workspace_id=contact.workspace_id,
        contact=contact,
        author_id=USERS[of.by].id,
        body=of.note,
    )
    if of.status is not None:
        _subscribe(contact, of.status, now + timedelta(days=of.days))


def _subscribe(contact: Contact, status: SubscriptionStatus, until: datetime) -> None:
    began = until - timedelta(days=30)
    canceled = status == SubscriptionStatus.CANCELED
    BillingAccount.objects.create(
        workspace_id=contact.workspace_id,
        contact=contact,
        owner_event_at=began,
        stripe_customer_id=f"cus_demo{contact.pk.hex[-10:]}",
        stripe_subscription_id=f"sub_demo{contact.pk.hex[-10:]}",
        status=status,
        price_id="price_demo_monthly",
        quantity=1,
        period_end=until,
        trial_ends_at=until if status == SubscriptionStatus.TRIALING else None,
        canceled_at=until if canceled else None,
        ended_at=until if canceled else None,
        payment_failed_at=until if status == SubscriptionStatus.PAST_DUE else None,
        subscription_created_at=began,
        subscription_event_at=began,
    )
