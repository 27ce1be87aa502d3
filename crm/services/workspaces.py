"""Workspaces as the platform makes and names them. What a workspace sets for itself is in its own settings."""

from zoneinfo import available_timezones

from django.db import IntegrityError, transaction
from phonenumbers import SUPPORTED_REGIONS

from config.errors import Conflict, Forbidden, Invalid
from config.live.unit import unit_of_work
from crm.models import Member, User, Workspace
from crm.roles import Role
from crm.services import audit


class SlugTaken(Conflict):
    code = "slug_taken"
    message = "Another workspace has this name in its addresses."


@unit_of_work
def create_workspace(*, by: User, slug: str, name: str, timezone: str, default_region: str, owner: User) -> Workspace:
    """With an owner from its first moment: no workspace is without one."""
    _check(by, timezone, default_region)
    if not owner.is_active:
        raise Invalid(errors={"owner": "This person is deactivated."})
    try:
        with transaction.atomic():
            workspace = Workspace.objects.create(
                slug=slug.lower(), name=name, timezone=timezone, default_region=default_region.upper()
            )
    except IntegrityError:
        raise SlugTaken from None
    Member.objects.create(workspace=workspace, user=owner, role=Role.OWNER)
    audit.record(
        actor=by,
        action="workspace.created",
        target_kind="workspace",
        target_id=workspace.pk,
        detail={"slug": workspace.slug, "owner": owner.pk},
    )
    return workspace


@unit_of_work
def rename_workspace(*, by: User, workspace: Workspace, name: str, timezone: str, default_region: str) -> Workspace:
    _check(by, timezone, default_region)
    locked = Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)
    wanted = {"name": name, "timezone": timezone, "default_region": default_region.upper()}
    changed = {key: [getattr(locked, key), value] for key, value in wanted.items() if getattr(locked, key) != value}
    if changed:
        for key, (_before, after) in changed.items():
            setattr(locked, key, after)
        locked.save(update_fields=list(changed))
        audit.record(actor=by, action="workspace.changed", target_kind="workspace", target_id=locked.pk, detail=changed)
    return locked


def _check(by: User, timezone: str, default_region: str) -> None:
    if not by.is_staff:
        raise Forbidden
    if timezone not in available_timezones():
        raise Invalid("There is no time zone of this name.", errors={"timezone": "Such as Europe/Madrid."})
    if default_region.upper() not in SUPPORTED_REGIONS:
        raise Invalid("There is no country of this code.", errors={"default_region": "Two letters, such as ES."})
