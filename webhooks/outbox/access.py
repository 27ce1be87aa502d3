"""Deliveries and jobs belong to those who manage the workspace; what is of no workspace, to platform admins alone."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet

from config.errors import Forbidden, NotFound
from crm.access import check, member_on_page
from crm.actors import Caller
from crm.models import Member as Membership
from crm.roles import Action
from jobs.errors import NoSuchJob
from jobs.models import Job
from webhooks.models import Call, Delivery


@dataclass(frozen=True, slots=True)
class Manager:
    """Who looks. `platform`: may also see what belongs to no workspace, such as crons' jobs."""

    member: Caller
    platform: bool = False

    @property
    def workspace_id(self) -> UUID:
        return self.member.workspace_id


def manager(member: Caller, *, platform: bool) -> Manager:
    check(member, Action.MANAGE)
    return Manager(member, platform)


def manager_on_page(user_id: UUID, workspace_slug: str, *, platform: bool) -> Manager:
    """Members who manage nothing are told so; for strangers there is no such page."""
    try:
        member = member_on_page(user_id, Action.MANAGE, workspace_slug)
    except NotFound:
        if workspace_slug or not Membership.objects.filter(user_id=user_id).exists():
            raise
        raise Forbidden from None
    return manager(member, platform=platform)


def visible_jobs(who: Manager, *, of_platform: bool = False) -> QuerySet[Job]:
    """Of the workspace, or those of none."""
    check(who.member, Action.MANAGE)
    if of_platform:
        return Job.objects.filter(workspace_id=None) if who.platform else Job.objects.none()
    return Job.objects.filter(workspace_id=who.workspace_id)


def job_for(who: Manager, job_id: int) -> Job:
    job = Job.objects.filter(pk=job_id).first()
    if job is None or not _is_theirs(who, job.workspace_id):
        raise NoSuchJob
    return job


def visible_deliveries(who: Manager, *, of_platform: bool = False) -> QuerySet[Delivery]:
    check(who.member, Action.MANAGE)
    if of_platform:
        return Delivery.objects.filter(workspace_id=None) if who.platform else Delivery.objects.none()
    return Delivery.objects.filter(workspace_id=who.workspace_id)


def delivery_for(who: Manager, delivery_id: int, *, for_update: bool = False) -> Delivery:
    rows = Delivery.objects.select_for_update(no_key=True) if for_update else Delivery.objects.all()
    delivery = rows.filter(pk=delivery_id).first()
    if delivery is None or not _is_theirs(who, delivery.workspace_id):
        raise NotFound
    return delivery


def visible_calls(who: Manager) -> QuerySet[Call]:
    check(who.member, Action.MANAGE)
    return Call.objects.filter(workspace_id=who.workspace_id)


def _is_theirs(who: Manager, workspace_id: UUID | None) -> bool:
    check(who.member, Action.MANAGE)
    return who.platform if workspace_id is None else workspace_id == who.workspace_id
