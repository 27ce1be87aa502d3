"""Kinds of field, and what may be asked of each."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q

from crm.filters.values import Operators, Reader, Wrong, moment, person, text, texts, whole

NO_DAYS_BEFORE = 36_500


def words(column: str, allowed: tuple[str, ...] = ()) -> Operators:
    def one_of(_: Reader, value: Any) -> Q:
        values = texts(value)
        if allowed and not set(values) <= set(allowed):
            raise Wrong(f"Of: {', '.join(allowed)}.")
        return Q(**{f"{column}__in": values})

    return {
        "is": lambda reader, value: one_of(reader, [value]),
        "is_not": lambda reader, value: ~one_of(reader, [value]),
        "in": one_of,
        "not_in": lambda reader, value: ~one_of(reader, value),
        **emptiness(Q(**{column: ""}) | Q(**{f"{column}__isnull": True})),
    }


def free_text(column: str) -> Operators:
    return {
        "is": lambda _, value: Q(**{f"{column}__iexact": text(value)}),
        "is_not": lambda _, value: ~Q(**{f"{column}__iexact": text(value)}),
        "contains": lambda _, value: Q(**{f"{column}__icontains": text(value)}),
        "not_contains": lambda _, value: ~Q(**{f"{column}__icontains": text(value)}),
        "starts_with": lambda _, value: Q(**{f"{column}__istartswith": text(value)}),
        **emptiness(Q(**{column: ""})),
    }


def emptiness(empty: Q) -> Operators:
    return {"is_empty": lambda _, __: empty, "is_not_empty": lambda _, __: ~empty}


def numbers(column: str, read: Callable[[Any], float]) -> Operators:
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
        **emptiness(Q(**{f"{column}__isnull": True})),
    }


def moments(column: str) -> Operators:
    def since(reader: Reader, value: Any) -> datetime:
        return reader.now - timedelta(days=whole(value, 0, NO_DAYS_BEFORE))

    return {
        "after": lambda _, value: Q(**{f"{column}__gte": moment(value)}),
        "before": lambda _, value: Q(**{f"{column}__lt": moment(value)}),
        "within_days": lambda reader, value: Q(**{f"{column}__gte": since(reader, value)}),
        "not_within_days": lambda reader, value: (
            Q(**{f"{column}__lt": since(reader, value)}) | Q(**{f"{column}__isnull": True})
        ),
        **emptiness(Q(**{f"{column}__isnull": True})),
    }


def lists(column: str) -> Operators:
    return {
        "any": lambda _, value: Q(**{f"{column}__overlap": texts(value)}),
        "all": lambda _, value: Q(**{f"{column}__contains": texts(value)}),
        "none": lambda _, value: ~Q(**{f"{column}__overlap": texts(value)}),
        **emptiness(Q(**{f"{column}__len": 0}) | Q(**{f"{column}__isnull": True})),
    }


def people(column: str) -> Operators:
    def one_of(reader: Reader, value: Any) -> Q:
        named = texts(value)
        ids = [person(reader, one) for one in named if one != "none"]
        nobody = Q(**{f"{column}__isnull": True}) if "none" in named else Q(pk__in=[])
        return (Q(**{f"{column}__in": ids}) | nobody) if "none" in named else Q(**{f"{column}__in": ids})

    return {
        "is": lambda reader, value: one_of(reader, [value]),
        "is_not": lambda reader, value: ~one_of(reader, [value]),
        "in": one_of,
        "not_in": lambda reader, value: ~one_of(reader, value),
        **emptiness(Q(**{f"{column}__isnull": True})),
    }


def yes_or_no(yes: Q) -> Operators:
    def holds(_: Reader, value: Any) -> Q:
        if not isinstance(value, bool):
            raise Wrong("true or false.")
        return yes if value else ~yes

    return {"is": holds}
