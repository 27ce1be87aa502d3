"""Message templates: fetched from the provider, offered to members, filled in for a send."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypedDict
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from config.errors import Invalid, NotFound, Said
from config.live.unit import unit_of_work
from crm.access import check
from crm.actors import Actor
from crm.roles import Action
from inbox.clients.kapso_templates import BLANK
from inbox.clients.outgoing import ListedTemplate
from inbox.clients.twilio_templates import text_of
from inbox.models import Channel, MessageTemplate, TemplateStatus
from inbox.senders import client_for, has_provider, limits_of
from jobs.queue import enqueue
from jobs.running import RunningJob

VALUE_LIMIT = 1024  # characters
# WhatsApp refuses these in a value: it must stay one line of plain words.
_BREAKS = re.compile(r"[\n\r\t]| {5,}")


class VariablePayload(TypedDict):
    key: str
    where: str
    name: str
    example: str
    label: str
    media: str


class PartPayload(TypedDict):
    where: str  # header, body, footer
    text: str  # with its blanks as {{…}}


class ButtonPayload(TypedDict):
    key: str  # of its blank among the variables, where it has one
    text: str
    url: str  # with its blank as {{…}}; empty where it leads nowhere


class TemplatePayload(TypedDict):
    id: UUID
    name: str
    language: str
    category: str
    status: str
    text: str  # all of its parts, a line each
    parts: list[PartPayload]
    buttons: list[ButtonPayload]  # under it, in order
    preview: str  # filled with the provider's examples
    variables: list[VariablePayload]


@dataclass(frozen=True, slots=True)
class Filled:
    """A template with every blank filled."""

    name: str
    language: str
    values: dict[str, str]  # by the variable's key
    text: str  # what the customer reads

    @property
    def detail(self) -> dict[str, Any]:
        return {"name": self.name, "language": self.language, "values": self.values}


# --- Reading ----------------------------------------------------------------------------------------------


def channel_for(actor: Actor, slug: str) -> Channel:
    """A channel of the actor's workspace, for whoever reads its conversations."""
    rows = Channel.objects.filter(workspace_id=actor.workspace_id, slug=slug.lower()).defer("credentials")
    channel = rows.first() if actor.may(Action.READ_INBOX) else None
    if channel is None:
        raise NotFound
    return channel


def list_templates(actor: Actor, slug: str) -> list[TemplatePayload]:
    """Approved ones first; the others are shown so that nobody wonders where they are."""
    channel = channel_for(actor, slug)
    rows = sorted(channel.templates.order_by("name", "language"), key=lambda row: row.status != TemplateStatus.APPROVED)
    return [template_payload(row) for row in rows]


def usable_templates(channel_id: UUID) -> list[TemplatePayload]:
    return [template_payload(row) for row in _approved(channel_id).order_by("name", "language")]


def _approved(channel_id: UUID) -> QuerySet[MessageTemplate]:
    return MessageTemplate.objects.filter(channel_id=channel_id, status=TemplateStatus.APPROVED)


def template_payload(row: MessageTemplate) -> TemplatePayload:
    examples = {variable["key"]: variable.get("example") or f"{{{{{variable['name']}}}}}" for variable in row.variables}
    return {
        "id": row.pk,
        "name": row.name,
        "language": row.language,
        "category": row.category,
        "status": row.status,
        "text": _written(row),
        "parts": [{"where": where, "text": text} for where, text in _parts(row)],
        "buttons": _buttons(row),
        "preview": _rendered(row, examples),
        "variables": [
            {
                "key": variable["key"],
                "where": variable["where"],
                "name": str(variable["name"]),
                "example": str(variable.get("example", "")),
                "label": str(variable.get("label", "")),
                "media": str(variable.get("media", "")),
            }
            for variable in row.variables
        ],
    }


def _parts(row: MessageTemplate) -> list[tuple[str, str]]:
    """What a person reads, from top to bottom, with the place each stands in."""
    if isinstance(row.components, dict):  # Twilio's types
        return [("body", text_of(row.components))]
    texts = {str(part.get("type", "")).lower(): str(part.get("text") or "") for part in row.components}
    return [(where, texts[where]) for where in ("header", "body", "footer") if texts.get(where)]


def _buttons(row: MessageTemplate) -> list[ButtonPayload]:
    if isinstance(row.components, dict):  # Twilio's types
        given = [
            one for content in row.components.values() if isinstance(content, dict) for one in _list(content, "actions")
        ]
    else:
        given = [
            one
            for part in row.components
            if str(part.get("type")).lower() == "buttons"
            for one in _list(part, "buttons")
        ]
    return [
        {
            "key": f"button.{index}",
            "text": str(one.get("text") or one.get("title") or ""),
            "url": str(one.get("url") or ""),
        }
        for index, one in enumerate(given)
        if isinstance(one, dict)
    ]


def _list(holder: Mapping[str, Any], name: str) -> list[Any]:
    found = holder.get(name)
    return found if isinstance(found, list) else []


