"""What an actor may see and do among people, workspaces and contacts. The only place that decides."""

from uuid import UUID

from django.db.models import Q, QuerySet

from config.errors import Forbidden, NotFound
from crm.actors import Actor, Member
from crm.models import Contact
from crm.models import Member as Membership
from crm.roles import PERMISSIONS, Action, Role


def member_for(user_id: UUID, workspace_slug: str) -> Member:
    """The user as a member of the workspace. Not a member and no such workspace are the same NotFound."""
    return _member(user_id, Q(workspace__slug=workspace_slug.lower()))


def member_of(user_id: UUID, workspace_id: UUID) -> Member:
    return _member(user_id, Q(workspace_id=workspace_id))


def _member(user_id: UUID, workspace: Q) -> Member:
    found = (
        Membership.objects.filter(workspace, user_id=user_id, user__deactivated_at=None)
        .values_list("workspace_id", "workspace__slug", "role", "user__name", "user__email", "created_at")
        .first()
    )
    if found is None:
        raise NotFound
    workspace_id, slug, role, name, email, joined_at = found
    return Member(
        user_id=user_id,
        workspace_id=workspace_id,
        workspace_slug=slug,
        role=Role(role),
        name=name or email.partition("@")[0],
        joined_at=joined_at,
    )


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


def member_on_page(user_id: UUID, action: Action, workspace_slug: str = "") -> Member:
    """The membership a page works with: the named workspace, else the first where the user may do `action`."""
    if workspace_slug:
        return member_for(user_id, workspace_slug)
    able = [role for role, actions in PERMISSIONS.items() if action in actions]
    workspace_id = (
        Membership.objects.filter(user_id=user_id, role__in=able)
        .order_by("created_at", "id")
        .values_list("workspace_id", flat=True)
        .first()
    )
    if workspace_id is None:
        raise NotFound
    return member_of(user_id, workspace_id)
