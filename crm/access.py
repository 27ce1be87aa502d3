"""What an actor may see and do among people, workspaces and contacts. The only place that decides."""

from collections.abc import Callable
from uuid import UUID

from django.db.models import Q, QuerySet

from config.errors import Forbidden, NotFound
from config.live.identity import Identity
from crm.actors import Actor, Caller, Member
from crm.actors import ApiKey as ApiKeyActor
from crm.models import ApiKey, AuditEntry, Contact, Invitation
from crm.models import Member as Membership
from crm.roles import PERMISSIONS, Action, Role


def member_for(user_id: UUID, workspace_slug: str) -> Member:
    """The user as a member of the workspace. Not a member and no such workspace are the same NotFound."""
    return _member(user_id, Q(workspace__slug=workspace_slug.lower()))


def member_of(user_id: UUID, workspace_id: UUID) -> Member:
    return _member(user_id, Q(workspace_id=workspace_id))


def member_with_contact(user_id: UUID, contact_id: UUID) -> Member:
    """The user as a member of the workspace that has the contact. No such contact is the same NotFound."""
    return _member(user_id, Q(workspace__in=Contact.objects.filter(pk=contact_id).values("workspace")))


def _member(user_id: UUID, memberships: Q) -> Member:
    """Of several the one that has stood longest."""
    found = (
        Membership.objects.filter(memberships, user_id=user_id, user__deactivated_at=None)
        .order_by("created_at", "id")
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


def listener(identity: Identity | None, workspace_slug: str) -> Caller | None:
    """Who is at the other end of a socket, as an actor of the workspace; None for strangers, and for nobody."""
    return _listener(identity, lambda key: key.workspace_slug == workspace_slug, Q(workspace__slug=workspace_slug))


def listener_of(identity: Identity | None, workspace_id: UUID) -> Caller | None:
    return _listener(identity, lambda key: key.workspace_id == workspace_id, Q(workspace_id=workspace_id))


def _listener(identity: Identity | None, is_of: Callable[[ApiKeyActor], bool], workspace: Q) -> Caller | None:
    if identity is None:
        return None
    if isinstance(identity.actor, ApiKeyActor):  # read anew after every change of access
        return identity.actor if is_of(identity.actor) else None
    if identity.user_id is None:
        return None
    try:
        return _member(identity.user_id, workspace)
    except NotFound:
        return None


def check(actor: Actor, action: Action) -> None:
    if not actor.may(action):
        raise Forbidden


def visible_contacts(actor: Actor) -> QuerySet[Contact]:
    return known_contacts(actor).filter(deleted_at=None)


def known_contacts(actor: Actor) -> QuerySet[Contact]:
    """The deleted ones too: for bringing them back, and for whoever looks on while one goes."""
    if not actor.may(Action.READ_INBOX):
        return Contact.objects.none()
    return Contact.objects.filter(workspace_id=actor.workspace_id)


def contact_for(actor: Actor, contact_id: UUID, *, for_update: bool = False, deleted: bool = False) -> Contact:
    """`for_update` leaves alone who only points at the row: messages, notes and payments go on meanwhile."""
    contacts = known_contacts(actor) if deleted else visible_contacts(actor)
    rows = contacts.select_for_update(no_key=True) if for_update else contacts
    contact = rows.filter(pk=contact_id).first()
    if contact is None:
        raise NotFound
    return contact


def member_on_page(user_id: UUID, action: Action, workspace_slug: str = "") -> Member:
    """The membership a page works with: the named workspace, else the first where the user may do `action`."""
    if workspace_slug:
        return member_for(user_id, workspace_slug)
    able = [role for role, actions in PERMISSIONS.items() if action in actions]
    return _member(user_id, Q(role__in=able))


def any_member_on_page(user_id: UUID, workspace_slug: str = "") -> Member:
    """The same for a page that every member has: the named workspace, else the one joined first."""
    if workspace_slug:
        return member_for(user_id, workspace_slug)
    return _member(user_id, Q())


def works_only_in_exams(user_id: UUID) -> bool:
    """Whoever has no inbox anywhere, but may supervise exams."""
    roles = Membership.objects.filter(user_id=user_id).values_list("role", flat=True)
    able = {action for role in roles for action in PERMISSIONS[Role(role)]}
    return Action.PROCTOR in able and Action.READ_INBOX not in able


def is_member_somewhere(user_id: UUID) -> bool:
    return Membership.objects.filter(user_id=user_id).exists()


def has_no_inbox(user_id: UUID) -> bool:
    """Whether the workspace that a page would show without being told one has its inbox switched off."""
    readers = [role for role, actions in PERMISSIONS.items() if Action.READ_INBOX in actions]
    rows = Membership.objects.filter(user_id=user_id, role__in=readers).order_by("created_at", "id")
    found = rows.values_list("workspace__features__inbox", flat=True).first()
    return found is False


# --- For those who manage people, keys and settings ---------------------------------------------------------


def visible_members(actor: Actor) -> QuerySet[Membership]:
    check(actor, Action.MANAGE_MEMBERS)
    return Membership.objects.filter(workspace_id=actor.workspace_id).select_related("user")


def visible_invitations(actor: Actor) -> QuerySet[Invitation]:
    check(actor, Action.MANAGE_MEMBERS)
    return Invitation.objects.filter(workspace_id=actor.workspace_id).select_related("invited_by")


def visible_api_keys(actor: Actor) -> QuerySet[ApiKey]:
    check(actor, Action.MANAGE_KEYS)
    return ApiKey.objects.filter(workspace_id=actor.workspace_id).select_related("created_by")


def visible_audit(actor: Actor) -> QuerySet[AuditEntry]:
    """What happened in the workspace. The platform's own entries are for its admins, in Django admin."""
    check(actor, Action.READ_AUDIT)
    return AuditEntry.objects.filter(workspace_id=actor.workspace_id)
