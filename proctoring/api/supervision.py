"""REST of what tutors do during and after an exam: commands, reviews, lost time."""

from typing import Any, TypedDict
from uuid import UUID, uuid4

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from crm.api.base import NEWEST, PAGING, Text, checked, list_page, page_schema, schema_of
from crm.paging import link, page, read_limit
from proctoring import access
from proctoring.api.base import ExamView, body_of
from proctoring.payloads.announcements import AnnouncementPayload, announcement_payload
from proctoring.payloads.devices import DevicePayload, device_payload
from proctoring.payloads.sessions import (
    CommandPayload,
    ViolationPayload,
    command_payload,
    violation_payload,
)
from proctoring.queries import announcements
from proctoring.queries import exams as queries
from proctoring.services import commands, devices, reviews
from proctoring.services.commands import Order
from proctoring.states import VOCABULARY, CommandType, Review, Severity


class ViolationQuery(serializers.Serializer[Any]):
    severity = serializers.MultipleChoiceField(choices=Severity.choices, required=False)
    type = serializers.MultipleChoiceField(choices=sorted(VOCABULARY), required=False)
    review = serializers.ChoiceField(Review.choices, required=False)
    session = serializers.UUIDField(required=False)
    merged = serializers.BooleanField(required=False)


class ViolationList(ExamView):
    @extend_schema(
        operation_id="list_exam_violations",
        parameters=[ViolationQuery, *PAGING],
        responses={200: page_schema(ViolationPayload)},
    )
    def get(self, request: Request, workspace: str, exam: str) -> Response:
        """Newest first; `merged=true` shows bursts by their first entry alone."""
        found = access.exam_for(self.actor(request), exam)
        given = checked(ViolationQuery(data=request.query_params))
        log = queries.narrowed(queries.violations_of_exam(found), given)
        return list_page(request, log, violation_payload, given)


class NoteBody(serializers.Serializer[Any]):
    client_id = serializers.UUIDField(required=False)
    severity = serializers.ChoiceField(Severity.choices, default=Severity.MEDIUM)
    category = serializers.ChoiceField(
        ["environment", "examinee", "staff", "technical", "other"], required=False, default="other"
    )
    comment = serializers.CharField(max_length=1000)


class SessionViolations(ExamView):
    @extend_schema(
        operation_id="list_session_violations",
        parameters=[ViolationQuery, *PAGING],
        responses={200: page_schema(ViolationPayload)},
    )
    def get(self, request: Request, workspace: str, exam: str, session: UUID) -> Response:
        actor = self.actor(request)
        found = access.session_for(actor, access.exam_for(actor, exam), session)
        given = checked(ViolationQuery(data=request.query_params))
        return list_page(request, queries.narrowed(queries.violations_of(found), given), violation_payload, given)

    @extend_schema(operation_id="note_irregularity", request=NoteBody, responses={201: schema_of(ViolationPayload)})
    def post(self, request: Request, workspace: str, exam: str, session: UUID) -> Response:
        """What a tutor saw with their own eyes."""
        given = checked(NoteBody(data=body_of(request)))
        noted = reviews.note_irregularity(
            actor=self.actor(request),
            slug=exam,
            session_id=session,
            client_id=given.get("client_id") or uuid4(),
            severity=Severity(given["severity"]),
            category=given["category"],
            comment=given["comment"],
        )
        return Response(violation_payload(noted), status=201)


class ReviewBody(serializers.Serializer[Any]):
    review = serializers.ChoiceField(Review.choices)
    reason = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")


class ViolationDetail(ExamView):
    @extend_schema(operation_id="get_violation", responses={200: schema_of(ViolationPayload)})
    def get(self, request: Request, workspace: str, exam: str, violation: UUID) -> Response:
        """With `trail`: every change of its review."""
        actor = self.actor(request)
        found = access.violation_for(actor, access.exam_for(actor, exam), violation)
        return Response({**violation_payload(found), "trail": queries.review_trail(found)})

    @extend_schema(operation_id="review_violation", request=ReviewBody, responses={200: schema_of(ViolationPayload)})
    def patch(self, request: Request, workspace: str, exam: str, violation: UUID) -> Response:
        given = checked(ReviewBody(data=body_of(request)))
        reviewed = reviews.review_violation(
            actor=self.actor(request),
            slug=exam,
            violation_id=violation,
            review=Review(given["review"]),
            reason=given["reason"],
        )
        return Response(violation_payload(reviewed))


# --- Commands -----------------------------------------------------------------------------------------------


class CommandBody(serializers.Serializer[Any]):
    client_id = serializers.UUIDField(required=False, help_text="The same id again is the same command.")
    type = serializers.ChoiceField(CommandType.choices)
    body = Text(max_length=4000, required=False, allow_blank=True, default="", trim_whitespace=False)
    reason = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")
    seconds = serializers.IntegerField(min_value=0, required=False, default=0)
    urgent = serializers.BooleanField(default=False)
    device = serializers.UUIDField(
        required=False, allow_null=True, default=None, help_text="Of end_device: which of the session's devices."
    )


