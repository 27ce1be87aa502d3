"""Sections of what one writes with: saved replies, and macros with their steps."""

import json
from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from crm.actors import Member
from crm.api.base import checked
from crm.models import Team
from crm.roles import Action
from crm.sections.base import Done, Section, section
from inbox import queries
from inbox.api.replies import ReplyBody, read_macro
from inbox.models import Macro, SavedReply
from inbox.sections.base import audience_choices, audience_of, read_audience, refilled, row_id, typed
from inbox.services import labels, replies
from inbox.states import ConversationStatus, Priority
from inbox.variables import KNOWN

MOST_SHOWN = 200
BLANK_STEPS = 3  # to fill in below those that are there; of them the page shows the first
NEW_STEPS = 8
Choice = tuple[str, str]  # what a form sends, and the word for it


@section
class Replies(Section):
    key, title, icon, group, needs = "saved-replies", lazy("Saved replies"), "bolt", "writing", Action.REPLY
    place, template = 10, "settings/saved_replies.html"

    def context(self, actor: Member, request: HttpRequest) -> Mapping[str, Any]:
        rows = replies.visible(actor, SavedReply.objects.all()).order_by("shortcut", "id")[: MOST_SHOWN + 1]
        shown = [
            refilled(
                request,
                {
                    "id": row.pk,
                    "shortcut": row.shortcut,
                    "title": row.title,
                    "body": row.body,
                    "audience": audience_of(row),
                    "uses": row.uses,
                },
            )
            for row in rows[:MOST_SHOWN]
        ]
        names = [f"{{{{{name}}}}}" for name in (*KNOWN, "contact.attribute.key", "contact.first_name|there")]
        return {"replies": shown, "audiences": audience_choices(actor), "blanks": names, "more": len(rows) > MOST_SHOWN}

    def do_create(self, actor: Member, request: HttpRequest) -> Done:
        replies.save_reply(actor=actor, fields=_reply(request))
        return Done(_("Saved"))

    def do_save(self, actor: Member, request: HttpRequest) -> Done:
        replies.save_reply(actor=actor, fields=_reply(request), reply_id=row_id(request))
        return Done(_("Saved"))

    def do_delete(self, actor: Member, request: HttpRequest) -> Done:
        replies.delete(actor=actor, row=replies.one_of(actor, SavedReply.objects.all(), row_id(request)))
        return Done(_("Deleted"))


def _reply(request: HttpRequest) -> Any:
    body = request.POST.get("body", "").replace("\r\n", "\n")
    return checked(ReplyBody(data={**typed(request, "shortcut", "title"), "body": body, **read_audience(request)}))


@section
class Macros(Section):
    key, title, icon, group, needs = "macros", lazy("Macros"), "send", "writing", Action.REPLY
    place, template = 20, "settings/macros.html"

    def context(self, actor: Member, request: HttpRequest) -> Mapping[str, Any]:
        rows = replies.visible(actor, Macro.objects.all()).order_by("name", "id")[: MOST_SHOWN + 1]
        choices = _choices(actor)
        known = {value for _title, group in choices for value, _word in group}
        shown = [_shown(request, row, known) for row in rows[:MOST_SHOWN]]
        typed_steps = _typed_steps(request) if request.POST.get("do") == "create" else []
        return {
            "macros": shown,
            "audiences": audience_choices(actor),
            "choices": choices,
            "new_steps": _padded(typed_steps, NEW_STEPS),
            "more": len(rows) > MOST_SHOWN,
        }

    def do_create(self, actor: Member, request: HttpRequest) -> Done:
        replies.save_macro(actor=actor, fields=_macro(actor, request))
        return Done(_("Saved"))

    def do_save(self, actor: Member, request: HttpRequest) -> Done:
        replies.save_macro(actor=actor, fields=_macro(actor, request), macro_id=row_id(request))
        return Done(_("Saved"))

    def do_delete(self, actor: Member, request: HttpRequest) -> Done:
        replies.delete(actor=actor, row=replies.one_of(actor, Macro.objects.all(), row_id(request)))
        return Done(_("Deleted"))


def _shown(request: HttpRequest, row: Macro, known: set[str]) -> dict[str, Any]:
    """A step whose value is no choice any more (a label that went) is shown as it is kept."""
    shown = refilled(request, {"id": row.pk, "name": row.name, "audience": audience_of(row)})
    steps = _typed_steps(request) if shown["open"] else [_form(step) for step in row.steps]
    for step in steps:
        step["strange"] = bool(step["what"]) and step["what"] not in known
    return {**shown, "steps": _padded(steps), "count": len(row.steps)}


def _form(step: Mapping[str, Any]) -> dict[str, Any]:
    if step["do"] in {"reply", "note"}:
        return {"what": _value(step["do"]), "text": step["value"]}
    value = step["value"][0] if isinstance(step["value"], list) and len(step["value"]) == 1 else step["value"]
    return {"what": _value(step["do"], value), "text": ""}


def _value(do: str, value: Any = None) -> str:
    return json.dumps({"do": do, "value": value}, ensure_ascii=False)


def _padded(steps: list[dict[str, Any]], blanks: int = BLANK_STEPS) -> list[dict[str, Any]]:
    return [*steps, *({"what": "", "text": ""} for _blank in range(blanks))]


def _typed_steps(request: HttpRequest) -> list[dict[str, Any]]:
    whats, texts = request.POST.getlist("what"), request.POST.getlist("text")
    return [{"what": what, "text": text} for what, text in zip(whats, texts, strict=False) if what or text.strip()]


def _macro(actor: Member, request: HttpRequest) -> Any:
    steps = [_step(row["what"], row["text"].replace("\r\n", "\n")) for row in _typed_steps(request)]
    return read_macro(actor, {**typed(request, "name"), "steps": steps, **read_audience(request)})


def _step(what: str, text: str) -> dict[str, Any]:
    try:
        step = json.loads(what or _value("reply"))
    except ValueError:
        step = None
    if not isinstance(step, dict):
        step = {"do": ""}
    return {**step, "value": text} if step.get("do") in {"reply", "note"} else step


def _choices(actor: Member) -> list[tuple[str, list[Choice]]]:
    """All that a step can be, in groups."""
    agents = queries.list_agents(actor.workspace_id)
    teams = Team.objects.filter(workspace_id=actor.workspace_id).order_by("name", "id")
    names = [label.name for label in labels.list_labels(actor)]
    statuses = [one for one in ConversationStatus if one != ConversationStatus.SNOOZED]
    return [
        (_("Write"), [(_value("reply"), _("Send this text")), (_value("note"), _("Add this text as a note"))]),
        (_("Label"), [(_value("label", name), name) for name in names]),
        (_("Take off"), [(_value("unlabel", name), name) for name in names]),
        (
            _("Assign to"),
            [
                (_value("assign", "me"), _("Whoever runs it")),
                (_value("assign"), _("Nobody")),
                *((_value("assign", str(one["id"])), one["name"]) for one in agents),
            ],
        ),
        (_("Team"), [*((_value("team", str(team.pk)), team.name) for team in teams), (_value("team"), _("No team"))]),
        (_("Status"), [(_value("status", one.value), str(one.label)) for one in statuses]),
        (_("Snooze"), [(_value("snooze"), _("Until the customer writes"))]),
        (_("Priority"), [(_value("priority", one.value), str(one.label)) for one in Priority]),
    ]
