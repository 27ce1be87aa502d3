"""The section of what one is told about, and by which ways."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from crm.actors import Member
from crm.roles import Action
from crm.sections.base import Done, Section, section
from inbox.api.notices import preferences_answer
from inbox.notices import queries
from inbox.notices.kinds import Kind, Way
from inbox.services import notices


@section
class Notifications(Section):
    key, title, icon, group, needs = "notifications", lazy("Notifications"), "bell", "you", Action.READ_INBOX
    place, template = 60, "settings/notifications.html"

    def context(self, actor: Member, request: HttpRequest) -> Mapping[str, Any]:
        answer = preferences_answer(queries.preferences_of(actor))
        ways = answer["ways"]
        rows = [
            (kind["name"], [(f"{kind['kind']}.{one['way']}", one["name"], kind["ways"][one["way"]]) for one in ways])
            for kind in answer["kinds"]
        ]
        return {"ways": [one["name"] for one in ways], "kinds": rows}

    def do_save(self, actor: Member, request: HttpRequest) -> Done:
        wanted = set(request.POST.getlist("wanted"))
        given = {kind.value: {way.value: f"{kind.value}.{way.value}" in wanted for way in Way} for kind in Kind}
        notices.set_preferences(actor=actor, given=given)
        return Done(_("Saved"))
