"""What the list's query says, as conditions of crm/filters: parameters join by AND, a saved view's tree on top."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import django_filters
from django.db.models import Q, QuerySet

from config.errors import Invalid
from crm.access import known_contacts, visible_contacts
from crm.actors import Actor
from crm.filters import Wrong, compile_filters, condition_of
from crm.models import Contact
from crm.queries.orders import Order
from crm.queries.views import view_for
from crm.queries.words import named_like

ATTRIBUTE = "attribute."
_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,15})?")


class _List(django_filters.CharFilter):  # type: ignore[misc]  # has no types
    """`a,b,c`."""


class _YesOrNo(django_filters.CharFilter):  # type: ignore[misc]  # has no types
    """`true` or `false`; django-filter's own takes any other word for silence."""


class ContactFilter(django_filters.FilterSet):  # type: ignore[misc]  # has no types
    """Each parameter is one condition, meant as crm/filters says. `help_text` is for the API's document."""

    q = django_filters.CharFilter(
        method="by_words", max_length=200, help_text="Words or parts of a name, an address or a number"
    )
    lead_status = _List(method="one_of", help_text="One of these, with commas between")
    owner = _List(method="one_of", help_text="One of these: me, none, members' ids")
    tags = _List(method="any_of", help_text="Any of these, with commas between")
    tags_all = _List(method="all_of", help_text="All of these")
    tags_none = _List(method="none_of", help_text="None of these")
    score_min = django_filters.NumberFilter(method="at_least", help_text="Lead score, 0 to 100")
    score_max = django_filters.NumberFilter(method="at_most", help_text="Lead score, 0 to 100")
    created_after = django_filters.CharFilter(method="after", help_text="A time, or a day from its midnight in UTC")
    created_before = django_filters.CharFilter(method="before", help_text="A time, or a day from its midnight in UTC")
    seen_after = django_filters.CharFilter(method="after", help_text="A message in or out since then")
    seen_before = django_filters.CharFilter(method="before", help_text="No message in or out since then")
    seen_within = django_filters.NumberFilter(method="within", help_text="A message in or out within so many days")
    has_phone = _YesOrNo(method="yes_or_no", help_text="Whether a number is known")
    has_email = _YesOrNo(method="yes_or_no", help_text="Whether an e-mail address is known")
    journey_phase = _List(method="one_of", help_text="Of the profile: one of these")
    band = _List(method="one_of", help_text="Of the profile: one of low, moderate, high, severe")
    subscription = _List(method="one_of", help_text="How billing stands: one of these")
    deleted = django_filters.ChoiceFilter(
        choices=[("only", "only")], method="leave", help_text="The deleted ones, which can be restored"
    )
    view = django_filters.UUIDFilter(method="by_view", help_text="A saved view; the other parameters narrow it")
    sort = django_filters.ChoiceFilter(
        choices=Order.choices, method="leave", help_text="newest, where neither this nor a view says otherwise"
    )

    class Meta:
        model = Contact
        fields: list[str] = []

    def __init__(self, data: Mapping[str, str], *, queryset: "QuerySet[Contact]", actor: Actor) -> None:
        # What is not asked for need not be copied for each request
        self.base_filters = {name: one for name, one in self.declared_filters.items() if name in data}
        super().__init__(data, queryset=queryset)
        self.actor = actor
        self.wrong: dict[str, str] = {}
        self.view_sort = ""
        self.known_views: Sequence[Mapping[str, Any]] = ()

    def _where(self, rows: "QuerySet[Contact]", parameter: str, name: str, operator: str, value: Any) -> Any:
        try:
            return rows.filter(condition_of(self.actor, name, operator, value))
        except Wrong as wrong:
            self.wrong[parameter] = str(wrong)
            return rows

    def one_of(self, rows: "QuerySet[Contact]", name: str, value: str) -> Any:
        field = {"band": "burnout_band"}.get(name, name)
        return self._where(rows, name, field, "in", _parts(value))

    def any_of(self, rows: "QuerySet[Contact]", name: str, value: str) -> Any:
        return self._where(rows, name, "tags", "any", _parts(value))

    def all_of(self, rows: "QuerySet[Contact]", name: str, value: str) -> Any:
        return self._where(rows, name, "tags", "all", _parts(value))

    def none_of(self, rows: "QuerySet[Contact]", name: str, value: str) -> Any:
        return self._where(rows, name, "tags", "none", _parts(value))

    def at_least(self, rows: "QuerySet[Contact]", name: str, value: Any) -> Any:
        return self._where(rows, name, "lead_score", "at_least", _whole(value))

    def at_most(self, rows: "QuerySet[Contact]", name: str, value: Any) -> Any:
        return self._where(rows, name, "lead_score", "at_most", _whole(value))

    def after(self, rows: "QuerySet[Contact]", name: str, value: str) -> Any:
        return self._where(rows, name, _TIMES[name.partition("_")[0]], "after", value)

    def before(self, rows: "QuerySet[Contact]", name: str, value: str) -> Any:
        return self._where(rows, name, _TIMES[name.partition("_")[0]], "before", value)

    def within(self, rows: "QuerySet[Contact]", name: str, value: Any) -> Any:
        return self._where(rows, name, "last_seen", "within_days", _whole(value))

    def yes_or_no(self, rows: "QuerySet[Contact]", name: str, value: str) -> Any:
        return self._where(rows, name, name, "is", _TRUTHS.get(value.lower(), value))

    def by_words(self, rows: "QuerySet[Contact]", name: str, value: str) -> Any:
        return rows.filter(named_like(value))

    def by_view(self, rows: "QuerySet[Contact]", name: str, value: Any) -> Any:
        known = next((one for one in self.known_views if one["id"] == str(value)), None)
        if known is None:
            found = view_for(self.actor, value)
            known = {"sort": found.sort, "filters": found.filters}
        self.view_sort = known["sort"]
        return rows.filter(compile_filters(self.actor, known["filters"]))

    def leave(self, rows: "QuerySet[Contact]", name: str, value: Any) -> Any:
        """Decides where the list begins, or in which order it goes."""
        return rows