class BulkBody(CommandBody):
    sessions = serializers.ListField(child=serializers.UUIDField(), required=False, allow_null=True, min_length=1)
    all = serializers.BooleanField(default=False, help_text="Every session that takes beats.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if bool(attrs.get("sessions")) == attrs["all"]:
            raise serializers.ValidationError({"sessions": "Name sessions, or say all."})
        return attrs


class BulkItem(TypedDict):
    session: UUID
    status: str  # queued, refused
    code: str
    message: str
    command: CommandPayload | None


def _order(given: dict[str, Any]) -> Order:
    return Order(
        type=CommandType(given["type"]),
        batch=given.get("client_id") or uuid4(),
        body=given["body"],
        reason=given["reason"],
        seconds=given["seconds"],
        is_urgent=given["urgent"],
        device=given["device"],
    )


class SessionCommands(ExamView):
    @extend_schema(
        operation_id="list_session_commands", parameters=PAGING, responses={200: page_schema(CommandPayload)}
    )
    def get(self, request: Request, workspace: str, exam: str, session: UUID) -> Response:
        actor = self.actor(request)
        found = access.session_for(actor, access.exam_for(actor, exam), session)
        return list_page(request, queries.commands_of(found.exam).filter(session=found), command_payload, {})

    @extend_schema(operation_id="command_session", request=CommandBody, responses={201: schema_of(CommandPayload)})
    def post(self, request: Request, workspace: str, exam: str, session: UUID) -> Response:
        given = checked(CommandBody(data=body_of(request)))
        command = commands.command_session(
            actor=self.actor(request), slug=exam, session_id=session, order=_order(given)
        )
        return Response(command_payload(command), status=201)


class DeviceAllow(ExamView):
    @extend_schema(operation_id="allow_device", request=None, responses={200: schema_of(DevicePayload)})
    def post(self, request: Request, workspace: str, exam: str, session: UUID, device: UUID) -> Response:
        """Takes back that the session was ended on this device: its page can be loaded again."""
        allowed = devices.allow_again(actor=self.actor(request), slug=exam, session_id=session, device_id=device)
        return Response(device_payload(allowed))


class CommandList(ExamView):
    @extend_schema(operation_id="list_exam_commands", parameters=PAGING, responses={200: page_schema(CommandPayload)})
    def get(self, request: Request, workspace: str, exam: str) -> Response:
        """What was done and told in this exam, newest first, announcements included."""
        return list_page(request, queries.commands_of(access.exam_for(self.actor(request), exam)), command_payload, {})

    @extend_schema(
        operation_id="command_sessions",
        request=BulkBody,
        responses={200: {"type": "object", "properties": {"results": {"type": "array", "items": schema_of(BulkItem)}}}},
    )
    def post(self, request: Request, workspace: str, exam: str) -> Response:
        """One action for many, with an answer for each: what cannot be done to one is done to the others."""
        given = checked(BulkBody(data=body_of(request)))
        results = commands.command_sessions(
            actor=self.actor(request),
            slug=exam,
            session_ids=None if given["all"] else given["sessions"],
            order=_order(given),
        )
        return Response({"results": [_bulk_item(result) for result in results]})


class AnnouncementList(ExamView):
    @extend_schema(
        operation_id="list_announcements", parameters=PAGING, responses={200: page_schema(AnnouncementPayload)}
    )
    def get(self, request: Request, workspace: str, exam: str) -> Response:
        """What was announced, newest first: each once, with how many students it has reached how far."""
        found = access.exam_for(self.actor(request), exam)
        query = request.query_params
        limit = read_limit(query.get("limit"))
        told = page(announcements.announcements_of(found), NEWEST, cursor=query.get("cursor"), limit=limit)
        counts = announcements.reached(found, [command.batch for command in told.rows])
        again = {"limit": query["limit"]} if "limit" in query else {}
        return Response(
            {
                "results": [announcement_payload(command, counts[command.batch]) for command in told.rows],
                "next": link(request.path, again, told.next),
                "previous": link(request.path, again, told.previous),
            }
        )


def _bulk_item(result: commands.Result) -> BulkItem:
    error = result.error
    return {
        "session": result.session_id,
        "status": "refused" if error else "queued",
        "code": error.code if error else "",
        "message": str(error) if error else "",
        "command": command_payload(result.command) if result.command else None,
    }


# --- Lost time ----------------------------------------------------------------------------------------------


class SessionCompensate(ExamView):
    @extend_schema(operation_id="compensate_session", request=None, responses={200: None})
    def post(self, request: Request, workspace: str, exam: str, session: UUID) -> Response:
        """Gives back all time that was lost and has not been given back, in whole minutes."""
        seconds = reviews.compensate(actor=self.actor(request), slug=exam, session_id=session)
        return Response({"session": session, "given_back_seconds": seconds})


class CompensateBody(serializers.Serializer[Any]):
    sessions = serializers.ListField(child=serializers.UUIDField(), required=False, allow_null=True, default=None)


class Compensate(ExamView):
    @extend_schema(operation_id="compensate_exam", request=CompensateBody, responses={200: None})
    def post(self, request: Request, workspace: str, exam: str) -> Response:
        """The same for the named sessions, or for all that take beats."""
        given = checked(CompensateBody(data=body_of(request)))
        done = reviews.compensate_all(actor=self.actor(request), slug=exam, session_ids=given["sessions"])
        return Response({"results": [{"session": pk, "given_back_seconds": seconds} for pk, seconds in done.items()]})
