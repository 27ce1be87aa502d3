"""Fields that a workspace adds to its contacts: their definitions, and values checked by their types."""

from collections.abc import Mapping
from typing import Any, TypedDict
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Max, QuerySet
from django.utils import timezone

from config.errors import Invalid, NotFound, Said
from config.live.unit import unit_of_work
from crm.access import check
from crm.actors import Actor
from crm.errors import AttributeKnown, AttributeTypeFixed
from crm.models import AttributeDefinition, AttributeType
from crm.roles import Action
from crm.services import audit
from crm.values import problem_with

MOST_DEFINITIONS = 100


def visible_definitions(actor: Actor) -> "QuerySet[AttributeDefinition]":
    """In the order in which they are shown, archived ones included."""
    if not actor.may(Action.READ_INBOX):
        return AttributeDefinition.objects.none()
    return AttributeDefinition.objects.filter(workspace_id=actor.workspace_id).order_by("position", "id")


# --- Values -------------------------------------------------------------------------------------------------


def checked_values(actor: Actor, held: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """`held` with `given` put in. Every wrong value is named by its own field, attributes.<key>."""
    definitions = AttributeDefinition.objects.filter(workspace_id=actor.workspace_id, archived_at=None)
    known = {row.key: row for row in definitions.filter(key__in=list(given))}
    values, errors = dict(held), {}
    for key, value in given.items():
        if value is None:
            values.pop(key, None)
        elif key not in known:
            errors[f"attributes.{key}"] = "There is no such attribute."
        elif problem := problem_with(known[key], value):
            errors[f"attributes.{key}"] = problem
        else:
            values[key] = value
    if errors:
        raise Invalid(errors=errors)
    return values


# --- Definitions ------------------------------------------------------------------------------------------


class DefinitionFields(TypedDict, total=False):
    key: str
    label: str
    type: str
    choices: list[str]
    position: int
    archived: bool


@unit_of_work
def define_attribute(*, actor: Actor, fields: DefinitionFields) -> AttributeDefinition:
    check(actor, Action.MANAGE_SETTINGS)
    rows = AttributeDefinition.objects.filter(workspace_id=actor.workspace_id)
    if rows.count() >= MOST_DEFINITIONS:
        raise Invalid(errors={"key": Said("At most {most} attributes.", most=MOST_DEFINITIONS)})
    last = rows.aggregate(last=Max("position"))["last"]
    definition = AttributeDefinition(
        workspace_id=actor.workspace_id,
        key=fields["key"],
        label=fields["label"],
        type=fields["type"],
        choices=_choices(fields["type"], fields.get("choices", [])),
        position=fields.get("position", 0 if last is None else last + 1),
    )
    try:
        with transaction.atomic():
            definition.save(force_insert=True)
    except IntegrityError:
        raise AttributeKnown from None
    _record(actor, definition, "attribute.defined", {"type": definition.type})
    return definition


@unit_of_work
def change_attribute(*, actor: Actor, attribute_id: UUID, fields: DefinitionFields) -> AttributeDefinition:
    """The type stays, since values of it are stored. An archived one is asked for no longer and keeps its values."""
    check(actor, Action.MANAGE_SETTINGS)
    definition = visible_definitions(actor).select_for_update(no_key=True).filter(pk=attribute_id).first()
    if definition is None:
        raise NotFound
    if fields.get("type", definition.type) != definition.type or fields.get("key", definition.key) != definition.key:
        raise AttributeTypeFixed
    before = (definition.label, definition.choices, definition.position, definition.archived_at)
    definition.label = fields.get("label", definition.label)
    definition.position = fields.get("position", definition.position)
    if "choices" in fields:
        definition.choices = _choices(definition.type, fields["choices"])
    if "archived" in fields:
        definition.archived_at = (definition.archived_at or timezone.now()) if fields["archived"] else None
    if before != (definition.label, definition.choices, definition.position, definition.archived_at):
        definition.save()
        _record(actor, definition, "attribute.changed", {"fields": sorted(fields)})
    return definition


def _choices(type: str, choices: list[str]) -> list[str]:  # noqa: A002
    chosen = list(dict.fromkeys(choices))
    if (type == AttributeType.CHOICE) != bool(chosen):
        raise Invalid(errors={"choices": "An attribute of the type choice needs choices, and no other takes them."})
    return chosen


def _record(actor: Actor, definition: AttributeDefinition, action: str, detail: dict[str, Any]) -> None:
    audit.record(
        actor=actor,
        action=action,
        target_kind="attribute",
        target_id=definition.pk,
        detail={"key": definition.key, **detail},
    )
