"""The section of what the inbox does by itself."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from crm.actors import Member
from crm.api.base import checked
from crm.roles import Action
from crm.sections.base import Done, Section, section
from inbox.api.rules import InboxRuleBody
from inbox.models import Rule
from inbox.sections.base import refilled, row_id, typed
from inbox.services import rules
from inbox.states import RuleEvent


@section
class Rules(Section):
    key, title, icon, group, needs = "rules", lazy("Rules"), "filter", "writing", Action.MANAGE_SETTINGS
    place, template = 30, "settings/rules.html"

    def context(self, actor: Member, request: HttpRequest) -> Mapping[str, Any]:
        rows = rules.list_rules(actor)
        return {
            "rules": [_shown(request, row) for row in rows],
            "events": RuleEvent.choices,
            "views": [(str(row.pk), row.name) for row in rules.views_to_ask(actor)],
            "macros": [(str(row.pk), row.name) for row in rules.macros_to_run(actor)],
        }

    def do_create(self, actor: Member, request: HttpRequest) -> Done:
        rules.save_rule(actor=actor, fields=_rule(request))
        return Done(_("Created"))

    def do_save(self, actor: Member, request: HttpRequest) -> Done:
        rules.save_rule(actor=actor, fields=_rule(request), rule_id=row_id(request))
        return Done(_("Saved"))

    def do_delete(self, actor: Member, request: HttpRequest) -> Done:
        rules.delete_rule(actor=actor, rule_id=row_id(request))
        return Done(_("Deleted"))


def _shown(request: HttpRequest, row: Rule) -> dict[str, Any]:
    shown = refilled(
        request,
        {
            "id": row.pk,
            "name": row.name,
            "event": row.event,
            "view": str(row.view_id or ""),
            "words": ", ".join(row.words),
            "macro": str(row.macro_id),
            "position": row.position,
            "is_on": row.is_on,
            "is_last": row.is_last,
        },
    )
    if shown["open"]:  # a box that is not ticked is not sent
        shown |= {"is_on": "is_on" in request.POST, "is_last": "is_last" in request.POST}
    told = {"runs": row.runs, "last_run_at": row.last_run_at, "problem": rules.problem_of(row)}
    return {**shown, **told, "event_word": RuleEvent(row.event).label, "macro_name": row.macro.name}


def _rule(request: HttpRequest) -> Any:
    given = typed(request, "name", "event", "view", "macro", "position", "words")
    body = {
        **{name: given[name] for name in ("name", "event", "macro")},
        "view": given["view"] or None,
        "words": [word.strip() for word in given["words"].split(",") if word.strip()],
        "is_on": "is_on" in request.POST,
        "is_last": "is_last" in request.POST,
        **({"position": given["position"]} if given["position"] else {}),
    }
    return checked(InboxRuleBody(data=body))
