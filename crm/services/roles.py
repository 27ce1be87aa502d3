"""Roles of the platform, and who may sign in at all. What a workspace allows is in members.py."""

from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from config.errors import Conflict, Forbidden, Invalid, NotFound
from config.live.identity import publish_access_change
from config.live.unit import unit_of_work
from crm.errors import LastOwner
from crm.models import ApiKey, BrowserSession, Member, User, Workspace
from crm.models.people import PLATFORM_ADMIN
from crm.roles import Role
from crm.services.audit import record

PLATFORM_ROLES = (PLATFORM_ADMIN,)
# Whoever counts the admins holds this lock, so that two removals cannot each leave the other one.
_ADMINS_LOCK = 0x61646D696E


class LastAdmin(Conflict):
    code = "last_admin"
    message = "Nobody else is a platform admin. Make somebody else one first."


@unit_of_work
def grant_role(*, by: User | None, user_id: UUID, role: str) -> User:
    """`by` None is the operator at the command line. Granting what one has changes nothing."""
    _check_may_grant(by, role)
    user = _locked(user_id)
    if role not in user.roles:
        before, user.roles = user.roles, sorted({*user.roles, role})
        user.save(update_fields=["roles"])
        _note(by, "role_granted", user_id, {"roles": [before, user.roles]})
        publish_access_change(subject(user_id))
    return user


@unit_of_work
def revoke_role(*, by: User | None, user_id: UUID, role: str) -> User:
    _check_may_grant(by, role)
    _lock_admins()
    user = _locked(user_id)
    if role in user.roles:
        if role == PLATFORM_ADMIN:
            _check_not_last(user)
        before, user.roles = user.roles, [kept for kept in user.roles if kept != role]
        user.save(update_fields=["roles"])
        _note(by, "role_revoked", user_id, {"roles": [before, user.roles]})
        publish_access_change(subject(user_id))
    return user


@unit_of_work
def grant_first_admin(*, user_id: UUID) -> list[str]:
    """For BOOTSTRAP_ADMINS. Does nothing once somebody is an admin; answers the roles the user has then."""
    _lock_admins()
    user = _locked(user_id)
    if not _admins().exists():
        before, user.roles = user.roles, sorted({*user.roles, PLATFORM_ADMIN})
        user.save(update_fields=["roles"])
        _note(user, "first_admin", user_id, {"roles": [before, user.roles]})
        publish_access_change(subject(user_id))
    return user.roles


@unit_of_work
def deactivate_user(*, by: User | None, user_id: UUID) -> User:
    """Signed out everywhere at once, sockets included. What they did stays theirs.

    An admin must first see to it that every workspace of theirs keeps an owner (LastOwner). Where the identity provider
    says that somebody is gone (`by` None), they are gone.
    """
    _check_is_admin(by)
    _lock_admins()
    if by is not None:
        _check_not_last_owner(user_id)
    user = _locked(user_id)
    if user.deactivated_at is None:
        _check_not_last(user)
        user.deactivated_at = timezone.now()
        user.save(update_fields=["deactivated_at"])
        BrowserSession.objects.filter(user=user).delete()
        _note(by, "deactivated", user_id)
        _announce_with_keys(user_id)
    return user


@unit_of_work
def reactivate_user(*, by: User | None, user_id: UUID) -> User:
    _check_is_admin(by)
    user = _locked(user_id)
    if user.deactivated_at is not None:
        user.deactivated_at = None
        user.save(update_fields=["deactivated_at"])
        _note(by, "reactivated", user_id)
    return user


def subject(user_id: UUID) -> str:
    """Whom an access change is announced for."""
    return f"user:{user_id}"


def key_subject(key_id: UUID) -> str:
    return f"key:{key_id}"


def _announce_with_keys(user_id: UUID) -> None:
    publish_access_change(subject(user_id))
    for key_id in ApiKey.objects.filter(created_by_id=user_id, revoked_at=None).values_list("id", flat=True):
        publish_access_change(key_subject(key_id))


def _note(by: User | None, what: str, user_id: UUID, detail: dict[str, Any] | None = None) -> None:
    record(actor=by, action=f"user.{what}", target_kind="user", target_id=user_id, detail=detail)


def _check_may_grant(by: User | None, role: str) -> None:
    _check_is_admin(by)
    if role not in PLATFORM_ROLES:
        raise Invalid(f"There is no platform role of this name. There are: {', '.join(PLATFORM_ROLES)}.")


def _check_is_admin(by: User | None) -> None:
    if by is not None and not by.is_staff:
        raise Forbidden


def _check_not_last(user: User) -> None:
    if user.is_staff and not _admins().exclude(pk=user.pk).exists():
        raise LastAdmin


def _check_not_last_owner(user_id: UUID) -> None:
    """Their workspaces are locked, as for every change of who belongs to them."""
    owned = Member.objects.filter(user_id=user_id, role=Role.OWNER, user__deactivated_at=None).values("workspace_id")
    locked = Workspace.objects.select_for_update(no_key=True).filter(pk__in=owned).order_by("pk")
    slugs = dict(locked.values_list("pk", "slug"))
    owners = Member.objects.filter(workspace_id__in=slugs, role=Role.OWNER, user__deactivated_at=None)
    kept = set(owners.exclude(user_id=user_id).values_list("workspace_id", flat=True))
    if left := sorted(slug for pk, slug in slugs.items() if pk not in kept):
        raise LastOwner(workspaces=left)


def _admins() -> QuerySet[User]:
    return User.objects.filter(roles__contains=[PLATFORM_ADMIN], deactivated_at=None)


def _lock_admins() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_ADMINS_LOCK])


def _locked(user_id: UUID) -> User:
    user = User.objects.select_for_update(no_key=True).filter(pk=user_id).first()
    if user is None:
        raise NotFound
    return user
