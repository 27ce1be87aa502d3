"""What the edges of the inbox share."""

from typing import Any

from rest_framework.response import Response

from crm.actors import Caller
from crm.api.base import WorkspaceView, page_schema, schema_of
from crm.features import Feature
from inbox import queries
from inbox.models import Conversation


class InboxView(WorkspaceView):
    feature = Feature.INBOX


def live_page_schema(payload: Any) -> dict[str, Any]:
    schema = page_schema(payload)
    schema["properties"]["live"] = schema_of(queries.LivePayload)
    return schema


def answer_conversation(actor: Caller, conversation: Conversation) -> Response:
    return Response(queries.get_conversation(actor, conversation.pk))
