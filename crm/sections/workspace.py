"""Sections of the workspace itself: what it is called, what is switched on, who changed what."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import available_timezones

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from crm import features
from crm.access import visible_audit
from crm.actors import Member
from crm.api.audit import AuditQuery
from crm.api.base import checked
from crm.api.workspace import FeatureBody, WorkspaceBody
from crm.features import Feature
from crm.models import AuditEntry, User, Workspace
from crm.paging import page
from crm.roles import Action
from crm.sections.base import Done, Section, section
from crm.services.features import set_features
from crm.services.settings import change_workspace

AUDIT_ROWS = 50
FILTERS = ("action", "actor", "target_kind", "target", "since", "until")
HINTS = {
    Feature.INBOX: _("Conversations, on the page and over the API. Messages keep coming in."),
    Feature.PROCTORING: _("Exams, their sessions and the tutors' grid"),
    Feature.LEADERBOARD: _("The public boards of quizzes"),
    Feature.WIDGET: _("Chats on your own website"),
    Feature.OUTGOING_WEBHOOKS: _("Calls to other systems, and the feed they read"),
}


@section
class General(Section):
    key, title, icon, needs = "general", _("General"), "settings", Action.MANAGE_SETTINGS
    place, template = 0, "settings/general.html"

    def context(self, actor: Member, request: HttpRequest) -> Mapping[str, Any]:
        statuses = Workspace.objects.values_list("lead_statuses", flat=True).get(pk=actor.workspace_id)
        return {"timezones": sorted(available_timezones()), "lead_statuses": "\n".join(statuses)}

    def do_save(self, actor: Member, request: HttpRequest) -> Done:
        asked: dict[str, Any] = {name: request.POST.get(name, "") for name in ("name", "timezone", "default_region")}
        lines = (line.strip() for line in request.POST.get("lead_statuses", "").splitlines())
        asked["lead_statuses"] = [line for line in lines if line]
        change_workspace(actor=actor, **checked(WorkspaceBody(data=asked)))
        return Done(_("Saved"))


@section
class Features(Section):
    key, title, icon, group, needs = "features", _("Features"), "flag", "dev", Action.MANAGE_SETTINGS
    template = "settings/features.html"

    def context(self, actor: Member, request: HttpRequest) -> Mapping[str, Any]:
        on = features.all_of(Workspace.objects.get(pk=actor.workspace_id))
        return {"features": [(one.value, one.label, HINTS[one], on[one.value]) for one in Feature]}

    def do_save(self, actor: Member, request: HttpRequest) -> Done:
        asked = {one.value: one.value in request.POST for one in Feature}
        set_features(actor=actor, switches=checked(FeatureBody(data=asked)))
        return Done(_("Saved"))


LATELY = 5_000  # entries, whose kinds are offered as a filter
REQUEST = "request"  # a digest by which the same request is known again; it tells nobody anything


@section
class Audit(Section):
    key, title, icon, needs = "audit", _("Audit log"), "shield", Action.READ_AUDIT
    place, template = 90, "settings/audit.html"

    def context(self, actor: Member, request: HttpRequest) -> Mapping[str, Any]:
        asked = {name: request.GET[name] for name in FILTERS if request.GET.get(name)}
        query = AuditQuery(data=asked)
        rows = visible_audit(actor)
        lately = visible_audit(actor).order_by("-id").values("pk")[:LATELY]
        actions = rows.filter(pk__in=lately).order_by("action").values_list("action", flat=True).distinct()
        valid = query.is_valid()
        if valid:
            rows = rows.filter(**query.narrow())
        found = page(rows, ("-id",), cursor=request.GET.get("cursor"), limit=AUDIT_ROWS)
        filters = urlencode(asked if valid else {})
        return {
            "entries": [(entry, *self._target(entry, names)) for names in [_names(found.rows)] for entry in found.rows],
            "actions": list(actions),
            "filter": asked,
            "filters": filters,
            "errors": {} if valid else {name: said[0] for name, said in query.errors.items()},
            "next": found.next,
            "previous": found.previous,
            "export": f"/api/v1/workspaces/{actor.workspace_slug}/audit.csv?{filters}",
        }

    def _target(self, entry: AuditEntry, names: Mapping[str, str]) -> tuple[str, list[tuple[str, str]]]:
        named = names.get(entry.target_id) or entry.detail.get("email") or entry.detail.get("name")
        return _word(named or entry.target_kind), [
            (name, " → ".join(map(_word, change)) if isinstance(change, list) and len(change) == 2 else _word(change))
            for name, change in entry.detail.items()
            if name != REQUEST
        ]


def _names(entries: list[AuditEntry]) -> dict[str, str]:
    """Of the people whom the entries are about: one query."""
    ids = {UUID(entry.target_id) for entry in entries if entry.target_kind in {"member", "user"} and entry.target_id}
    return {str(user.pk): user.display_name for user in User.objects.filter(pk__in=ids)}


def _word(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, list):
        return ", ".join(map(_word, value))
    return str(value)
