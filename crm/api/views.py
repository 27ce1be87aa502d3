"""REST of saved views."""

from typing import Any, TypedDict
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from crm.api.base import StrictSerializer, WorkspaceView, checked, schema_of
from crm.models import ViewAudience, ViewScope
from crm.queries.views import ViewPayload, view_for, view_payload, visible_views
from crm.services import views

MOST_COLUMNS = 40


class ViewListPayload(TypedDict):
    results: list[ViewPayload]


class ViewQuery(serializers.Serializer[Any]):
    scope = serializers.ChoiceField(ViewScope.choices, required=False)


class ViewBody(StrictSerializer):
    name = serializers.CharField(max_length=80)
    audience = serializers.ChoiceField(ViewAudience.choices, required=False)
    team = serializers.UUIDField(required=False, allow_null=True)
    filters = serializers.DictField(
        required=False,
        help_text='{"all": [{"field", "is", "value"}, {"any": […]}, {"not": {…}}]}, as docs/contacts.md lists',
    )
    sort = serializers.CharField(required=False, max_length=40, allow_blank=True)
    columns = serializers.ListField(child=serializers.CharField(max_length=60), required=False, max_length=MOST_COLUMNS)
    position = serializers.IntegerField(required=False, min_value=0, max_value=32_767)


class NewViewBody(ViewBody):
    scope = serializers.ChoiceField(ViewScope.choices, default=ViewScope.CONTACTS)


class ViewList(WorkspaceView):
    @extend_schema(operation_id="list_saved_views", parameters=[ViewQuery], responses={200: schema_of(ViewListPayload)})
    def get(self, request: Request, workspace: str) -> Response:
        """One's own, one's teams' and everybody's."""
        given = checked(ViewQuery(data=request.query_params))
        rows = visible_views(self.actor(request)).filter(**given)
        return Response({"results": [view_payload(row) for row in rows]})

    @extend_schema(operation_id="save_view", request=NewViewBody, responses={201: schema_of(ViewPayload)})
    def post(self, request: Request, workspace: str) -> Response:
        actor = self.actor(request)
        given: Any = checked(NewViewBody(data=request.data))
        made = views.save_view(actor=actor, fields=given)
        return Response(view_payload(view_for(actor, made.pk)), status=201)


class ViewDetail(WorkspaceView):
    @extend_schema(operation_id="get_saved_view", responses={200: schema_of(ViewPayload)})
    def get(self, request: Request, workspace: str, view: UUID) -> Response:
        return Response(view_payload(view_for(self.actor(request), view)))

    @extend_schema(operation_id="change_view", request=ViewBody, responses={200: schema_of(ViewPayload)})
    def patch(self, request: Request, workspace: str, view: UUID) -> Response:
        actor = self.actor(request)
        given: Any = checked(ViewBody(data=request.data, partial=True))
        views.change_view(actor=actor, view_id=view, fields=given)
        return Response(view_payload(view_for(actor, view)))

    @extend_schema(operation_id="delete_view", responses={204: None})
    def delete(self, request: Request, workspace: str, view: UUID) -> Response:
        views.delete_view(actor=self.actor(request), view_id=view)
        return Response(status=204)
