"""REST of API keys, for those who manage them."""

from datetime import datetime
from typing import Any, TypedDict
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config.errors import NotFound
from crm.access import visible_api_keys
from crm.api.base import PAGING, StrictSerializer, WorkspaceView, checked, list_page, page_schema, schema_of
from crm.models import KEY_PER_MINUTE, ApiKey
from crm.roles import Action
from crm.services import api_keys


class ApiKeyPayload(TypedDict):
    id: UUID
    name: str
    prefix: str
    scopes: list[str]
    status: str  # active, expired, revoked
    rate_per_minute: int
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


class NewApiKeyPayload(ApiKeyPayload):
    key: str  # shown once


def api_key_payload(key: ApiKey) -> ApiKeyPayload:
    return {
        "id": key.pk,
        "name": key.name,
        "prefix": key.prefix,
        "scopes": key.scopes,
        "status": api_keys.status_of(key),
        "rate_per_minute": key.rate_per_minute,
        "created_by": key.created_by.display_name,
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "last_used_at": key.last_used_at,
        "revoked_at": key.revoked_at,
    }


class ApiKeyBody(StrictSerializer):
    name = serializers.CharField(max_length=120)
    scopes = serializers.ListField(
        child=serializers.CharField(max_length=40),
        max_length=len(Action),
        help_text=f"Of: {', '.join(Action.values)}. No more than one's own role allows.",
    )
    expires_at = serializers.DateTimeField(required=False, allow_null=True, default=None)
    rate_per_minute = serializers.IntegerField(
        required=False, default=KEY_PER_MINUTE, min_value=1, max_value=api_keys.MOST_PER_MINUTE
    )


class ApiKeyList(WorkspaceView):
    @extend_schema(operation_id="list_api_keys", parameters=PAGING, responses={200: page_schema(ApiKeyPayload)})
    def get(self, request: Request, workspace: str) -> Response:
        """Newest first, revoked ones too; never the keys themselves."""
        return list_page(request, visible_api_keys(self.actor(request)), api_key_payload, {})

    @extend_schema(operation_id="create_api_key", request=ApiKeyBody, responses={201: schema_of(NewApiKeyPayload)})
    def post(self, request: Request, workspace: str) -> Response:
        """`key` is in this answer and nowhere afterwards."""
        given: dict[str, Any] = checked(ApiKeyBody(data=request.data))
        made, raw = api_keys.create_key(actor=self.actor(request), **given)
        return Response({**api_key_payload(made), "key": raw}, status=201)


class ApiKeyDetail(WorkspaceView):
    @extend_schema(operation_id="get_api_key", responses={200: schema_of(ApiKeyPayload)})
    def get(self, request: Request, workspace: str, key: UUID) -> Response:
        found = visible_api_keys(self.actor(request)).filter(pk=key).first()
        if found is None:
            raise NotFound
        return Response(api_key_payload(found))

    @extend_schema(operation_id="revoke_api_key", responses={204: None})
    def delete(self, request: Request, workspace: str, key: UUID) -> Response:
        """For good: the next request with it is refused, and its sockets close within two seconds."""
        api_keys.revoke_key(actor=self.actor(request), key_id=key)
        return Response(status=204)


class ApiKeyRevoke(WorkspaceView):
    @extend_schema(operation_id="revoke_api_key_now", request=None, responses={200: schema_of(ApiKeyPayload)})
    def post(self, request: Request, workspace: str, key: UUID) -> Response:
        """The same as DELETE, answering what is left of it."""
        return Response(api_key_payload(api_keys.revoke_key(actor=self.actor(request), key_id=key)))
