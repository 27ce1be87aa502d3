"""What a tree may ask of a contact."""

from functools import partial
from typing import Any

from django.db.models import Exists, OuterRef, Q

from crm.filters.kinds import emptiness, free_text, lists, moments, numbers, people, words, yes_or_no
from crm.filters.values import Operators, Reader, Wrong, number, text, texts, whole
from crm.models import BillingAccount, BurnoutBand, ContactMemory, ContactProfile, SubscriptionStatus
from crm.search import fold


def _phone(column: str) -> Operators:
    def containing(_: Reader, value: Any) -> Q:
        digits = "".join(one for one in fold(text(value)) if one.isdigit())
        if not digits:
            raise Wrong("Some digits.")
        return Q(**{f"{column}__contains": digits})

    return {"contains": containing, **emptiness(Q(**{column: ""}))}


def _subscription() -> Operators:
    accounts = BillingAccount.objects.filter(contact=OuterRef("pk"))

    def one_of(_: Reader, value: Any) -> Q:
        values = texts(value)
        if not set(values) <= set(SubscriptionStatus.values):
            raise Wrong(f"Of: {', '.join(SubscriptionStatus.values)}.")
        return Q(Exists(accounts.filter(status__in=values)))

    return {
        "is": lambda reader, value: one_of(reader, [value]),
        "is_not": lambda reader, value: ~one_of(reader, [value]),
        "in": one_of,
        "not_in": lambda reader, value: ~one_of(reader, value),
        **emptiness(~Q(Exists(accounts))),
    }


def _beside(model: type[ContactMemory] | type[ContactProfile], operators: Operators, filled: Q) -> Operators:
    """Empty is also who has no such row. Not by the join: of what an outer one leaves empty the planner expects nobody,
    and reads whole tables for them."""
    return {**operators, **emptiness(~Q(Exists(model.objects.filter(filled, contact=OuterRef("pk")))))}


_profile, _memory = partial(_beside, ContactProfile), partial(_beside, ContactMemory)
FIELDS: dict[str, Operators] = {
    "lead_status": words("lead_status"),
    "lead_score": numbers("lead_score", partial(whole, least=0, most=100)),
    "owner": people("owner_id"),
    "tags": lists("tags"),
    "name": free_text("name"),
    "email": free_text("email"),
    "phone": _phone("phone_normalized"),
    "has_phone": yes_or_no(~Q(phone_normalized="")),
    "has_email": yes_or_no(~Q(email="")),
    "created_at": moments("created_at"),
    "updated_at": moments("updated_at"),
    "last_seen": _memory(moments("memory__last_message_at"), Q(last_message_at__isnull=False)),
    "journey_phase": _profile(words("profile__journey_phase"), ~Q(journey_phase="")),
    "burnout_band": _profile(words("profile__burnout_band", tuple(BurnoutBand.values)), ~Q(burnout_band="")),
    "burnout_score": _profile(numbers("profile__burnout_score", number), Q(burnout_score__isnull=False)),
    "pressure_zones": _profile(lists("profile__pressure_zones"), ~Q(pressure_zones=[])),
    "last_contact": _profile(moments("profile__last_contact_at"), Q(last_contact_at__isnull=False)),
    "subscription": _subscription(),
}