def _written(row: MessageTemplate) -> str:
    return "\n".join(text for _, text in _parts(row))


def _rendered(row: MessageTemplate, values: Mapping[str, str]) -> str:
    return "\n".join(
        BLANK.sub(lambda blank, where=where: values.get(f"{where}.{blank[1]}", blank[0]), text)  # type: ignore[misc]
        for where, text in _parts(row)
    )


# --- Filling in -------------------------------------------------------------------------------------------


def fill(*, channel: Channel, name: str, language: str, given: Mapping[str, str]) -> Filled:
    """Raises Invalid with a sentence per blank that is not filled as WhatsApp takes it."""
    row = _approved(channel.pk).filter(name=name, language=language).first()
    if row is None:
        raise Invalid(errors={"template": "This channel has no approved template of that name and language."})
    values, errors = _values(row, given)
    errors |= {key: "This template has no such blank." for key in given if key not in _names(row)}
    errors |= {key: problem for key, value in values.items() if (problem := _problem(row, key, value))}
    if errors:
        raise Invalid("The template is not filled in.", errors=errors)
    return Filled(name=row.name, language=row.language, values=values, text=_rendered(row, values))


def _names(row: MessageTemplate) -> dict[str, str]:
    """Every way to name a blank, to its key: the key, and the bare name where only one has it."""
    names = [str(variable["name"]) for variable in row.variables]
    bare = {str(one["name"]): one["key"] for one in row.variables if names.count(str(one["name"])) == 1}
    return bare | {variable["key"]: variable["key"] for variable in row.variables}


def _values(row: MessageTemplate, given: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    names = _names(row)
    known = {names[key]: value for key, value in given.items() if key in names}
    keys = [variable["key"] for variable in row.variables]
    missing: dict[str, str] = {key: Said("Fill this in.") for key in keys if not known.get(key, "").strip()}
    return {key: known[key].strip() for key in keys if key not in missing}, missing


def _problem(row: MessageTemplate, key: str, value: str) -> str:
    variable = next(one for one in row.variables if one["key"] == key)
    if variable.get("media"):
        return "" if value.startswith("https://") else Said("Give the file's https address.")
    if len(value) > VALUE_LIMIT:
        return Said("At most {most} characters fit.", most=f"{VALUE_LIMIT:,}")
    return Said("No line breaks, tabs or more than four spaces in a row.") if _BREAKS.search(value) else ""


# --- Fetching ---------------------------------------------------------------------------------------------


@unit_of_work
def request_sync(*, actor: Actor, slug: str) -> Channel:
    """An admin asks for the provider's list now."""
    channel = channel_for(actor, slug)
    check(actor, Action.MANAGE)
    _enqueue(channel, f"{timezone.now():%Y%m%d%H%M%S}")
    return channel


@unit_of_work
def request_all_syncs() -> int:
    """Every channel that has templates, once an hour; which one is known by its settings, not by asking."""
    rows = Channel.objects.filter(is_active=True).defer("credentials")
    due = [channel for channel in rows if has_provider(channel.kind) and _has_account(channel)]
    for channel in due:
        _enqueue(channel, f"{timezone.now():%Y%m%d%H}")
    return len(due)


def _has_account(channel: Channel) -> bool:
    if channel.kind == "kapso":
        return bool(channel.settings.get("business_account_id"))
    return bool(channel.identifier)


def _enqueue(channel: Channel, moment: str) -> None:
    enqueue(
        "inbox.sync_templates",
        key=f"templates:{channel.pk}:{moment}",
        lane=f"templates:{channel.pk}",
        workspace_id=channel.workspace_id,
        payload={"channel_id": str(channel.pk)},
    )


def sync(*, job: RunningJob, channel_id: UUID) -> None:
    """The provider's list replaces ours, so that a template which is gone is offered no more."""
    channel = Channel.objects.get(pk=channel_id)
    if not limits_of(channel.kind).templates:
        return
    listed = client_for(channel).list_templates()
    with job.completing(result={"templates": len(listed)}):
        replace_templates(channel=channel, listed=listed)


@unit_of_work
def replace_templates(*, channel: Channel, listed: list[ListedTemplate]) -> None:
    now = timezone.now()
    rows = {(one.name[:512], one.language[:20]): _row(channel, one) for one in listed}
    for row in rows.values():
        row.synced_at = now
    fields = ["provider_id", "category", "status", "components", "variables", "synced_at"]
    MessageTemplate.objects.bulk_create(
        rows.values(), update_conflicts=True, unique_fields=["channel", "name", "language"], update_fields=fields
    )
    MessageTemplate.objects.filter(channel=channel, synced_at__lt=now).delete()


def _row(channel: Channel, listed: ListedTemplate) -> MessageTemplate:
    return MessageTemplate(
        workspace_id=channel.workspace_id,
        channel=channel,
        name=listed.name[:512],
        language=listed.language[:20],
        provider_id=listed.provider_id[:255],
        category=listed.category[:40],
        status=listed.status,
        components=listed.components,
        variables=listed.variables,
    )
