"""REST of the exam room, for its student and for the exam's tutors."""

from typing import Any, TypedDict
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from crm.api.base import PAGING, Text, checked, schema_of
from crm.paging import link, page, read_limit
from proctoring import topics
from proctoring.api.base import ExamView, StudentView, body_of
from proctoring.api.sessions import TOKEN
from proctoring.payloads.sessions import ChatMessagePayload, chat_message_payload
from proctoring.queries import exams as queries
from proctoring.queries import rooms as room_queries
from proctoring.services import rooms
from proctoring.services.rooms import Room


class SeenPayload(TypedDict):
    by_tutors: int  # of the student's messages
    by_student: int  # of the tutors' messages


class ChatPayload(TypedDict):
    conversation: UUID | None
    is_open: bool
    results: list[ChatMessagePayload]
    next: str | None
    previous: str | None
    seen: SeenPayload
    unread_count: int


class WriteBody(serializers.Serializer[Any]):
    client_id = serializers.UUIDField()
    body = Text(trim_whitespace=False, allow_blank=True)


def _thread(request: Request, room: Room, live: dict[str, Any], *, unread: int) -> Response:
    """Newest first; `next` goes to older ones."""
    query = request.query_params
    found = page(
        room_queries.messages_of(room.conversation),
        ("-id",),
        cursor=query.get("cursor"),
        limit=read_limit(query.get("limit")),
    )
    again = {"limit": query["limit"]} if "limit" in query else {}
    return Response(
        {
            "conversation": room.conversation.pk if room.conversation else None,
            "is_open": room.session.exam.is_chat_open,
            "results": [chat_message_payload(message, room.session) for message in found.rows],
            "next": link(request.path, again, found.next),
            "previous": link(request.path, again, found.previous),
            "seen": room_queries.seen_counts(room.conversation),
            "unread_count": unread,
            "live": live,
        }
    )


class OwnChat(StudentView):
    @extend_schema(operation_id="get_exam_chat", parameters=[TOKEN, *PAGING], responses={200: schema_of(ChatPayload)})
    def get(self, request: Request, session: UUID) -> Response:
        live = queries.live_of(topics.session(session))
        room = rooms.own_room(self.student(request), session)
        return _thread(request, room, live, unread=room_queries.unread_by_student(room.conversation))

    @extend_schema(
        operation_id="write_exam_chat",
        parameters=[TOKEN],
        request=WriteBody,
        responses={201: schema_of(ChatMessagePayload), 200: schema_of(ChatMessagePayload)},
    )
    def post(self, request: Request, session: UUID) -> Response:
        """To one's tutors. The same client_id again is the same message (200)."""
        given = checked(WriteBody(data=body_of(request)))
        student = self.student(request)
        message, created = rooms.write_as_student(student=student, session_id=session, **given)
        room = rooms.own_room(student, session)
        return Response(chat_message_payload(message, room.session), status=201 if created else 200)


class OwnChatRead(StudentView):
    @extend_schema(operation_id="read_exam_chat", parameters=[TOKEN], request=None, responses={204: None})
    def post(self, request: Request, session: UUID) -> Response:
        rooms.read_as_student(student=self.student(request), session_id=session)
        return Response(status=204)


class OwnChatTyping(StudentView):
    @extend_schema(operation_id="type_exam_chat", parameters=[TOKEN], request=None, responses={204: None})
    def post(self, request: Request, session: UUID) -> Response:
        rooms.tell_typing_as_student(student=self.student(request), session_id=session)
        return Response(status=204)


class TutorsChat(ExamView):
    @extend_schema(operation_id="get_session_chat", parameters=PAGING, responses={200: schema_of(ChatPayload)})
    def get(self, request: Request, workspace: str, exam: str, session: UUID) -> Response:
        live = queries.live_of(topics.session(session))
        actor = self.actor(request)
        room = rooms.tutored_room(actor, exam, session)
        return _thread(request, room, live, unread=room_queries.unread_by_member(room.conversation, actor.user_id))

    @extend_schema(
        operation_id="write_session_chat",
        request=WriteBody,
        responses={201: schema_of(ChatMessagePayload), 200: schema_of(ChatMessagePayload)},
    )
    def post(self, request: Request, workspace: str, exam: str, session: UUID) -> Response:
        given = checked(WriteBody(data=body_of(request)))
        actor = self.actor(request)
        message, created = rooms.write_as_tutor(actor=actor, slug=exam, session_id=session, **given)
        room = rooms.tutored_room(actor, exam, session)
        return Response(chat_message_payload(message, room.session), status=201 if created else 200)


class TutorsChatRead(ExamView):
    @extend_schema(operation_id="read_session_chat", request=None, responses={204: None})
    def post(self, request: Request, workspace: str, exam: str, session: UUID) -> Response:
        rooms.read_as_tutor(actor=self.actor(request), slug=exam, session_id=session)
        return Response(status=204)


class TutorsChatTyping(ExamView):
    @extend_schema(operation_id="type_session_chat", request=None, responses={204: None})
    def post(self, request: Request, workspace: str, exam: str, session: UUID) -> Response:
        rooms.tell_typing_as_tutor(actor=self.actor(request), slug=exam, session_id=session)
        return Response(status=204)
