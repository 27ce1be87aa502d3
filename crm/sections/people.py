"""Sections of who and what gets in: members with their invitations, and API keys."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from config.errors import NotFound
from crm.access import visible_api_keys, visible_invitations, visible_members
from crm.actors import Member
from crm.api.api_keys import ApiKeyBody, api_key_payload
from crm.api.base import checked
from crm.api.members import InvitationBody, RoleBody, invitation_payload
from crm.models import KEY_PER_MINUTE
from crm.roles import PERMISSIONS, Action, Role
from crm.sections.base import Done, Section, section
from crm.services import api_keys, invitations, members

MOST_SHOWN = 500
EXPIRIES = ((30, _("In 30 days")), (90, _("In 90 days")), (365, _("In a year")), (0, _("Never")))


def _id(request: HttpRequest) -> UUID:
    try:
        return UUID(request.POST.get("id", ""))
    except ValueError:
        raise NotFound from None


@section
class Members(Section):
    key, title, icon, needs = "members", _("Members"), "contacts", Action.MANAGE_MEMBERS
    place, template = 10, "settings/members.html"

    def context(self, actor: Member, request: HttpRequest) -> Mapping[str, Any]:
        rows = visible_members(actor).order_by("user__name", "id")[:MOST_SHOWN]
        open_ones = visible_invitations(actor).filter(accepted_at=None, revoked_at=None).order_by("-id")
        is_owner = members.is_owner(actor)
        return {
            "members": [
                {
                    "id": row.user_id,
                    "name": row.user.display_name,
                    "email": row.user.email,
                    "role": row.role,
                    "is_me": row.user_id == actor.user_id,
                    "is_active": row.user.is_active,
                    "fixed": row.role == Role.OWNER and not is_owner,
                }
                for row in rows
            ],
            "roles": [(role.value, role.label) for role in Role if is_owner or role is not Role.OWNER],
            "invitations": [invitation_payload(row) for row in open_ones[:MOST_SHOWN]],
            "table": [(action.label, [PERMISSIONS[role].get(action, "") for role in Role]) for action in Action],
            "columns": [role.label for role in Role],
        }

    def do_invite(self, actor: Member, request: HttpRequest) -> Done:
        given = checked(InvitationBody(data={name: request.POST.get(name, "").strip() for name in ("email", "role")}))
        invitation, link = invitations.create_invitation(actor=actor, **given)
        return Done(_("Invited"), {"link": link, "invited": invitation.email})

    def do_resend(self, actor: Member, request: HttpRequest) -> Done:
        invitation, link = invitations.resend_invitation(actor=actor, invitation_id=_id(request))
        return Done(_("Invited again"), {"link": link, "invited": invitation.email})

    def do_revoke(self, actor: Member, request: HttpRequest) -> Done:
        invitations.revoke_invitation(actor=actor, invitation_id=_id(request))
        return Done(_("Invitation taken back"))

    def do_role(self, actor: Member, request: HttpRequest) -> Done:
        role = checked(RoleBody(data={"role": request.POST.get("role", "")}))["role"]
        changed = members.change_role(actor=actor, user_id=_id(request), role=role)
        away = changed.user_id == actor.user_id and Action.MANAGE_MEMBERS not in PERMISSIONS[Role(changed.role)]
        return Done(_("Role changed"), to="/settings" if away else "")

    def do_remove(self, actor: Member, request: HttpRequest) -> Done:
        members.remove_member(actor=actor, user_id=_id(request))
        return Done(_("Removed"), to="/" if _id(request) == actor.user_id else "")


@section
class Keys(Section):
    key, title, icon, group, needs = "api-keys", _("API keys"), "key", "dev", Action.MANAGE_KEYS
    place, template = 10, "settings/api_keys.html"

    def context(self, actor: Member, request: HttpRequest) -> Mapping[str, Any]:
        rows = visible_api_keys(actor).order_by("revoked_at", "-id")
        chosen = set(request.POST.getlist("scopes")) if request.method == "POST" else {Action.READ_INBOX.value}
        return {
            "keys": [api_key_payload(row) for row in rows[:MOST_SHOWN]],
            "scopes": [(one.value, one.label, one.value in chosen) for one in Action if actor.may(one)],
            "expiries": EXPIRIES,
            "per_minute": KEY_PER_MINUTE,
        }

    def do_create(self, actor: Member, request: HttpRequest) -> Done:
        days = request.POST.get("days", "")
        until = timezone.now() + timedelta(days=int(days)) if days in {"30", "90", "365"} else None
        body = {
            "name": request.POST.get("name", "").strip(),
            "scopes": request.POST.getlist("scopes"),
            "rate_per_minute": request.POST.get("rate_per_minute") or KEY_PER_MINUTE,
        }
        given = checked(ApiKeyBody(data=body))
        made, raw = api_keys.create_key(actor=actor, **{**given, "expires_at": until})
        return Done(_("Key created"), {"key": raw, "made": made.name})

    def do_revoke(self, actor: Member, request: HttpRequest) -> Done:
        api_keys.revoke_key(actor=actor, key_id=_id(request))
        return Done(_("Key revoked"))
