"""REST of the connected channels, as everybody who reads the inbox may know them: by name, never with a secret."""

from typing import TypedDict
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from crm.access import check
from crm.api.base import schema_of
from crm.roles import Action
from inbox.api.base import InboxView
from inbox.models import Channel


class ChannelPayload(TypedDict):
    id: UUID
    slug: str
    kind: str
    name: str
    phone: str
    is_active: bool


class ChannelListPayload(TypedDict):
    results: list[ChannelPayload]


def channel_payload(channel: Channel) -> ChannelPayload:
    return {
        "id": channel.pk,
        "slug": channel.slug,
        "kind": channel.kind,
        "name": channel.name,
        "phone": channel.phone,
        "is_active": channel.is_active,
    }


class ChannelList(InboxView):
    @extend_schema(operation_id="list_channels", responses={200: schema_of(ChannelListPayload)})
    def get(self, request: Request, workspace: str) -> Response:
        actor = self.actor(request)
        check(actor, Action.READ_INBOX)
        rows = Channel.objects.filter(workspace_id=actor.workspace_id).defer("credentials").order_by("name", "id")
        return Response({"results": [channel_payload(row) for row in rows]})
