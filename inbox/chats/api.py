"""REST of chats for those who take part from outside: parse, call one service or query, answer.

Customers and students are signed-in users; visitors bring the token that their widget was given.
"""

from typing import Any, TypedDict
from uuid import UUID, uuid4

from django.http import HttpResponse, HttpResponseRedirect
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.errors import Invalid, NotFound, NotSignedIn
from config.parsers import JSONParser
from crm.actors import Customer, Guest, Visitor
from crm.api.base import PAGING, checked, page_schema, read, schema_of
from crm.identity.addresses import source
from crm.identity.requests import signed_in_user
from crm.paging import link, read_limit
from inbox import links
from inbox.chats import pace, proof, queries, returning, tokens
from inbox.chats.access import attachment_for, chat_for, widget_for
from inbox.chats.events import is_chat
from inbox.chats.payloads import ChatMessagePayload, chat_message_payload
from inbox.chats.queries import OwnChatPayload
from inbox.chats.widgets import WidgetPayload, check_origin, widget_payload
from inbox.errors import NotStored
from inbox.media import REDIRECT_SECONDS, AnyAnswer
from inbox.models import AttachmentState, Conversation
from inbox.models import Visitor as VisitorRow
from inbox.queries import LivePayload
from inbox.services.chats import ending, reading, starting, typing, visitors, writing
from inbox.services.chats.visitors import About
from inbox.services.chats.writing import Kept, Words

ANSWERS_AT_MOST = 10


class ChatView(APIView):
    permission_classes = (AllowAny,)

    def guest(self, request: Request) -> Guest:
        visitor = tokens.visitor_behind(request._request)
        if visitor is not None:
            return tokens.actor_of(visitor)
        user = signed_in_user(request._request)
        return Customer(user.pk, user.display_name, user.email)


# --- Widgets and visitors -----------------------------------------------------------------------------------------


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
        max_length=4000,
        required=False,
        allow_blank=True,
        default="",
        help_text="Who it is, as the site has signed it: a JWT (HS256) with sub, exp and perhaps name and email.",
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
        signed = visitors.read_identity(widget, given["identity"]) if given["identity"] else None
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
    def _visitor_id(self, request: Request, channel: str) -> UUID:
        guest = self.guest(request)
        widget = widget_for(channel, is_on_needed=False)
        if not isinstance(guest, Visitor) or guest.channel_id != widget.pk:
            raise NotFound
        return guest.visitor_id

    @extend_schema(operation_id="describe_visitor", request=AboutBody, responses={204: None})
    def patch(self, request: Request, channel: str) -> Response:
        """More about oneself: a name, an address to be answered at, answers to what was asked before the chat."""
        given = checked(AboutBody(data=request.data))
        visitors.describe_visitor(visitor_id=self._visitor_id(request, channel), about=_about(given))
        return Response(status=204)

    @extend_schema(operation_id="revoke_visitor", responses={204: None})
    def delete(self, request: Request, channel: str) -> Response:
        """Signs this browser out: its token is worth nothing from now on."""
        visitors.revoke_visitor(visitor_id=self._visitor_id(request, channel))
        return Response(status=204)


# --- Chats --------------------------------------------------------------------------------------------------------


class ChatStartBody(serializers.Serializer[Any]):
    channel = serializers.SlugField(max_length=60)
    client_id = serializers.UUIDField(required=False, allow_null=True, default=None)
    body = serializers.CharField(trim_whitespace=False, required=False, allow_blank=True, default="")
    message_client_id = serializers.UUIDField(
        required=False, allow_null=True, default=None, help_text="Of the first message; client_id where it is left out."
    )


class StateQuery(serializers.Serializer[Any]):
    state = serializers.ChoiceField(["waiting", "active", "ended"], required=False)
    status = serializers.ChoiceField(["open", "resolved", "waiting", "active", "ended"], required=False)
    channel = serializers.SlugField(max_length=60, required=False)


