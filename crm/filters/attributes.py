"""The workspace's own fields, by their types."""

import json
from functools import partial
from typing import Any

from django.db.models import BooleanField, F, Field, Func, JSONField, Q, TextField, Value
from django.db.models.lookups import IContains

from crm.filters.kinds import emptiness
from crm.filters.values import Operators, Reader, Wrong, number, text, texts
from crm.models import AttributeDefinition, AttributeType
from crm.values import problem_with


def operators_of(definition: AttributeDefinition) -> Operators:
    key = definition.key
    empty = ~Q(attributes__has_key=key)
    same: Operators = {
        "is": lambda _, value: Q(attributes__contains={key: _of_type(definition, value)}),
        "is_not": lambda _, value: ~Q(attributes__contains={key: _of_type(definition, value)}),
        **emptiness(empty),
    }
    kind = AttributeType(definition.type)
    if kind is AttributeType.BOOLEAN:
        return same
    if kind is AttributeType.NUMBER:
        return {
            **same,
            "at_least": lambda _, value: ~empty & _compared(key, ">=", number(value)),
            "at_most": lambda _, value: ~empty & _compared(key, "<=", number(value)),
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
        "contains": lambda _, value: ~empty & Q(IContains(_part(key, " ->> ", TextField()), text(value))),
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
    for one in texts(value):
        wanted.add(Q(attributes__contains={definition.key: _of_type(definition, one)}), Q.OR)
    return wanted


def _of_type(definition: AttributeDefinition, value: Any) -> Any:
    if problem := problem_with(definition, value):
        raise Wrong(problem)
    return value
