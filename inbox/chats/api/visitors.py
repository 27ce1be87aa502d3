"""Widgets and those who come through them: what a channel's widget says, tokens, who somebody says they are."""

from typing import Any, TypedDict
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.errors import NotFound, NotSignedIn
from crm.actors import Visitor
from crm.api.base import checked, schema_of
from crm.identity.addresses import source
from crm.identity.tokens import LONGEST_TOKEN
from inbox.chats import pace, proof, returning, tokens
from inbox.chats.access import widget_for
from inbox.chats.api.base import ChatView
from inbox.chats.widgets import WidgetPayload, check_origin, widget_payload
from inbox.models import Visitor as VisitorRow
from inbox.services.chats import visitors
from inbox.services.chats.signed import read_identity
from inbox.services.chats.visitors import About

ANSWERS_AT_MOST = 10


class WidgetDetail(APIView):
    permission_classes = (AllowAny,)

    @extend_schema(operation_id="get_widget", auth=[], responses={200: schema_of(WidgetPayload)})
    def get(self, request: Request, channel: str) -> Response:
        """What a channel's widget says and asks, and whether anybody is there. For everybody."""
        return Response(widget_payload(widget_for(channel, is_on_needed=False)))


class AboutBody(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")
    email = serializers.EmailField(max_length=254, required=False, allow_blank=True, default="")
    answers = serializers.DictField(
        child=serializers.CharField(max_length=1000, allow_blank=True), required=False, default=dict
    )
    page_url = serializers.CharField(max_length=2000, required=False, allow_blank=True, default="")
    language = serializers.RegexField(r"^[A-Za-z-]{0,20}$", required=False, allow_blank=True, default="")

    def validate_answers(self, value: dict[str, str]) -> dict[str, str]:
        if len(value) > ANSWERS_AT_MOST or any(len(key) > 40 for key in value):
            raise serializers.ValidationError("Too much at once.")
        if any("\x00" in key for key in value):
            raise serializers.ValidationError("Null characters are not text.")
        return value

    def validate_page_url(self, value: str) -> str:
        """Shown to agents as an address, so it is one or nothing."""
        return value[:500] if value.startswith(("https://", "http://")) else ""


def _about(given: dict[str, Any]) -> About:
    names = ("name", "email", "answers", "page_url", "language")
    return About(**{name: given[name] for name in names if name in given})


class AdmitBody(AboutBody):
    identity = serializers.CharField(
        max_length=LONGEST_TOKEN,
        required=False,
        allow_blank=True,
        default="",
        help_text="Who it is, as the site has signed it: a JWT (HS256) with sub, exp and perhaps name, email and jti "
        "(then it counts once); or an access token of the identity provider.",
    )
    back = serializers.CharField(
        max_length=returning.LONGEST,
        required=False,
        allow_blank=True,
        default="",
        help_text="What follows #back= in a link that we have mailed: the way back into that chat.",
    )
    proof = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")
    proof_answer = serializers.CharField(max_length=100, required=False, allow_blank=True, default="")


class VisitorPayload(TypedDict):
    id: UUID
    token: str
    name: str
    email: str
    identified: bool  # the site has signed who it is
    expires_at: str


class WidgetVisitors(APIView):
    permission_classes = (AllowAny,)

    @extend_schema(operation_id="admit_visitor", auth=[], request=AdmitBody, responses={201: schema_of(VisitorPayload)})
    def post(self, request: Request, channel: str) -> Response:
        """A token for one browser, to chat with. A browser that had one sends it along as its bearer and goes on as the
        same visitor with a new token."""
        widget = widget_for(channel)
        check_origin(request._request, widget)
        pace.take("visitor", {source(request._request): pace.VISITORS})
        given = checked(AdmitBody(data=request.data))
        known = _known(request)
        back = returning.chat_behind(widget, given["back"]) if given["back"] else None
        if known is None and back is None:
            proof.check(widget, given["proof"], given["proof_answer"])
        signed = read_identity(widget, given["identity"]) if given["identity"] else None
        visitor, token = visitors.admit_visitor(
            channel=widget, about=_about(given), signed=signed, known=known, back=back
        )
        return Response(_visitor(visitor, token), status=201)


def _known(request: Request) -> VisitorRow | None:
    """A token that ran out or was taken back is no reason not to be admitted anew."""
    try:
        return tokens.visitor_behind(request._request)
    except NotSignedIn:
        return None


def _visitor(visitor: VisitorRow, token: str) -> dict[str, Any]:
    return {
        "id": visitor.pk,
        "token": token,
        "name": visitor.name,
        "email": visitor.email,
        "identified": bool(visitor.external_id),
        "expires_at": visitor.expires_at,
    }


class WidgetVisitor(ChatView):
    def _own(self, request: Request, channel: str) -> Visitor:
        guest = self.guest(request)
        widget = widget_for(channel, is_on_needed=False)
        if not isinstance(guest, Visitor) or guest.channel_id != widget.pk:
            raise NotFound
        return guest

    @extend_schema(operation_id="describe_visitor", request=AboutBody, responses={204: None})
    def patch(self, request: Request, channel: str) -> Response:
        """More about oneself: a name, an address to be answered at, answers to what was asked before the chat."""
        given = checked(AboutBody(data=request.data))
        guest = self._own(request, channel)
        pace.take_act(guest)
        visitors.describe_visitor(visitor_id=guest.visitor_id, about=_about(given))
        return Response(status=204)

    @extend_schema(operation_id="revoke_visitor", responses={204: None})
    def delete(self, request: Request, channel: str) -> Response:
        """Signs this browser out: its token is worth nothing from now on."""
        visitors.revoke_visitor(visitor_id=self._own(request, channel).visitor_id)
        return Response(status=204)
