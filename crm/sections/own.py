"""One's own section, which every member has."""

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from crm.actors import Member
from crm.sections.base import Done, Section, section
from crm.services import members


@section
class Profile(Section):
    key, title, icon, group = "profile", _("Profile"), "user", "you"
    template = "settings/profile.html"

    def do_leave(self, actor: Member, request: HttpRequest) -> Done:
        members.leave(actor=actor)
        return Done(_("You have left"), to="/")