class ChatList(ChatView):
    @extend_schema(
        operation_id="list_chats", parameters=[StateQuery, *PAGING], responses={200: page_schema(OwnChatPayload)}
    )
    def get(self, request: Request) -> Response:
        """One's own chats, newest first: waiting (nobody's yet), active, ended."""
        query = request.query_params
        given = checked(StateQuery(data=query))
        found = queries.list_chats(
            self.guest(request),
            state=given.get("state") or given.get("status") or "",
            channel=given.get("channel", ""),
            cursor=query.get("cursor"),
            limit=read_limit(query.get("limit")),
        )
        again = {name: query[name] for name in ("state", "status", "channel", "limit") if name in query}
        return Response(
            {
                "results": [queries.own_payload(row) for row in found.rows],
                "next": link(request.path, again, found.next),
                "previous": link(request.path, again, found.previous),
            }
        )

    @extend_schema(
        operation_id="start_chat",
        request=ChatStartBody,
        responses={201: schema_of(OwnChatPayload), 200: schema_of(OwnChatPayload)},
    )
    def post(self, request: Request) -> Response:
        """The open chat on this channel (200), or a new one (201). The same client_id again is the same chat."""
        guest = self.guest(request)
        given = checked(ChatStartBody(data=request.data))
        channel = widget_for(given["channel"])
        if isinstance(guest, Visitor) and guest.channel_id != channel.pk:
            raise NotFound
        check_origin(request._request, channel)
        pace.take_start(guest, source(request._request))
        words = _first_words(given)
        if words is not None:
            pace.take_message(guest)
            writing.check_words(words.body)
        chat, created = starting.start_chat(guest=guest, channel=channel, client_id=given["client_id"], words=words)
        return Response(queries.get_chat(guest, chat.pk), status=201 if created else 200)


def _first_words(given: dict[str, Any]) -> Words | None:
    if not given["body"].strip():
        return None
    return Words(given["message_client_id"] or given["client_id"] or uuid4(), given["body"])


class ChatDetail(ChatView):
    @extend_schema(operation_id="get_chat", responses={200: schema_of(OwnChatPayload)})
    def get(self, request: Request, chat: UUID) -> Response:
        """One chat that one takes part in, with its live number."""
        guest = self.guest(request)
        chat_for(guest, chat)
        return Response(queries.get_chat(guest, chat))


class ChatWriteBody(serializers.Serializer[Any]):
    client_id = serializers.UUIDField()
    type = serializers.ChoiceField(["text"], default="text")
    body = serializers.CharField(trim_whitespace=False, allow_blank=True, required=False, default="")


class ChatUploadBody(ChatWriteBody):
    files = serializers.ListField(child=serializers.FileField(), required=False)


class ThreadPayload(TypedDict):
    results: list[ChatMessagePayload]
    next: str | None
    previous: str | None
    live: LivePayload


class ChatMessages(ChatView):
    parser_classes = (JSONParser, MultiPartParser)

    @extend_schema(operation_id="list_chat_messages", parameters=PAGING, responses={200: schema_of(ThreadPayload)})
    def get(self, request: Request, chat: UUID) -> Response:
        """Newest first; `next` goes to older ones. What is fetched counts as delivered."""
        guest, query = self.guest(request), request.query_params
        conversation = chat_for(guest, chat)
        reading.mark_delivered(guest=guest, conversation=conversation)
        live = queries.get_live(chat)
        found = queries.list_messages(conversation, cursor=query.get("cursor"), limit=read_limit(query.get("limit")))
        again = {"limit": query["limit"]} if "limit" in query else {}
        return Response(
            {
                "results": [chat_message_payload(message, conversation) for message in found.rows],
                "next": link(request.path, again, found.next),
                "previous": link(request.path, again, found.previous),
                "live": live,
            }
        )

    @extend_schema(
        operation_id="write_chat_message",
        request={"application/json": ChatWriteBody, "multipart/form-data": ChatUploadBody},
        responses={201: schema_of(ChatMessagePayload), 200: schema_of(ChatMessagePayload)},
    )
    def post(self, request: Request, chat: UUID) -> Response:
        """Words, files, or both. The same client_id again is the same message (200). An ended chat is open again."""
        guest = self.guest(request)
        given = read(ChatWriteBody, request.data)
        uploads = request.FILES.getlist("files") if hasattr(request.FILES, "getlist") else []
        pace.take_message(guest, files=len(uploads))
        writing.check_words(given["body"], files=len(uploads))
        kept = _keep(chat_for(guest, chat), uploads) if uploads else []
        used = False
        try:
            words = Words(given["client_id"], given["body"], kept)
            message, used = writing.write_message(guest=guest, chat_id=chat, words=words)
        finally:
            if not used:
                writing.drop(kept)
        shown = message.conversation if used else chat_for(guest, chat)
        return Response(chat_message_payload(message, shown), status=201 if used else 200)


def _takes_files(conversation: Conversation) -> bool:
    return is_chat(conversation) and conversation.channel.settings.get("files", True) is not False


