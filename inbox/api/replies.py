"""REST of saved replies and macros."""

from typing import Any, TypedDict
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config.errors import Invalid
from crm.actors import Caller
from crm.api.base import StrictSerializer, checked, schema_of
from crm.models import ViewAudience
from inbox import queries
from inbox.access import conversation_for
from inbox.api.base import InboxView
from inbox.models import Macro, SavedReply
from inbox.payloads import MessagePayload, NamedPayload, message_payload
from inbox.senders import NOTE_LIMIT
from inbox.services import replies
from inbox.steps import doing_of, read_step

BODY_LIMIT = 4096
STEPS = ("reply", "note", "label", "unlabel", "assign", "team", "status", "priority", "snooze")


class ReplyPayload(TypedDict):
    id: UUID
    shortcut: str
    title: str
    body: str
    audience: str
    team: NamedPayload | None
    owner: UUID | None
    uses: int


def reply_payload(row: SavedReply) -> ReplyPayload:
    return {
        "id": row.pk,
        "shortcut": row.shortcut,
        "title": row.title,
        "body": row.body,
        "audience": row.audience,
        "team": {"id": row.team.pk, "name": row.team.name} if row.team else None,
        "owner": row.owner_id,
        "uses": row.uses,
    }


class ReplyListPayload(TypedDict):
    results: list[ReplyPayload]


class FilledPayload(TypedDict):
    text: str
    missing: list[str]


class Shared(StrictSerializer):
    audience = serializers.ChoiceField(ViewAudience.choices, required=False)
    team = serializers.UUIDField(required=False, allow_null=True)


class ReplyBody(Shared):
    shortcut = serializers.SlugField(max_length=40)
    title = serializers.CharField(max_length=120)
    body = serializers.CharField(max_length=BODY_LIMIT, trim_whitespace=False)


class ReplyList(InboxView):
    @extend_schema(operation_id="list_saved_replies", responses={200: schema_of(ReplyListPayload)})
    def get(self, request: Request, workspace: str) -> Response:
        """One's own, one's teams' and everybody's, the most used first."""
        rows = replies.visible(self.actor(request), SavedReply.objects.all()).order_by("-uses", "shortcut", "id")
        return Response({"results": [reply_payload(row) for row in rows]})

    @extend_schema(operation_id="create_saved_reply", request=ReplyBody, responses={201: schema_of(ReplyPayload)})
    def post(self, request: Request, workspace: str) -> Response:
        given: Any = checked(ReplyBody(data=request.data))
        return Response(reply_payload(replies.save_reply(actor=self.actor(request), fields=given)), status=201)


class ReplyDetail(InboxView):
    @extend_schema(operation_id="get_saved_reply", responses={200: schema_of(ReplyPayload)})
    def get(self, request: Request, workspace: str, reply: UUID) -> Response:
        return Response(reply_payload(replies.one_of(self.actor(request), SavedReply.objects.all(), reply)))

    @extend_schema(operation_id="change_saved_reply", request=ReplyBody, responses={200: schema_of(ReplyPayload)})
    def patch(self, request: Request, workspace: str, reply: UUID) -> Response:
        given: Any = checked(ReplyBody(data=request.data, partial=True))
        return Response(reply_payload(replies.save_reply(actor=self.actor(request), fields=given, reply_id=reply)))

    @extend_schema(operation_id="delete_saved_reply", responses={204: None})
    def delete(self, request: Request, workspace: str, reply: UUID) -> Response:
        actor = self.actor(request)
        replies.delete(actor=actor, row=replies.one_of(actor, SavedReply.objects.all(), reply))
        return Response(status=204)


class ForConversation(StrictSerializer):
    conversation = serializers.UUIDField()


class ReplyPreview(InboxView):
    @extend_schema(
        operation_id="preview_saved_reply", request=ForConversation, responses={200: schema_of(FilledPayload)}
    )
    def post(self, request: Request, workspace: str, reply: UUID) -> Response:
        """With its blanks filled in for a conversation; `missing` names those that have no value there."""
        given = checked(ForConversation(data=request.data))
        filled = replies.use_reply(actor=self.actor(request), reply_id=reply, conversation_id=given["conversation"])
        return Response({"text": filled.text, "missing": filled.missing})


# --- Macros -----------------------------------------------------------------------------------------------------


class MacroPayload(TypedDict):
    id: UUID
    name: str
    steps: list[dict[str, Any]]
    audience: str
    team: NamedPayload | None
    owner: UUID | None


class MacroListPayload(TypedDict):
    results: list[MacroPayload]


class StepPayload(TypedDict):
    do: str
    value: Any
    text: str | None
    missing: list[str]


class MacroPreviewPayload(TypedDict):
    steps: list[StepPayload]


class MacroDonePayload(TypedDict):
    conversation: queries.ConversationDetailPayload
    messages: list[MessagePayload]


