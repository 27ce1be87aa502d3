"""REST of a channel's message templates."""

from typing import TypedDict

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from crm.api.base import schema_of
from inbox.api.base import InboxView
from inbox.services import templates
from inbox.services.templates import TemplatePayload


class TemplateListPayload(TypedDict):
    results: list[TemplatePayload]


class TemplateList(InboxView):
    @extend_schema(responses={200: schema_of(TemplateListPayload)}, operation_id="list_templates")
    def get(self, request: Request, workspace: str, channel: str) -> Response:
        return Response({"results": templates.list_templates(self.actor(request), channel)})


class TemplateSync(InboxView):
    @extend_schema(request=None, responses={202: None})
    def post(self, request: Request, workspace: str, channel: str) -> Response:
        templates.request_sync(actor=self.actor(request), slug=channel)
        return Response(status=202)