def _keep(conversation: Conversation, uploads: list[Any]) -> list[Kept]:
    """All or none: what lies in the storage already goes again when a later one is refused."""
    if not _takes_files(conversation):
        raise Invalid(errors={"files": "Files cannot be sent here."})
    kept: list[Kept] = []
    try:
        for file in uploads:
            declared = file.content_type or ""
            one = writing.keep_file(
                conversation.workspace_id, file, size=file.size or 0, name=file.name or "", declared=declared
            )
            kept += [one]
    except BaseException:
        writing.drop(kept)
        raise
    return kept


class ChatReadBody(serializers.Serializer[Any]):
    up_to = serializers.UUIDField(required=False, allow_null=True, default=None)
    delivered = serializers.BooleanField(required=False, default=False, help_text="Only there, not looked at yet.")


class ChatRead(ChatView):
    @extend_schema(operation_id="read_chat", request=ChatReadBody, responses={204: None})
    def post(self, request: Request, chat: UUID) -> Response:
        """Everything of ours has been read, or what is not newer than the message `up_to`."""
        guest = self.guest(request)
        given = checked(ChatReadBody(data=request.data or {}))
        if given["delivered"]:
            reading.mark_delivered(guest=guest, conversation=chat_for(guest, chat))
        else:
            reading.mark_read(guest=guest, chat_id=chat, up_to=given["up_to"])
        return Response(status=204)


class ChatTyping(ChatView):
    @extend_schema(operation_id="type_in_chat", request=None, responses={204: None})
    def post(self, request: Request, chat: UUID) -> Response:
        """Tells the other side that one is writing; for those without a socket."""
        guest = self.guest(request)
        typing.tell_typing(guest=guest, chat_id=chat)
        return Response(status=204)


class ChatEndBody(serializers.Serializer[Any]):
    rating = serializers.IntegerField(min_value=1, max_value=5, required=False, allow_null=True, default=None)
    comment = serializers.CharField(max_length=2000, required=False, allow_blank=True, default="")


class ChatEnd(ChatView):
    @extend_schema(operation_id="end_chat", request=ChatEndBody, responses={200: schema_of(OwnChatPayload)})
    def post(self, request: Request, chat: UUID) -> Response:
        """Ends one's chat, and says how it was if one likes. Ended twice is ended."""
        guest = self.guest(request)
        given = checked(ChatEndBody(data=request.data or {}))
        ending.end_chat(guest=guest, chat_id=chat)
        if given["rating"] is not None:
            ending.rate_chat(guest=guest, chat_id=chat, rating=given["rating"], comment=given["comment"])
        return Response(queries.get_chat(guest, chat))


class RatingBody(serializers.Serializer[Any]):
    rating = serializers.IntegerField(min_value=1, max_value=5)
    comment = serializers.CharField(max_length=2000, required=False, allow_blank=True, default="")


class ChatRating(ChatView):
    @extend_schema(operation_id="rate_chat", request=RatingBody, responses={200: schema_of(OwnChatPayload)})
    def post(self, request: Request, chat: UUID) -> Response:
        """How an ended chat was, from 1 to 5. The last word counts."""
        guest = self.guest(request)
        ending.rate_chat(guest=guest, chat_id=chat, **checked(RatingBody(data=request.data)))
        return Response(queries.get_chat(guest, chat))


class TranscriptBody(serializers.Serializer[Any]):
    client_id = serializers.UUIDField(required=False)


class ChatTranscript(ChatView):
    @extend_schema(operation_id="mail_chat_transcript", request=TranscriptBody, responses={202: None})
    def post(self, request: Request, chat: UUID) -> Response:
        """Mails what was written to the address that one has given of oneself."""
        guest = self.guest(request)
        given = checked(TranscriptBody(data=request.data or {}))
        chat_for(guest, chat)
        pace.take_mail(guest)
        ending.request_transcript(guest=guest, chat_id=chat, request_id=given.get("client_id") or uuid4())
        return Response(status=202)


class ChatAttachment(ChatView):
    content_negotiation_class = AnyAnswer

    @extend_schema(
        operation_id="get_chat_attachment",
        parameters=[OpenApiParameter("download", bool, description="To keep rather than to look at.")],
        responses={302: None},
    )
    def get(self, request: Request, chat: UUID, attachment: UUID) -> HttpResponse:
        """Sends on to a link that works by itself for a quarter of an hour."""
        found = attachment_for(self.guest(request), chat, attachment)
        if found.state != AttachmentState.STORED:
            raise NotStored(state=found.state)
        answer = HttpResponseRedirect(
            links.reader_path(found.pk) + ("?download=1" if "download" in request.query_params else "")
        )
        answer["Cache-Control"] = f"private, max-age={REDIRECT_SECONDS}"
        return answer
