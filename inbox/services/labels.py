"""Labels of a workspace, and which of them a conversation wears."""

from collections.abc import Iterable
from typing import TypedDict
from uuid import UUID

from django.db import IntegrityError, transaction

from config.errors import Conflict, Invalid, NotFound, Said
from config.live.unit import unit_of_work
from crm.access import check
from crm.actors import Actor
from crm.roles import Action
from crm.services.audit import record
from inbox.access import conversation_for
from inbox.events import announce_setting
from inbox.models import Conversation, Label
from inbox.services.amending import amend

MOST_LABELS = 500  # of a workspace
HUES = 8


class LabelTaken(Conflict):
    code = "label_taken"
    message = "There is a label of this name."


class LabelFields(TypedDict, total=False):
    name: str
    hue: int


def list_labels(actor: Actor) -> list[Label]:
    check(actor, Action.READ_INBOX)
    return list(Label.objects.filter(workspace_id=actor.workspace_id).order_by("name"))


@unit_of_work
def create_label(*, actor: Actor, name: str, hue: int | None = None) -> Label:
    check(actor, Action.ASSIGN)
    rows = Label.objects.filter(workspace_id=actor.workspace_id)
    count = rows.count()
    if count >= MOST_LABELS:
        raise Invalid(errors={"name": Said("At most {most} labels.", most=MOST_LABELS)})
    if rows.filter(name__iexact=name).exists():
        raise LabelTaken
    label = Label(workspace_id=actor.workspace_id, name=name, hue=hue or count % HUES + 1)
    _save(label)
    _record(actor, label, "label.created", {"name": [None, label.name]})
    return label


@unit_of_work
def change_label(*, actor: Actor, label_id: UUID, fields: LabelFields) -> Label:
    label = _label_for(actor, label_id)
    name = fields.get("name", label.name)
    others = Label.objects.filter(workspace_id=actor.workspace_id, name__iexact=name).exclude(pk=label.pk)
    if others.exists():
        raise LabelTaken
    before, label.name, label.hue = label.name, name, fields.get("hue", label.hue)
    _save(label)
    _announce(label, before=before, name=label.name, hue=label.hue)
    _record(actor, label, "label.changed", {"name": [before, label.name]})
    return label


@unit_of_work
def delete_label(*, actor: Actor, label_id: UUID) -> None:
    label = _label_for(actor, label_id)
    _record(actor, label, "label.deleted", {"name": [label.name, None]})
    _announce(label, before=label.name, deleted=True)
    label.delete()


@unit_of_work
def set_labels(
    *,
    actor: Actor,
    conversation_id: UUID,
    names: Iterable[str] | None = None,
    add: Iterable[str] = (),
    remove: Iterable[str] = (),
) -> Conversation:
    """All of them by `names`, or some more and some fewer. By name, as the conversation shows them."""
    conversation = conversation_for(actor, conversation_id, for_update=True)
    check(actor, Action.ASSIGN)
    now = frozenset(row.pk for row in conversation.labels.all())
    base = now if names is None else labels_called(actor, names)
    wanted = (base | labels_called(actor, add)) - labels_called(actor, remove)
    amend(actor, conversation, {"labels": frozenset(wanted)})
    return conversation


def labels_called(actor: Actor, names: Iterable[str]) -> frozenset[UUID]:
    """By name, upper or lower case alike, or by id."""
    wanted = list(names)
    if not wanted:
        return frozenset()
    known: dict[str, UUID] = {}
    for row in Label.objects.filter(workspace_id=actor.workspace_id):
        known[row.name.casefold()] = known[str(row.pk)] = row.pk
    missing = [name for name in wanted if name.casefold() not in known]
    if missing:
        raise Invalid(errors={"labels": Said("There is no label “{name}”.", name=missing[0])})
    return frozenset(known[name.casefold()] for name in wanted)


def _label_for(actor: Actor, label_id: UUID) -> Label:
    check(actor, Action.READ_INBOX)
    label = Label.objects.select_for_update().filter(workspace_id=actor.workspace_id, pk=label_id).first()
    if label is None:
        raise NotFound
    check(actor, Action.ASSIGN)
    return label


def _save(label: Label) -> None:
    try:
        with transaction.atomic():
            label.save()
    except IntegrityError:
        raise LabelTaken from None


def _announce(label: Label, **more: str | int | bool) -> None:
    announce_setting(label.workspace.slug, "label", label.pk, **more)


def _record(actor: Actor, label: Label, action: str, detail: dict[str, list[str | None]]) -> None:
    record(actor=actor, action=action, target_kind="label", target_id=label.pk, detail=detail)
