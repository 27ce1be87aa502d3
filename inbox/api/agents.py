"""REST of who can be given conversations, and whether they are here and want any."""

from typing import TypedDict

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from crm.api.base import schema_of
from inbox.agents import AgentPayload, list_agents
from inbox.api.base import InboxView


class AgentListPayload(TypedDict):
    results: list[AgentPayload]


class AgentList(InboxView):
    @extend_schema(operation_id="list_agents", responses={200: schema_of(AgentListPayload)})
    def get(self, request: Request, workspace: str) -> Response:
        """By name. `presence`: active, idle or gone; `availability` is what they say of themselves."""
        return Response({"results": list_agents(self.actor(request))})
