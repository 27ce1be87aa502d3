"""The journal, what goes out, and the jobs with what a person may do to them, in Django admin."""

from typing import Any
from uuid import UUID

from django.apps import apps
from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext
from unfold.contrib.filters.admin import DropdownFilter

from config.admin.base import column, each, register_rest
from config.errors import Conflict
from crm.actors import Member
from crm.admin.base import ByWorkspaceId, CrmAdmin, admin_of
from crm.ids import uuid7
from crm.models import Workspace
from crm.roles import Role
from crm.services import audit
from jobs.admin import JobAdmin
from jobs.models import Job
from webhooks.models import Call, CallState, Delivery, DeliveryState, Subscription
from webhooks.outbox.access import Manager
from webhooks.services import again


class NoWorkspace(Conflict):
    code = "no_workspace"
    message = "Its workspace is no longer there."


def managing(request: HttpRequest, workspace_id: UUID | None) -> Manager:
    """A platform admin at work in a workspace, with an owner's rights; of no workspace, with the platform's."""
    user = admin_of(request)
    slug = ""
    if workspace_id is not None:
        found = Workspace.objects.filter(pk=workspace_id).values_list("slug", flat=True).first()
        if found is None:
            raise NoWorkspace
        slug = found
    member = Member(
        user_id=user.pk,
        workspace_id=workspace_id or uuid7(),
        workspace_slug=slug,
        role=Role.OWNER,
        name=user.display_name,
        joined_at=user.created_at,
    )
    return Manager(member, platform=True)


class JobAdminWithMoves(JobAdmin):
    list_filter = (ByWorkspaceId, *JobAdmin.list_filter)
    actions = ("retry", "dismiss")

    @admin.action(description=lazy("Try again"))
    @each(done=lambda n: ngettext("%(n)d job is tried again.", "%(n)d jobs are tried again.", n) % {"n": n})
    def retry(self, request: HttpRequest, job: Job) -> None:
        again.retry(who=managing(request, job.workspace_id), job_id=job.pk)
        audit.record(
            actor=admin_of(request),
            action="job.retried",
            target_kind="job",
            target_id=job.pk,
            detail={"type": job.type},
        )

    @admin.action(description=lazy("Dismiss: nobody is to try again"))
    @each(done=lambda n: ngettext("%(n)d job is dismissed.", "%(n)d jobs are dismissed.", n) % {"n": n})
    def dismiss(self, request: HttpRequest, job: Job) -> None:
        again.dismiss(who=managing(request, job.workspace_id), job_id=job.pk)
        audit.record(
            actor=admin_of(request),
            action="job.dismissed",
            target_kind="job",
            target_id=job.pk,
            detail={"type": job.type},
        )


admin.site.unregister(Job)
admin.site.register(Job, JobAdminWithMoves)


class ByDeliveryState(DropdownFilter):  # type: ignore[misc]  # unfold has no types
    """With the workspaces beside it, since the index of states begins with them."""

    title = lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return DeliveryState.choices

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() not in DeliveryState.values:
            return queryset
        where = Q(workspace_id__in=list(Workspace.objects.values_list("pk", flat=True))) | Q(workspace_id=None)
        return queryset.filter(where, state=self.value())


@admin.register(Delivery)
class DeliveryAdmin(CrmAdmin):
    """As it came; its body is shown in the outbox, to those who manage its workspace."""

    list_display = ("id", "provider", "event", "shown_state", "received_at", "replays", "replayed_at")
    list_filter = (ByDeliveryState, "provider")
    search_fields = ("id",)
    search_help_text = lazy("The number of a delivery")
    hidden = ("event_key",)
    texts = ("outcome",)
    actions = ("replay",)

    @column(
        lazy("state"),
        label={DeliveryState.APPLIED: "success", DeliveryState.FAILED: "danger", DeliveryState.KEPT: "info"},
    )
    def shown_state(self, delivery: Delivery) -> str:
        return delivery.state

    @admin.action(description=lazy("Read anew"))
    @each(done=lambda n: ngettext("%(n)d delivery is read anew.", "%(n)d deliveries are read anew.", n) % {"n": n})
    def replay(self, request: HttpRequest, delivery: Delivery) -> None:
        again.replay(who=managing(request, delivery.workspace_id), delivery_id=delivery.pk)
        audit.record(
            actor=admin_of(request),
            action="delivery.replayed",
            target_kind="delivery",
            target_id=delivery.pk,
            detail={"provider": delivery.provider},
        )


@admin.register(Subscription)
class SubscriptionAdmin(CrmAdmin):
    list_display = ("url", "workspace", "is_active", "disabled_reason", "failing_since", "created_at", "deleted_at")
    list_select_related = ("workspace",)
    list_filter = ("is_active",)


@admin.register(Call)
class CallAdmin(CrmAdmin):
    list_display = ("id", "subscription", "event_type", "shown_state", "attempts", "status_code", "created_at")
    list_select_related = ("subscription",)
    list_filter = ("state",)
    search_fields = ("id", "subscription")

    @column(lazy("state"), label={CallState.DELIVERED: "success", CallState.FAILED: "danger"})
    def shown_state(self, call: Call) -> str:
        return call.state


register_rest(apps.get_app_config("webhooks").get_models(), CrmAdmin)
