"""One's own section, which every member has."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from crm.actors import Member
from crm.api.base import checked
from crm.api.teams import AvailabilityBody
from crm.models import Availability
from crm.roles import Action
from crm.sections.base import Done, Section, section
from crm.services import members
from crm.services.availability import availability_of, set_availability

AVAILABILITIES = (
    (Availability.ONLINE, _("Here"), _("New conversations may come to you")),
    (Availability.AWAY, _("Away"), _("You keep what you have; nothing new is given to you")),
    (Availability.HANDING, _("Away, hand back"), _("What is assigned to you becomes nobody's, at once")),
)


@section
class Profile(Section):
    key, title, icon, group = "profile", _("Profile"), "user", "you"
    template = "settings/profile.html"

    def context(self, actor: Member, request: HttpRequest) -> Mapping[str, Any]:
        if not actor.may(Action.REPLY):
            return {}
        return {"availability": availability_of(actor.workspace_id, actor.user_id), "availabilities": AVAILABILITIES}

    def do_available(self, actor: Member, request: HttpRequest) -> Done:
        given = checked(AvailabilityBody(data={"availability": request.POST.get("availability", "")}))
        set_availability(actor=actor, availability=given["availability"])
        return Done(_("Saved"))

    def do_leave(self, actor: Member, request: HttpRequest) -> Done:
        members.leave(actor=actor)
        return Done(_("You have left"), to="/")
