"""A free tree of AND and OR over what a contact is, checked and compiled to a condition. Saved views keep such trees.

    {"all": [{"field": "lead_status", "is": "in", "value": ["new"]}, {"any": [ … ]}, {"not": { … }}]}

The list's own query parameters are the same conditions, joined by AND.
"""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.db.models import BooleanField, Exists, F, Field, Func, JSONField, OuterRef, Q, TextField, Value
from django.db.models.lookups import IContains
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from config.errors import Invalid
from crm.actors import Actor, System
from crm.models import AttributeDefinition, AttributeType, BillingAccount, BurnoutBand, SubscriptionStatus
from crm.search import fold
from crm.values import problem_with

DEEPEST = 5  # groups within groups
MOST = 50  # conditions
MOST_VALUES = 200
LONGEST = 200  # characters of one value
NO_DAYS_BEFORE = 36_500


class Wrong(Exception):
    """A sentence about one condition."""


Definitions = dict[str, AttributeDefinition]


@dataclass(slots=True)
class Reader:
    actor: Actor
    definitions: Definitions
    fields: Mapping[str, "Operators"] = field(default_factory=lambda: FIELDS)
    now: datetime = field(default_factory=timezone.now)
    count: int = 0
    errors: dict[str, str] = field(default_factory=dict)


Build = Callable[[Reader, Any], Q]
Operators = Mapping[str, Build]


def compile_filters(actor: Actor, tree: object, fields: "Mapping[str, Operators] | None" = None) -> Q:
    """`fields` are what the tree may name, a contact's by default. Invalid with a sentence for every wrong place of
    the tree, named filters.all.0.value."""
    reader = Reader(actor, _definitions(actor, tree)) if fields is None else Reader(actor, {}, fields)
    condition = _node(reader, tree, "filters", 0)
    if reader.errors:
        raise Invalid(errors=reader.errors)
    return condition


def condition_of(actor: Actor, name: str, operator: str, value: Any, *, known: Definitions | None = None) -> Q:
    """One condition; Wrong with a sentence when it cannot be. `known` are the workspace's own fields, where they have
    been read already."""
    if known is None:
        known = definitions_of(actor) if is_own(name) else {}
    return _condition(Reader(actor, known), name, operator, value)


def is_own(name: str) -> bool:
    """A field that the workspace has added."""
    return name.startswith("attribute.")


def definitions_of(actor: Actor) -> Definitions:
    return {row.key: row for row in AttributeDefinition.objects.filter(workspace_id=actor.workspace_id)}


def field_names() -> list[str]:
    return sorted(FIELDS)


def _definitions(actor: Actor, tree: object) -> Definitions:
    return definitions_of(actor) if "attribute." in str(tree) else {}


# --- The tree -----------------------------------------------------------------------------------------------


def _node(reader: Reader, node: object, place: str, depth: int) -> Q:
    if not isinstance(node, dict):
        return _wrong(reader, place, "A group or a condition.")
    if not node and depth == 0:
        return Q()
    if depth > DEEPEST:
        return _wrong(reader, place, f"At most {DEEPEST} groups within each other.")
    if "field" in node:
        return _leaf(reader, node, place)
    if len(node) != 1 or not node.keys() <= {"all", "any", "not"}:
        return _wrong(reader, place, 'A condition has "field", "is" and "value"; a group is "all", "any" or "not".')
    ((kind, inside),) = node.items()
    if kind == "not":
        return ~_node(reader, inside, f"{place}.not", depth + 1)
    if not isinstance(inside, list):
        return _wrong(reader, f"{place}.{kind}", "A list.")
    if len(inside) > MOST:
        return _wrong(reader, f"{place}.{kind}", f"At most {MOST} conditions.")
    joined = Q(_connector=Q.AND if kind == "all" else Q.OR)
    for position, one in enumerate(inside):
        joined.add(_node(reader, one, f"{place}.{kind}.{position}", depth + 1), joined.connector)
    return joined


def _leaf(reader: Reader, node: dict[str, Any], place: str) -> Q:
    reader.count += 1
    if reader.count > MOST:
        return _wrong(reader, place, f"At most {MOST} conditions.")
    if unknown := node.keys() - {"field", "is", "value"}:
        return _wrong(reader, f"{place}.{sorted(unknown)[0]}", "There is no such part of a condition.")
    try:
        return _condition(reader, node["field"], node.get("is", "is"), node.get("value"))
    except Wrong as wrong:
        return _wrong(reader, place, str(wrong))


def _condition(reader: Reader, name: object, operator: object, value: Any) -> Q:
    operators = _operators(reader, name)
    if not isinstance(operator, str) or operator not in operators:
        raise Wrong(f"This field takes one of: {', '.join(operators)}.")
    return operators[operator](reader, value)


def _operators(reader: Reader, name: object) -> Operators:
    if isinstance(name, str) and name in reader.fields:
        return reader.fields[name]
    key = name.removeprefix("attribute.") if isinstance(name, str) and name.startswith("attribute.") else ""
    if key in reader.definitions:
        return _attribute(reader.definitions[key])
    raise Wrong("There is no such field.")


