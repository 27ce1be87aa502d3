"""Workspaces, and who belongs to them as what."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as lazy
from unfold.widgets import UnfoldAdminEmailInputWidget

from crm.admin.base import CrmAdmin, acting_in, admin_of
from crm.models import AttributeDefinition, Member, SavedView, Team, TeamMember, User, Workspace
from crm.services import members, workspaces


class NewWorkspace(forms.ModelForm):  # type: ignore[type-arg]  # generic for mypy alone
    owner = forms.EmailField(
        label=lazy("Owner's e-mail address"),
        help_text=lazy("Somebody who has signed in before."),
        widget=UnfoldAdminEmailInputWidget(),
    )

    class Meta:
        model = Workspace
        fields = ("slug", "name", "timezone", "default_region")

    def clean_owner(self) -> User:
        found = User.objects.filter(email=self.cleaned_data["owner"].lower(), deactivated_at=None)[:2]
        if len(found) != 1:
            raise forms.ValidationError(lazy("Nobody, or more than one person, has signed in with this address."))
        return found[0]


@admin.register(Workspace)
class WorkspaceAdmin(CrmAdmin):
    list_display = ("slug", "name", "timezone", "default_region", "created_at")
    search_fields = ("id", "slug__icontains", "name__icontains")
    texts = ("settings", "features")
    editable = ("name", "timezone", "default_region")
    can_add = True

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change, **(kwargs if obj else {**kwargs, "form": NewWorkspace}))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        if obj is None:
            return ["slug", "name", "timezone", "default_region", "owner"]
        return super().get_fields(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [] if obj is None else super().get_readonly_fields(request, obj)

    def save_model(self, request: HttpRequest, obj: Workspace, form: Any, change: bool) -> None:
        given = {name: form.cleaned_data[name] for name in ("name", "timezone", "default_region")}
        if change:
            workspaces.rename_workspace(by=admin_of(request), workspace=obj, **given)
            return
        made = workspaces.create_workspace(
            by=admin_of(request), slug=form.cleaned_data["slug"], owner=form.cleaned_data["owner"], **given
        )
        obj.pk = made.pk


@admin.register(Member)
class MemberAdmin(CrmAdmin):
    """Every change goes the way of the settings page: the last owner stays, open sockets hear of it."""

    list_display = ("user", "workspace", "role", "created_at")
    list_select_related = ("user", "workspace")
    list_filter = ("role",)
    search_fields = ("id", "user")
    search_help_text = lazy("The id of a person or of the membership")
    autocomplete_fields = ("workspace", "user")
    editable = ("role",)
    can_add = True
    can_delete = True

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["workspace", "user", "role"] if obj is None else super().get_fields(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [] if obj is None else super().get_readonly_fields(request, obj)

    def save_model(self, request: HttpRequest, obj: Member, form: Any, change: bool) -> None:
        actor, role = acting_in(request, obj.workspace_id), form.cleaned_data["role"]
        if change:
            members.change_role(actor=actor, user_id=obj.user_id, role=role)
        else:
            obj.pk = members.add_member(actor=actor, user_id=obj.user_id, role=role).pk

    def delete_model(self, request: HttpRequest, obj: Member) -> None:
        members.remove_member(actor=acting_in(request, obj.workspace_id), user_id=obj.user_id)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for member in queryset:
            self.delete_model(request, member)


@admin.register(Team)
class TeamAdmin(CrmAdmin):
    list_display = ("name", "workspace", "hue", "created_at")
    list_select_related = ("workspace",)


@admin.register(TeamMember)
class TeamMemberAdmin(CrmAdmin):
    list_display = ("id", "team", "user", "workspace")
    list_select_related = ("team", "user", "workspace")
    search_fields = ("user",)


@admin.register(AttributeDefinition)
class AttributeDefinitionAdmin(CrmAdmin):
    list_display = ("label", "key", "type", "workspace", "position", "archived_at")
    list_select_related = ("workspace",)


@admin.register(SavedView)
class SavedViewAdmin(CrmAdmin):
    list_display = ("name", "scope", "audience", "owner", "team", "workspace", "updated_at")
    list_select_related = ("workspace", "owner", "team")
    texts = ("filters", "columns")
