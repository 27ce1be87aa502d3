"""REST: an admin asks for a back-fill of one channel."""

from typing import Any, TypedDict

from drf_spectacular.plumbing import resolve_type_hint
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config.errors import Invalid
from crm.api.base import WorkspaceView
from webhooks.backfill import services


class BackfillBody(serializers.Serializer[Any]):
    since = serializers.DateTimeField(required=False, allow_null=True)


class BackfillPayload(TypedDict):
    job: str
    since: str


class ChannelBackfill(WorkspaceView):
    @extend_schema(
        request=BackfillBody,
        responses={202: resolve_type_hint(BackfillPayload)},  # type: ignore[no-untyped-call]
        operation_id="backfill_channel",
    )
    def post(self, request: Request, workspace: str, channel: str) -> Response:
        body = BackfillBody(data=request.data)
        if not body.is_valid():
            raise Invalid(errors=body.errors)
        key, since = services.ask(
            actor=self.actor(request), channel_slug=channel, since=body.validated_data.get("since")
        )
        return Response({"job": key, "since": since}, status=202)
