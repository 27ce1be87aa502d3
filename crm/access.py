"""What an actor may see and do among people, workspaces and contacts. The only place that decides."""

from uuid import UUID

from django.db.models import QuerySet

from config.errors import Forbidden, NotFound
from crm.actors import Actor, Member
from crm.models import Contact
from crm.models import Member as Membership
from crm.roles import Action, Role


def member_for(user_id: UUID, workspace_slug: str) -> Member:
    """The user as a member of the workspace. Not a member and no such workspace are the same NotFound."""
    found = (
        Membership.objects.filter(
            user_id=user_id, workspace__slug=workspace_slug.lower(), user__deactivated_at=None
        )
        .values_list("workspace_id", "role", "user__name", "user__email")
        .first()
    )
    if found is None:
        raise NotFound
    workspace_id, role, name, email = found
    return Member(user_id=user_id, workspace_id=workspace_id, role=Role(role), name=name or email.partition("@")[0])


def check(actor: Actor, action: Action) -> None:
    if not actor.may(action):
        raise Forbidden


def visible_contacts(actor: Actor) -> QuerySet[Contact]:
    if not actor.may(Action.READ_INBOX):
        return Contact.objects.none()
    return Contact.objects.alive().filter(workspace_id=actor.workspace_id)


def contact_for(actor: Actor, contact_id: UUID) -> Contact:
    contact = visible_contacts(actor).filter(pk=contact_id).first()
    if contact is None:
        raise NotFound
    return contact