_TIMES = {"created": "created_at", "seen": "last_seen"}
_TRUTHS = {"true": True, "1": True, "false": False, "0": False}


def narrowed(
    actor: Actor, query: Mapping[str, str], *, views: Sequence[Mapping[str, Any]] = ()
) -> "tuple[QuerySet[Contact], Order]":
    """Invalid names every wrong parameter. `views`: those that have been read already."""
    rows = _beginning(actor, query)
    chosen = ContactFilter(dict(query.items()), queryset=rows, actor=actor)
    chosen.known_views = views
    errors: dict[str, Any] = {} if chosen.is_valid() else dict(chosen.errors)
    if not errors:
        rows = chosen.qs
        errors = chosen.wrong
    for name, value in query.items():
        if name.startswith(ATTRIBUTE):
            rows = rows.filter(_attribute(actor, name, value, errors))
    if errors:
        raise Invalid(errors=errors)
    sort = query.get("sort") or chosen.view_sort or Order.NEWEST
    return rows, Order(sort)


def _beginning(actor: Actor, query: Mapping[str, str]) -> "QuerySet[Contact]":
    if query.get("deleted") == "only":
        return known_contacts(actor).filter(deleted_at__isnull=False, merged_into=None)
    return visible_contacts(actor)


def _attribute(actor: Actor, name: str, value: str, errors: dict[str, Any]) -> Q:
    """A query has only texts: one that reads as a number or as true is tried as such too."""
    problem = ""
    for one in _readings(value):
        try:
            return condition_of(actor, name, "is", one)
        except Wrong as wrong:
            problem = problem or str(wrong)
    errors[name] = problem
    return Q()


def _readings(value: str) -> list[Any]:
    readings: list[Any] = [value]
    if value in {"true", "false"}:
        readings.append(value == "true")
    if _NUMBER.fullmatch(value):
        readings.append(float(value) if "." in value else int(value))
    return readings


def _parts(value: str) -> list[str]:
    return [part.strip() for part in value.split(",") if part.strip()]


def _whole(value: Any) -> Any:
    return int(value) if value == int(value) else float(value)
