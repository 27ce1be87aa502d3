"""Who belongs to a workspace, and as what. Every change reaches open sockets within two seconds."""

from collections.abc import Callable
from uuid import UUID

from config.errors import Conflict, Forbidden, Invalid, NotFound
from config.live.identity import publish_access_change
from config.live.unit import unit_of_work
from crm import access
from crm.actors import Actor, System
from crm.actors import Member as MemberActor
from crm.errors import LastOwner
from crm.models import ApiKey, Member, User, Workspace
from crm.roles import Action, Role, is_allowed
from crm.services.audit import record
from crm.services.roles import key_subject, subject
from crm.services.teams import leave_teams


class AlreadyMember(Conflict):
    code = "already_member"
    message = "This person is a member already."


class OwnersAlone(Forbidden):
    code = "owners_alone"
    message = "Only owners make somebody an owner, or take it away."


# Apps above that give members work to do take it back here, inside the same unit of work.
HandBack = Callable[[Actor, UUID], object]
_hand_backs: list[HandBack] = []


def on_hand_back(take_back: HandBack) -> None:
    """Registers `take_back(actor, user_id)`, in AppConfig.ready(): the user can no longer answer in the workspace."""
    if take_back not in _hand_backs:
        _hand_backs.append(take_back)


def hand_back_all(actor: Actor, user_id: UUID) -> None:
    for take_back in _hand_backs:
        take_back(actor, user_id)


@unit_of_work
def add_member(*, actor: Actor, user_id: UUID, role: str) -> Member:
    wanted = check_may_set(actor, role)
    lock_workspace(actor)
    if not User.objects.filter(pk=user_id, deactivated_at=None).exists():
        raise NotFound
    return join(actor=actor, user_id=user_id, role=wanted)


@unit_of_work
def join(*, actor: Actor, user_id: UUID, role: Role) -> Member:
    """For whoever has checked that this person may come in as this, under the workspace's lock."""
    member, is_new = Member.objects.get_or_create(
        workspace_id=actor.workspace_id, user_id=user_id, defaults={"role": role}
    )
    if not is_new:
        raise AlreadyMember
    record(actor=actor, action="member.added", target_kind="member", target_id=user_id, detail={"role": role})
    _announce(actor.workspace_id, user_id)
    return member


@unit_of_work
def change_role(*, actor: Actor, user_id: UUID, role: str) -> Member:
    wanted = check_may_set(actor, role)
    member = _locked_member(actor, user_id)
    if member.role != wanted:
        _check_may_lose(actor, member)
        if not is_allowed(wanted, Action.REPLY):
            hand_back_all(actor, user_id)
            leave_teams(actor, user_id)
        before, member.role = member.role, wanted
        member.save(update_fields=["role"])
        record(
            actor=actor,
            action="member.role_changed",
            target_kind="member",
            target_id=user_id,
            detail={"role": [before, wanted]},
        )
        _announce(actor.workspace_id, user_id)
    return member


@unit_of_work
def remove_member(*, actor: Actor, user_id: UUID) -> None:
    """What they were working on is handed back first."""
    _check_manages(actor)
    member = _locked_member(actor, user_id)
    _check_may_lose(actor, member)
    _take_out(actor, member, "member.removed")


@unit_of_work
def leave(*, actor: MemberActor) -> None:
    """Oneself, whatever one's role. The last owner stays until somebody else is one."""
    member = _locked_member(actor, actor.user_id)
    if member.role == Role.OWNER:
        _check_other_owner(member)
    _take_out(actor, member, "member.left")


def _take_out(actor: Actor, member: Member, action: str) -> None:
    hand_back_all(actor, member.user_id)
    leave_teams(actor, member.user_id)
    detail = {"role": [member.role, None]}
    record(actor=actor, action=action, target_kind="member", target_id=member.user_id, detail=detail)
    _announce(actor.workspace_id, member.user_id)
    member.delete()


def _announce(workspace_id: UUID, user_id: UUID) -> None:
    """Their keys may do no more than they may."""
    publish_access_change(subject(user_id))
    for key_id in ApiKey.objects.filter(workspace_id=workspace_id, created_by_id=user_id, revoked_at=None).values_list(
        "id", flat=True
    ):
        publish_access_change(key_subject(key_id))


def _check_manages(actor: Actor) -> None:
    access.check(actor, Action.MANAGE_MEMBERS)


def check_may_set(actor: Actor, role: str) -> Role:
    """Only owners make owners; otherwise every admin could take the workspace over."""
    _check_manages(actor)
    try:
        wanted = Role(role)
    except ValueError:
        raise Invalid(f"There is no role of this name. There are: {', '.join(Role.values)}.") from None
    if wanted is Role.OWNER and not is_owner(actor):
        raise OwnersAlone
    return wanted


def _check_may_lose(actor: Actor, member: Member) -> None:
    if member.role != Role.OWNER:
        return
    if not is_owner(actor):
        raise OwnersAlone
    _check_other_owner(member)


def _check_other_owner(member: Member) -> None:
    owners = Member.objects.filter(workspace_id=member.workspace_id, role=Role.OWNER, user__deactivated_at=None)
    if not owners.exclude(pk=member.pk).exists():
        raise LastOwner


def is_owner(actor: Actor) -> bool:
    return isinstance(actor, System) or (isinstance(actor, MemberActor) and actor.role is Role.OWNER)


def lock_workspace(actor: Actor) -> None:
    """One change of the members at a time, or two owners could remove each other."""
    # no_key: whatever is written in the workspace meanwhile does not wait
    Workspace.objects.select_for_update(no_key=True).only("id").get(pk=actor.workspace_id)


def _locked_member(actor: Actor, user_id: UUID) -> Member:
    lock_workspace(actor)
    members = Member.objects.select_for_update(no_key=True)
    member = members.filter(workspace_id=actor.workspace_id, user_id=user_id).first()
    if member is None:
        raise NotFound
    return member
