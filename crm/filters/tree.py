"""The tree of AND and OR, node by node."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Q

from config.errors import Invalid
from crm.actors import Actor
from crm.filters.attributes import operators_of
from crm.filters.contacts import FIELDS
from crm.filters.values import Definitions, Operators, Reader, Wrong
from crm.models import AttributeDefinition

DEEPEST = 5  # groups within groups
MOST = 50  # conditions


def compile_filters(actor: Actor, tree: object, fields: "Mapping[str, Operators] | None" = None) -> Q:
    """`fields` are what the tree may name, a contact's by default. Invalid with a sentence for every wrong place of
    the tree, named filters.all.0.value."""
    definitions = _definitions(actor, tree) if fields is None else {}
    reader = Reader(actor, definitions, FIELDS if fields is None else fields)
    condition = _node(reader, tree, "filters", 0)
    if reader.errors:
        raise Invalid(errors=reader.errors)
    return condition


def condition_of(actor: Actor, name: str, operator: str, value: Any, *, known: Definitions | None = None) -> Q:
    """One condition; Wrong with a sentence when it cannot be. `known` are the workspace's own fields, where they have
    been read already."""
    if known is None:
        known = definitions_of(actor) if is_own(name) else {}
    return _condition(Reader(actor, known, FIELDS), name, operator, value)


def is_own(name: str) -> bool:
    """A field that the workspace has added."""
    return name.startswith("attribute.")


def definitions_of(actor: Actor) -> Definitions:
    return {row.key: row for row in AttributeDefinition.objects.filter(workspace_id=actor.workspace_id)}


def field_names() -> list[str]:
    return sorted(FIELDS)


def _definitions(actor: Actor, tree: object) -> Definitions:
    return definitions_of(actor) if "attribute." in str(tree) else {}


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
        return operators_of(reader.definitions[key])
    raise Wrong("There is no such field.")


def _wrong(reader: Reader, place: str, sentence: str) -> Q:
    reader.errors[place] = sentence
    return Q()
