"""Old workspaces and their members. Few rows, so they go one by one and through the services where one exists."""

from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

import phonenumbers
from django.utils import timezone
from django.utils.text import slugify

from config.live.identity import publish_access_change
from config.live.unit import unit_of_work
from crm.actors import System
from crm.errors import LastOwner
from crm.identity.people import PROVIDER
from crm.ids import uuid7, uuid7_from
from crm.models import Member, User, UserIdentity, Workspace
from crm.roles import Role
from crm.services.members import change_role
from crm.services.roles import subject
from inbox.old_data import values
from inbox.old_data.report import Tally
from inbox.old_data.scope import Given, LeftOut, Place, Scope

SLUG = 60  # characters


class Workspaces:
    name = "workspaces"

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def write(self, rows: list[dict[str, Any]]) -> Tally:
        tally = Tally()
        for raw in rows:
            try:
                self._one(Given(raw, tally), tally)
            except values.Refused as refused:
                tally.refuse(values.text(raw.get("id")), refused.reason)
        return tally

    def _one(self, row: Given, tally: Tally) -> None:
        old = row.supabase_id = self._scope.need("workspaces", row.get("id"), "no_id")
        name = row.text("name", 200)
        slug = slugify(values.text(row.get("slug")) or name)[:SLUG].strip("-_") or f"workspace-{old.hex[:8]}"
        if not self._scope.is_wanted(slug, old):
            self._scope.left_out.add(old)
            self._scope.places.pop(old, None)
            tally.counts["left_out"] += 1
            return
        self._scope.left_out.discard(old)
        known = Workspace.objects.filter(supabase_id=old).first()
        workspace, outcome = (known, self._update(known, row)) if known else self._new(row, old, slug, name)
        tally.counts[outcome] += 1
        self._scope.places[old] = Place(workspace.pk, workspace.slug, workspace.default_region)

    def _update(self, workspace: Workspace, row: Given) -> str:
        wanted = {"name": row.text("name", 200), "timezone": _zone(row), "default_region": _region(row)}
        changed = {key: value for key, value in wanted.items() if value and value != getattr(workspace, key)}
        if not changed:
            return "unchanged"
        for key, value in changed.items():
            setattr(workspace, key, value)
        workspace.save(update_fields=list(changed))
        return "updated"

    def _new(self, row: Given, old: UUID, slug: str, name: str) -> tuple[Workspace, str]:
        taken = Workspace.objects.filter(slug=slug).first()
        if taken is not None:
            if not self._scope.adopt or taken.supabase_id is not None:
                raise values.Refused("slug_taken")
            Workspace.objects.filter(pk=taken.pk).update(supabase_id=old)
            return taken, "linked"
        created_at = _born(row)
        workspace = Workspace.objects.create(
            id=uuid7_from(created_at, old.bytes),
            supabase_id=old,
            slug=slug,
            name=name or slug,
            timezone=_zone(row) or "UTC",
            default_region=_region(row) or "US",
        )
        Workspace.objects.filter(pk=workspace.pk).update(created_at=created_at)
        return workspace, "created"


def _born(row: Given) -> Any:
    at = values.moment(row.get("created_at"))
    if at is None:
        raise values.Refused("no_time")
    return at


def _zone(row: Given) -> str:
    zone = values.text(row.get("timezone"))
    if zone and zone not in available_timezones():
        row.changed("unknown_timezone")
        return ""
    return zone


def _region(row: Given) -> str:
    region = values.text(row.get("default_region")).upper()
    if region and region not in phonenumbers.SUPPORTED_REGIONS:
        row.changed("unknown_region")
        return ""
    return region


class Members:
    name = "members"

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def write(self, rows: list[dict[str, Any]]) -> Tally:
        tally = Tally()
        for raw in rows:
            row = Given(raw, tally, None)
            try:
                tally.counts[self._one(row)] += 1
            except LeftOut:
                tally.counts["left_out"] += 1
            except values.Refused as refused:
                tally.refuse(values.text(raw.get("id")) or values.text(raw.get("user")), refused.reason)
        return tally

    def _one(self, row: Given) -> str:
        row.supabase_id = self._scope.key("members", row.get("id"))
        place = self._scope.place(row.get("workspace"))
        sub = _sub(row.get("user"))
        role = values.text(row.get("role"))
        if role not in Role.values:
            raise values.Refused("no_role" if not role else "unknown_role")
        user_id = self._user(row, sub)
        member = Member.objects.filter(workspace_id=place.id, user_id=user_id).first()
        if member is None:
            return self._join(place, user_id, role, row.supabase_id)
        return self._stay(place, member, role, row.supabase_id)

    def _user(self, row: Given, sub: UUID) -> UUID:
        """By the identity alone, never by an address: whoever signs in with this sub is this user."""
        self._scope.learn_users([sub])
        known = self._scope.user(sub)
        profile = {"email": row.text("email", 254), "name": row.text("name", 200), "phone": row.text("phone", 32)}
        if known is None:
            if User.objects.filter(pk=sub).exists():
                raise values.Refused("user_id_taken")
            User.objects.create(pk=sub, **profile)
            UserIdentity.objects.create(user_id=sub, provider=PROVIDER, subject=str(sub))
            self._scope.know_user(sub, sub)
            return sub
        user = User.objects.get(pk=known)
        blank = {key: value for key, value in profile.items() if value and not getattr(user, key)}
        if blank:
            User.objects.filter(pk=known).update(**blank)
        return known

    def _join(self, place: Place, user_id: UUID, role: str, old: UUID | None) -> str:
        """Joined now and not when the old system says: what was written before counts as read."""
        if old and Member.objects.filter(supabase_id=old).exists():
            raise values.Refused("id_twice")
        member = Member(id=uuid7(), workspace_id=place.id, user_id=user_id, role=role, supabase_id=old)
        member.created_at = timezone.now()
        member.save(force_insert=True)
        if not self._scope.dry:
            with unit_of_work():
                publish_access_change(subject(user_id))
        return "created"

    def _stay(self, place: Place, member: Member, role: str, old: UUID | None) -> str:
        outcome = "unchanged"
        if old and member.supabase_id is None:
            Member.objects.filter(pk=member.pk).update(supabase_id=old)
            outcome = "linked"
        if member.role == role:
            return outcome
        try:
            if not self._scope.dry:
                change_role(actor=System(place.id, "import_supabase"), user_id=member.user_id, role=role)
        except LastOwner:
            raise values.Refused("last_owner") from None
        return "updated"


def _sub(value: Any) -> UUID:
    word = values.text(value)
    try:
        return UUID(word)
    except ValueError:
        raise values.Refused("user_is_no_uuid" if word else "no_user") from None