def macro_payload(row: Macro) -> MacroPayload:
    return {
        "id": row.pk,
        "name": row.name,
        "steps": row.steps,
        "audience": row.audience,
        "team": {"id": row.team.pk, "name": row.team.name} if row.team else None,
        "owner": row.owner_id,
    }


class StepBody(StrictSerializer):
    do = serializers.ChoiceField(STEPS)
    value = serializers.JSONField(allow_null=True, default=None)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "do" not in attrs:  # a step is whole even where the macro is changed in part
            raise serializers.ValidationError({"do": "This field is required."})
        limit = {"reply": BODY_LIMIT, "note": NOTE_LIMIT}.get(attrs["do"])
        value = attrs.get("value")
        if limit and not (isinstance(value, str) and len(value.strip()) > 0 and len(value) <= limit):
            raise serializers.ValidationError({"value": f"A text of at most {limit:,} characters."})
        return {**attrs, "value": value}


class MacroBody(Shared):
    name = serializers.CharField(max_length=120)
    steps = serializers.ListField(child=StepBody(), allow_empty=False, max_length=replies.MOST_STEPS)


class ApplyBody(StrictSerializer):
    client_id = serializers.UUIDField(help_text="Its messages are sent once, however often this is asked")


class MacroList(InboxView):
    @extend_schema(operation_id="list_macros", responses={200: schema_of(MacroListPayload)})
    def get(self, request: Request, workspace: str) -> Response:
        rows = replies.visible(self.actor(request), Macro.objects.all()).order_by("name", "id")
        return Response({"results": [macro_payload(row) for row in rows]})

    @extend_schema(operation_id="create_macro", request=MacroBody, responses={201: schema_of(MacroPayload)})
    def post(self, request: Request, workspace: str) -> Response:
        actor = self.actor(request)
        given = read_macro(actor, request.data)
        return Response(macro_payload(replies.save_macro(actor=actor, fields=given)), status=201)


class MacroDetail(InboxView):
    @extend_schema(operation_id="get_macro", responses={200: schema_of(MacroPayload)})
    def get(self, request: Request, workspace: str, macro: UUID) -> Response:
        return Response(macro_payload(replies.one_of(self.actor(request), Macro.objects.all(), macro)))

    @extend_schema(operation_id="change_macro", request=MacroBody, responses={200: schema_of(MacroPayload)})
    def patch(self, request: Request, workspace: str, macro: UUID) -> Response:
        actor = self.actor(request)
        given = read_macro(actor, request.data, partial=True)
        return Response(macro_payload(replies.save_macro(actor=actor, fields=given, macro_id=macro)))

    @extend_schema(operation_id="delete_macro", responses={204: None})
    def delete(self, request: Request, workspace: str, macro: UUID) -> Response:
        actor = self.actor(request)
        replies.delete(actor=actor, row=replies.one_of(actor, Macro.objects.all(), macro))
        return Response(status=204)


class MacroPreview(InboxView):
    @extend_schema(
        operation_id="preview_macro", request=ForConversation, responses={200: schema_of(MacroPreviewPayload)}
    )
    def post(self, request: Request, workspace: str, macro: UUID) -> Response:
        """Step by step, with the blanks of its texts filled in. Changes nothing."""
        actor = self.actor(request)
        row = replies.one_of(actor, Macro.objects.all(), macro)
        given = checked(ForConversation(data=request.data))
        doing = doing_of(actor, conversation_for(actor, given["conversation"]), row.steps)
        steps = [
            {
                "do": step["do"],
                "value": step["value"],
                "text": done.text.text if done.text else None,
                "missing": done.text.missing if done.text else [],
            }
            for step, done in zip(row.steps, doing, strict=True)
        ]
        return Response({"steps": steps})


class MacroApply(InboxView):
    @extend_schema(operation_id="apply_macro", request=ApplyBody, responses={200: schema_of(MacroDonePayload)})
    def post(self, request: Request, workspace: str, conversation: UUID, macro: UUID) -> Response:
        """All of its steps or none, as the person who asks."""
        actor, client_id = self.actor(request), checked(ApplyBody(data=request.data))["client_id"]
        row = replies.one_of(actor, Macro.objects.all(), macro)
        doing = doing_of(actor, conversation_for(actor, conversation), row.steps)
        changed, made = replies.apply_macro(actor=actor, conversation_id=conversation, steps=doing, client_id=client_id)
        contact = changed.contact
        return Response(
            {
                "conversation": queries.get_conversation(actor, conversation),
                "messages": [message_payload(message, contact.display_name, contact.pk) for message in made],
            }
        )


def read_macro(actor: Caller, data: Any, *, partial: bool = False) -> Any:
    """Each step's value is looked at now, so that nobody runs into it later."""
    given = checked(MacroBody(data=data, partial=partial))
    for position, step in enumerate(given.get("steps", ())):
        if step["do"] in {"reply", "note", "snooze"}:
            continue
        try:
            read_step(actor, step["do"], step["value"])
        except Invalid as wrong:
            raise Invalid(errors={"steps": {str(position): wrong.data["errors"]}}) from None
    return given
