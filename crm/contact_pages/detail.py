"""/contacts/<id>: everything about one contact."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import F, OuterRef, Subquery
from django.db.models.functions import JSONObject
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from config.errors import Invalid, NotFound
from crm import topics
from crm.access import check, known_contacts, member_with_contact
from crm.actors import Member
from crm.contact_pages import words
from crm.contact_pages.frame import Choices, get_choices, rights, state_of
from crm.contact_pages.history import Reader, lines
from crm.models import PAST_DUE, BillingAccount, BurnoutBand, Contact, ContactIdentity
from crm.pages import signed_in, user_of
from crm.payloads import INSIDE
from crm.roles import Action
from crm.timeline import Stretch, kinds, stretch_of

STEPS = (25, 50, 100, 200)  # entries of the history, before it goes on page by page
MOST_TALKS = 5
TABS: tuple[tuple[str, Promise, tuple[str, ...]], ...] = (
    ("", lazy("Everything"), ()),
    ("conversations", lazy("Conversations"), ("conversation", "conversation_started")),
    ("notes", lazy("Notes"), ("note",)),
    ("payments", lazy("Payments"), ("billing", "payment")),
    ("changes", lazy("Changes"), ("change", "merge", "import")),
)

# With the contact, so that a page is a handful of statements
_KNOWN_BY = ArraySubquery(
    ContactIdentity.objects.filter(contact=OuterRef("pk"))
    .exclude(kind__in=INSIDE)
    .values(found=JSONObject(kind="kind", value="value"))
)
_MOMENTS = ("period_end", "trial_ends_at", "cancels_at", "collection_resumes_at", "payment_failed_at")
_ACCOUNT = Subquery(
    BillingAccount.objects.filter(contact=OuterRef("pk"))
    .order_by(F("subscription_created_at").desc(nulls_last=True), "-id")
    .values(
        found=JSONObject(
            id="id",
            status="status",
            price_id="price_id",
            quantity="quantity",
            customer="stripe_customer_id",
            collection_paused="collection_paused",
            **{name: name for name in _MOMENTS},
        )
    )[:1]
)
_TITLES = {"name": "name", "phone": "phone", "email": "email", "score": "lead_score"}


@signed_in
def contact(request: HttpRequest, contact_id: UUID) -> HttpResponse:
    actor = member_with_contact(user_of(request).pk, contact_id)
    check(actor, Action.READ_INBOX)
    found = _contact(actor, contact_id)
    if found.merged_into_id:
        return HttpResponseRedirect(f"/contacts/{found.merged_into_id}")
    choices = get_choices(request, actor)
    context = {
        "contact": found,
        "can": rights(actor),
        "editable": actor.may(Action.EDIT_CONTACTS) and found.deleted_at is None,
        "choices": choices,
        "owner_id": str(found.owner_id or ""),
        "owner_left": bool(found.owner_id and not choices.name_of(str(found.owner_id))),
        **{f"words_{name}": words.FIELDS[field] for name, field in _TITLES.items()},
        "number": _number(found),
        "identities": _identities(found),
        "lead_choices": _lead_choices(found, choices),
        "attributes": _attributes(found, choices),
        "others": [(name, words.value(value)) for name, value in found.metadata.items() if value not in (None, "")],
        "profile": _profile(found),
        "bands": BurnoutBand.values,
        "memory": getattr(found, "memory", None),
        "billing": _billing(found),
        **_history(request, actor, found, choices),
    }
    if request.GET.get("part") == "body":
        return render(request, "contacts/contact_body.html", context)
    state = {**state_of(request, actor, choices), "contact": {"id": found.pk, "name": found.display_name}}
    return render(request, "contacts/contact.html", {**context, "state": {**state, "topic": topics.contact(found.pk)}})


def _contact(actor: Member, contact_id: UUID) -> Contact:
    """Deleted ones too, so that they can be brought back."""
    rows = known_contacts(actor).select_related("owner", "memory", "profile")
    rows = rows.defer("search", "memory__recent_messages").annotate(known_by=_KNOWN_BY, account=_ACCOUNT)
    found = rows.filter(pk=contact_id).first()
    if found is None:
        raise NotFound
    return found


def _identities(found: Any) -> list[tuple[str, str]]:
    """Every other way they are known by than what the fields above say."""
    shown = {found.phone_normalized, found.email}
    known = sorted((one["kind"], one["value"]) for one in found.known_by)
    return [(kind, value) for kind, value in known if value not in shown]


def _number(found: Contact) -> str:
    """The number in full, where it was typed in another way."""
    typed = "".join(one for one in found.phone if one.isdigit() or one == "+")
    return found.phone_normalized if found.phone_normalized != typed else ""


def _lead_choices(found: Contact, choices: Choices) -> list[tuple[str, str]]:
    names = ["", *choices.lead_statuses]
    if found.lead_status not in names:
        names.append(found.lead_status)
    return [(name, words.lead(name)) for name in names]


def _attributes(found: Contact, choices: Choices) -> list[dict[str, Any]]:
    return [{**one, "value": found.attributes.get(one["key"])} for one in choices.attributes]


def _profile(found: Contact) -> list[dict[str, Any]]:
    """As the page edits it: each with the type of its field."""
    profile = getattr(found, "profile", None)
    titles = {
        "first_name": (_("First name"), "text"),
        "relationship": (_("Relationship"), "text"),
        "zip_code": (_("Zip code"), "text"),
        "journey_phase": (_("Journey"), "text"),
        "burnout_score": (_("Burnout score"), "score"),
        "burnout_band": (_("Burnout"), "band"),
        "pressure_zones": (_("Pressure"), "list"),
    }
    fields = []
    for name, (title, kind) in titles.items():
        value = getattr(profile, name, None)
        if name == "burnout_score" and value is not None:
            value = f"{value.normalize():f}"
        fields.append({"name": name, "title": title, "type": kind, "value": words.value(value)})
    return fields


def _billing(found: Any) -> dict[str, Any] | None:
    if not found.account:
        return None
    account = {
        name: datetime.fromisoformat(value) if value and name in _MOMENTS else value
        for name, value in found.account.items()
    }
    return {**account, "past_due": account["status"] in PAST_DUE}


# --- The history ----------------------------------------------------------------------------------------------------


def _history(request: HttpRequest, actor: Member, found: Contact, choices: Choices) -> dict[str, Any]:
    tab = next((one for one in TABS if one[0] == request.GET.get("kind", "")), TABS[0])
    number = request.GET.get("items", "")
    items = int(number) if number.isascii() and number.isdigit() and int(number[:4]) in STEPS else STEPS[0]
    cursor = request.GET.get("cursor", "")
    stretch, talks = Stretch([], None), Stretch([], None)
    if found.deleted_at is None:
        stretch = _stretch(actor, found, tab[2], cursor, items)
        talks = stretch_of(actor, found, wanted=_known(("conversation",)), limit=MOST_TALKS)
    reader = Reader(actor, choices, found)
    return {
        "tabs": [{"title": title, "href": _here(kind=name), "chosen": name == tab[0]} for name, title, _kinds in TABS],
        "tab": tab[0],
        "history": lines(stretch.items, reader),
        "talks": lines(talks.items, reader),
        "earlier": _earlier(tab[0], items, stretch.next),
        "newest": _here(kind=tab[0]) if cursor else "",
    }


def _stretch(actor: Member, found: Contact, wanted: tuple[str, ...], cursor: str, items: int) -> Stretch:
    try:
        return stretch_of(actor, found, wanted=_known(wanted), cursor=cursor or None, limit=items)
    except Invalid:  # a cursor that is none of ours
        return stretch_of(actor, found, wanted=_known(wanted), limit=items)


def _known(wanted: tuple[str, ...]) -> list[str]:
    return [kind for kind in wanted if kind in kinds()]


def _earlier(tab: str, items: int, cursor: str | None) -> str:
    """More of it in the same place; beyond the last step, the page before."""
    if cursor is None:
        return ""
    if items < STEPS[-1]:
        return _here(kind=tab, items=str(STEPS[STEPS.index(items) + 1]))
    return _here(kind=tab, items=str(items), cursor=cursor)


def _here(**query: str) -> str:
    return "?" + urlencode({name: value for name, value in query.items() if value})