def _wrong(reader: Reader, place: str, sentence: str) -> Q:
    reader.errors[place] = sentence
    return Q()


# --- Values -------------------------------------------------------------------------------------------------


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value or len(value) > LONGEST or "\x00" in value:
        raise Wrong(f"A text of at most {LONGEST} characters.")
    return value


def _texts(value: Any) -> list[str]:
    if not isinstance(value, list) or not 0 < len(value) <= MOST_VALUES:
        raise Wrong(f"A list of 1 to {MOST_VALUES} values.")
    return [_text(one) for one in value]


def _whole(value: Any, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise Wrong(f"A whole number from {least} to {most}.")
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or abs(value) > 1e15:
        raise Wrong("A number.")
    return value


def _moment(value: Any) -> datetime:
    """A day begins at midnight in UTC."""
    try:
        found = parse_datetime(value) if isinstance(value, str) and len(value) > 10 else None
        day = parse_date(value) if isinstance(value, str) and not found else None
    except ValueError:
        found = day = None
    if day:
        found = datetime(day.year, day.month, day.day, tzinfo=timezone.get_default_timezone())
    if found is None:
        raise Wrong("A time as 2026-01-31T09:00:00Z, or a day.")
    return found if found.tzinfo else found.replace(tzinfo=timezone.get_default_timezone())


def _person(reader: Reader, value: Any) -> UUID:
    if value == "me" and not isinstance(reader.actor, System):
        return reader.actor.user_id
    try:
        return UUID(_text(value))
    except ValueError:
        raise Wrong("me, none or a member's id.") from None


# --- Kinds of field -----------------------------------------------------------------------------------------


def words(column: str, allowed: tuple[str, ...] = ()) -> Operators:
    def one_of(_: Reader, value: Any) -> Q:
        values = _texts(value)
        if allowed and not set(values) <= set(allowed):
            raise Wrong(f"Of: {', '.join(allowed)}.")
        return Q(**{f"{column}__in": values})

    return {
        "is": lambda reader, value: one_of(reader, [value]),
        "is_not": lambda reader, value: ~one_of(reader, [value]),
        "in": one_of,
        "not_in": lambda reader, value: ~one_of(reader, value),
        **_emptiness(Q(**{column: ""}) | Q(**{f"{column}__isnull": True})),
    }


def _free_text(column: str) -> Operators:
    return {
        "is": lambda _, value: Q(**{f"{column}__iexact": _text(value)}),
        "is_not": lambda _, value: ~Q(**{f"{column}__iexact": _text(value)}),
        "contains": lambda _, value: Q(**{f"{column}__icontains": _text(value)}),
        "not_contains": lambda _, value: ~Q(**{f"{column}__icontains": _text(value)}),
        "starts_with": lambda _, value: Q(**{f"{column}__istartswith": _text(value)}),
        **_emptiness(Q(**{column: ""})),
    }


def _emptiness(empty: Q) -> Operators:
    return {"is_empty": lambda _, __: empty, "is_not_empty": lambda _, __: ~empty}


def _numbers(column: str, read: Callable[[Any], float]) -> Operators:
    def between(_: Reader, value: Any) -> Q:
        if not isinstance(value, list) or len(value) != 2:
            raise Wrong("Two numbers.")
        return Q(**{f"{column}__gte": read(value[0]), f"{column}__lte": read(value[1])})

    return {
        "is": lambda _, value: Q(**{column: read(value)}),
        "is_not": lambda _, value: ~Q(**{column: read(value)}),
        "at_least": lambda _, value: Q(**{f"{column}__gte": read(value)}),
        "at_most": lambda _, value: Q(**{f"{column}__lte": read(value)}),
        "between": between,
        **_emptiness(Q(**{f"{column}__isnull": True})),
    }


def moments(column: str) -> Operators:
    def since(reader: Reader, value: Any) -> datetime:
        return reader.now - timedelta(days=_whole(value, 0, NO_DAYS_BEFORE))

    return {
        "after": lambda _, value: Q(**{f"{column}__gte": _moment(value)}),
        "before": lambda _, value: Q(**{f"{column}__lt": _moment(value)}),
        "within_days": lambda reader, value: Q(**{f"{column}__gte": since(reader, value)}),
        "not_within_days": lambda reader, value: (
            Q(**{f"{column}__lt": since(reader, value)}) | Q(**{f"{column}__isnull": True})
        ),
        **_emptiness(Q(**{f"{column}__isnull": True})),
    }


def _lists(column: str) -> Operators:
    return {
        "any": lambda _, value: Q(**{f"{column}__overlap": _texts(value)}),
        "all": lambda _, value: Q(**{f"{column}__contains": _texts(value)}),
        "none": lambda _, value: ~Q(**{f"{column}__overlap": _texts(value)}),
        **_emptiness(Q(**{f"{column}__len": 0}) | Q(**{f"{column}__isnull": True})),
    }


def people(column: str) -> Operators:
    def one_of(reader: Reader, value: Any) -> Q:
        named = _texts(value)
        ids = [_person(reader, one) for one in named if one != "none"]
        nobody = Q(**{f"{column}__isnull": True}) if "none" in named else Q(pk__in=[])
        return (Q(**{f"{column}__in": ids}) | nobody) if "none" in named else Q(**{f"{column}__in": ids})

    return {
        "is": lambda reader, value: one_of(reader, [value]),
        "is_not": lambda reader, value: ~one_of(reader, [value]),
        "in": one_of,
        "not_in": lambda reader, value: ~one_of(reader, value),
        **_emptiness(Q(**{f"{column}__isnull": True})),
    }


def yes_or_no(yes: Q) -> Operators:
    def holds(_: Reader, value: Any) -> Q:
        if not isinstance(value, bool):
            raise Wrong("true or false.")
        return yes if value else ~yes

    return {"is": holds}


def _phone(column: str) -> Operators:
    def containing(_: Reader, value: Any) -> Q:
        digits = "".join(one for one in fold(_text(value)) if one.isdigit())
        if not digits:
            raise Wrong("Some digits.")
        return Q(**{f"{column}__contains": digits})

    return {"contains": containing, **_emptiness(Q(**{column: ""}))}


def _subscription() -> Operators:
    accounts = BillingAccount.objects.filter(contact=OuterRef("pk"))

    def one_of(_: Reader, value: Any) -> Q:
        values = _texts(value)
        if not set(values) <= set(SubscriptionStatus.values):
            raise Wrong(f"Of: {', '.join(SubscriptionStatus.values)}.")
        return Q(Exists(accounts.filter(status__in=values)))

    return {
        "is": lambda reader, value: one_of(reader, [value]),
        "is_not": lambda reader, value: ~one_of(reader, [value]),
        "in": one_of,
        "not_in": lambda reader, value: ~one_of(reader, value),
        **_emptiness(~Q(Exists(accounts))),
    }


FIELDS: dict[str, Operators] = {
    "lead_status": words("lead_status"),
    "lead_score": _numbers("lead_score", partial(_whole, least=0, most=100)),
    "owner": people("owner_id"),
    "tags": _lists("tags"),
    "name": _free_text("name"),
    "email": _free_text("email"),
    "phone": _phone("phone_normalized"),
    "has_phone": yes_or_no(~Q(phone_normalized="")),
    "has_email": yes_or_no(~Q(email="")),
    "created_at": moments("created_at"),
    "updated_at": moments("updated_at"),
    "last_seen": moments("memory__last_message_at"),
    "journey_phase": words("profile__journey_phase"),
    "burnout_band": words("profile__burnout_band", tuple(BurnoutBand.values)),
    "burnout_score": _numbers("profile__burnout_score", _number),
    "pressure_zones": _lists("profile__pressure_zones"),
    "last_contact": moments("profile__last_contact_at"),
    "subscription": _subscription(),
}


# --- The workspace's own fields -----------------------------------------------------------------------------


def _attribute(definition: AttributeDefinition) -> Operators:
    key = definition.key
    empty = ~Q(attributes__has_key=key)
    same: Operators = {
        "is": lambda _, value: Q(attributes__contains={key: _of_type(definition, value)}),
        "is_not": lambda _, value: ~Q(attributes__contains={key: _of_type(definition, value)}),
        **_emptiness(empty),
    }
    kind = AttributeType(definition.type)
    if kind is AttributeType.BOOLEAN:
        return same
    if kind is AttributeType.NUMBER:
        return {
            **same,
            "at_least": lambda _, value: ~empty & _compared(key, ">=", _number(value)),
            "at_most": lambda _, value: ~empty & _compared(key, "<=", _number(value)),
        }
    if kind is AttributeType.DATE:  # written so that they sort as text
        return {
            **same,
            "after": lambda _, value: ~empty & _compared(key, ">=", _of_type(definition, value)),
            "before": lambda _, value: ~empty & _compared(key, "<", _of_type(definition, value)),
        }
    return {
        **same,
        "in": partial(_attribute_in, definition),
        "contains": lambda _, value: ~empty & Q(IContains(_part(key, " ->> ", TextField()), _text(value))),
    }


def _part(key: str, arrow: str, kind: "Field[Any, Any]") -> Func:
    """By hand: a key may be spelled as one of Django's look-ups is."""
    return Func(F("attributes"), Value(key), template="(%(expressions)s)", arg_joiner=arrow, output_field=kind)


def _compared(key: str, sign: str, value: object) -> Q:
    given = Func(Value(json.dumps(value)), template="%(expressions)s::jsonb", output_field=JSONField())
    held = _part(key, " -> ", JSONField())
    return Q(Func(held, given, template="(%(expressions)s)", arg_joiner=f" {sign} ", output_field=BooleanField()))


def _attribute_in(definition: AttributeDefinition, _: Reader, value: Any) -> Q:
    wanted = Q(_connector=Q.OR)
    for one in _texts(value):
        wanted.add(Q(attributes__contains={definition.key: _of_type(definition, one)}), Q.OR)
    return wanted


def _of_type(definition: AttributeDefinition, value: Any) -> Any:
    if problem := problem_with(definition, value):
        raise Wrong(problem)
    return value
