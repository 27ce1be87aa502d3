"""REST of by-phone and context for people, whom Django recognises. Machines' keys take the lean road (road.py)."""

from datetime import datetime
from typing import Any, TypedDict
from uuid import UUID

from django.db import connection
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request

from crm.access import check
from crm.actors import Caller, Member
from crm.api.base import WorkspaceView, schema_of
from crm.identity.exempt import with_legacy_key
from crm.payloads import ContactPayload
from crm.profiles import BillingStatePayload, ProfilePayload, StatePayload
from crm.roles import Action
from inbox.context import lookup
from inbox.context.lookup import Question, Row
from inbox.payloads import ConversationPayload, MessagePayload, NamedPayload, WindowPayload


class KnownConversationPayload(ConversationPayload):
    unread_count: int
    seen_count: int


class KnownNotePayload(TypedDict):
    id: UUID
    contact: UUID
    conversation: UUID | None  # where it stands between the messages, for those that do
    author: NamedPayload | None
    body: str
    mentions: list[UUID]
    created_at: datetime
    updated_at: datetime


class ContextPayload(TypedDict):
    contact: ContactPayload
    profile: ProfilePayload | None
    state: StatePayload | None
    billing: BillingStatePayload | None
    conversation: KnownConversationPayload | None
    messages: list[MessagePayload]
    notes: list[KnownNotePayload]
    window: WindowPayload
    allowed_actions: list[str]


PHONE = OpenApiParameter(
    "phone", required=True, description="In any form: +62…, 0062…, 0812-…, a WhatsApp id, with spaces or brackets."
)
LIMIT = OpenApiParameter("limit", int, description=f"Messages at most, {lookup.DEFAULT_LIMIT} if not given.")


@with_legacy_key
class ContactByPhone(WorkspaceView):
    @extend_schema(operation_id="get_contact_by_phone", parameters=[PHONE], responses={200: schema_of(ContactPayload)})
    def get(self, request: Request, workspace: str) -> HttpResponse:
        """The contact with this number. 404 tells how the number was read; 409 that several may be meant."""
        return _answered(request, self.actor(request), workspace, "by-phone")


@with_legacy_key
class ContactContext(WorkspaceView):
    @extend_schema(
        operation_id="get_context_by_phone", parameters=[PHONE, LIMIT], responses={200: schema_of(ContextPayload)}
    )
    def get(self, request: Request, workspace: str) -> HttpResponse:
        """All that is known of the contact with this number, in one query: for whoever is about to answer them."""
        return _answered(request, self.actor(request), workspace, "context")


def _answered(request: Request, actor: Caller, workspace: str, what: str) -> HttpResponse:
    check(actor, Action.READ_INBOX)
    asked = lookup.wanted(workspace, what, request._request.META["QUERY_STRING"])
    question, row = _ask(lookup.question(asked), actor)
    answer = HttpResponse(lookup.answer(question, row, lookup.may_of(actor)), content_type="application/json")
    answer["Cache-Control"] = "private, no-store"
    return answer


def _ask(question: Question, actor: Caller) -> tuple[Question, Row]:
    row = _run(question, actor)
    again = lookup.again(question, row)
    if again is not None:
        question = again
        row = _run(question, actor)
    return question, row


def _run(question: Question, actor: Caller) -> Row:
    reader: dict[str, Any] = {}
    if isinstance(actor, Member):
        reader = {"user": actor.user_id, "joined_at": actor.joined_at}
    with connection.cursor() as cursor:
        cursor.execute(question.text(by_key=False), {**question.params, **reader})
        return lookup.row_of(cursor.fetchone(), by_key=False)
