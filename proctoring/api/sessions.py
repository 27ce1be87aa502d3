"""REST of a student's own session: parse, call one service, answer."""

from collections.abc import Mapping
from typing import Any, TypedDict
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config.errors import Invalid
from config.parsers import has_null
from crm.api.base import checked, schema_of
from proctoring import access, topics
from proctoring.api.base import StudentView, body_of
from proctoring.beats.direct import beat_now
from proctoring.liveness import INTERVAL_SECONDS, LEAST_SECONDS
from proctoring.models import Violation
from proctoring.payloads.sessions import (
    OwnCommandPayload,
    OwnViolationPayload,
    SessionPayload,
    gap_payload,
    own_command_payload,
    own_violation_payload,
    session_payload,
)
from proctoring.people import Student
from proctoring.queries import exams as queries
from proctoring.rows import SessionRow
from proctoring.services import commands, consent, sessions, violations
from proctoring.services.consent import Consent
from proctoring.services.grants import TOKEN_HEADER, enrol_by_grant, token_of
from proctoring.services.violations import BATCH, Answer, Refusal, Reported
from proctoring.states import CommandState

TOKEN = OpenApiParameter(
    TOKEN_HEADER, location=OpenApiParameter.HEADER, description="Of a student who is no user; given at the start."
)


class LivePayload(TypedDict):
    topic: str
    seq: int


class OwnSessionPayload(SessionPayload):
    interval: int  # seconds between beats
    least_interval: int
    violation_seq: int  # the newest of the client's numbers that we have
    server_time: str
    pause_reason: str  # while it is paused
    commands: list[OwnCommandPayload]
    live: LivePayload


class StartedPayload(OwnSessionPayload):
    token: str  # empty for users


def own_answer(row: SessionRow, live: Mapping[str, Any]) -> dict[str, Any]:
    waiting = commands.take_commands(session_id=row.id) if row.has_commands else []
    return {
        **session_payload(row),
        "interval": INTERVAL_SECONDS,
        "least_interval": LEAST_SECONDS,
        "violation_seq": row.last_violation_seq,
        "server_time": row.now,
        "pause_reason": queries.reason_of_pause(row),
        "commands": [own_command_payload(command) for command in waiting],
        "live": live,
    }


class ConsentBody(serializers.Serializer[Any]):
    policy_version = serializers.CharField(max_length=40)
    guardian = serializers.BooleanField(default=False)


class StartBody(serializers.Serializer[Any]):
    device = serializers.CharField(max_length=64, required=False, allow_blank=True, default="")
    consent = ConsentBody(required=False, allow_null=True, default=None)
    grant = serializers.CharField(
        required=False, allow_blank=True, default="", help_text="The exam system's signed word that this is a student."
    )


class SessionStart(StudentView):
    @extend_schema(
        operation_id="start_exam_session",
        parameters=[TOKEN],
        request=StartBody,
        responses={201: schema_of(StartedPayload), 200: schema_of(StartedPayload)},
    )
    def post(self, request: Request, exam: str) -> Response:
        """Starts one's session, or goes on with the one that is there (200)."""
        given = checked(StartBody(data=body_of(request)))
        student = self._student(request, exam, given["grant"])
        agreed = given["consent"]
        start = sessions.Start(
            device=given["device"],
            user_agent=request.headers.get("User-Agent", "")[:200],
            consent=Consent(agreed["policy_version"], agreed["guardian"]) if agreed else None,
        )
        row, created = sessions.start_session(student=student, slug=exam, start=start)
        answer = own_answer(row, queries.live_of(topics.session(row.id)))
        answer["token"] = token_of(student) if student.user_id is None else ""
        return Response(answer, status=201 if created else 200)

    def _student(self, request: Request, exam: str, grant: str) -> Student:
        if not grant:
            return self.student(request)
        user_id = request.user.pk if request.auth is not None else None
        return enrol_by_grant(token=grant, slug=exam, user_id=user_id)


class Session(StudentView):
    @extend_schema(
        operation_id="get_own_exam_session", parameters=[TOKEN], responses={200: schema_of(OwnSessionPayload)}
    )
    def get(self, request: Request, session: UUID) -> Response:
        """One's own session as it is now."""
        live = queries.live_of(topics.session(session))
        found = access.own_session(self.student(request), session)
        answer = own_answer(queries.get_row(found.pk), live)
        answer["gaps"] = [gap_payload(gap) for gap in queries.gaps_of(found)]
        return Response(answer)


class BeatBody(serializers.Serializer[Any]):
    """For the document; the reader is beats/beat.py."""

    current_question = serializers.IntegerField(required=False, min_value=0)
    answered_count = serializers.IntegerField(required=False, min_value=0)
    visibility = serializers.ChoiceField(["visible", "hidden"], required=False)
    timer_delay_ms = serializers.IntegerField(required=False, min_value=0)
    idle_ms = serializers.IntegerField(required=False, min_value=0)
    rtt_ms = serializers.IntegerField(required=False, min_value=0)
    network = serializers.CharField(required=False)
    client_time = serializers.DateTimeField(required=False)
    seq = serializers.IntegerField(required=False, min_value=0)
    device = serializers.CharField(required=False, max_length=64)
    seen = serializers.ListField(child=serializers.UUIDField(), required=False)


class BeatPayload(TypedDict):
    session: UUID
    status: str
    next_interval: int
    server_time: str
    ends_at: str | None
    remaining_seconds: int | None
    commands: list[OwnCommandPayload]


class Heartbeat(StudentView):
    """A hot road stands before this one under our own servers; both use the same statement."""

    @extend_schema(
        operation_id="exam_heartbeat",
        parameters=[TOKEN],
        request=BeatBody,
        responses={200: schema_of(BeatPayload)},
    )
    def post(self, request: Request, session: UUID) -> Response:
        """Every ten seconds. 429 with Retry-After when under five seconds after the last, 409 after the end."""
        return Response(beat_now(body_of(request), session_id=session, student=self.student(request)))


# --- Violations ---------------------------------------------------------------------------------------------


class ViolationBody(serializers.Serializer[Any]):
    client_id = serializers.UUIDField()
    seq = serializers.IntegerField(required=False, allow_null=True, min_value=0, max_value=2**53)
    type = serializers.CharField(max_length=40)
    occurred_at = serializers.DateTimeField()
    detail = serializers.DictField(required=False, default=dict)


class BatchBody(serializers.Serializer[Any]):
    violations = ViolationBody(many=True)
    sent_at = serializers.DateTimeField(required=False, help_text="The client's clock when it sends.")


class ItemAnswer(TypedDict):
    client_id: str
    status: str  # stored, duplicate, rejected
    code: str
    message: str
    violation: OwnViolationPayload | None


class BatchAnswer(TypedDict):
    results: list[ItemAnswer]
    gaps: list[int]
    last_seq: int


class ViolationList(StudentView):
    @extend_schema(
        operation_id="list_own_violations",
        parameters=[TOKEN],
        responses={200: {"type": "object", "properties": {"results": {"type": "array"}}}},
    )
    def get(self, request: Request, session: UUID) -> Response:
        """One's own log, newest first: what one's tutors see, and how it was judged."""
        found = access.own_session(self.student(request), session)
        log = queries.violations_of(found).order_by("-corrected_at", "-pk")[:500]
        return Response({"results": [own_violation_payload(row) for row in log]})

    @extend_schema(
        operation_id="log_violations",
        parameters=[TOKEN],
        request=BatchBody,
        responses={200: schema_of(BatchAnswer)},
    )
    def post(self, request: Request, session: UUID) -> Response:
        """A batch; an answer for each item, in order. The same client_id again is a duplicate and changes nothing."""
        student = self.student(request)
        items, sent_at = _batch(request.data)
        logged = violations.log_violations(student=student, session_id=session, items=items, sent_at=sent_at)
        answer: BatchAnswer = {
            "results": [_item(one) for one in logged.answers],
            "gaps": logged.gaps,
            "last_seq": logged.last_seq,
        }
        return Response(answer)


def _batch(data: Any) -> tuple[list[Reported | Refusal], Any]:
    """The items may also come as a bare list, or one alone. What is wrong with one is that one's answer."""
    given, sent_at = data, None
    if isinstance(data, Mapping):
        if data.get("sent_at") is not None:
            field = serializers.DateTimeField()
            try:
                sent_at = field.run_validation(data["sent_at"])
            except serializers.ValidationError as error:
                raise Invalid(errors={"sent_at": error.detail}) from None
        given = data.get("violations", data.get("items", [data] if "type" in data else None))
    if not isinstance(given, list) or not given:
        raise Invalid(errors={"violations": "A list of at least one violation."})
    if len(given) > BATCH:
        raise Invalid(errors={"violations": f"At most {BATCH} at once."})
    return [_read(item) for item in given], sent_at


def _read(item: Any) -> Reported | Refusal:
    shown = str(item.get("client_id", ""))[:64] if isinstance(item, Mapping) else ""
    serializer = ViolationBody(data=item)
    if isinstance(item, Mapping) and has_null(item):
        return Refusal(shown.replace("\x00", ""), "invalid", "Not readable: null characters.")
    if not isinstance(item, Mapping) or not serializer.is_valid():
        wrong = ", ".join(serializer.errors) if isinstance(item, Mapping) else "an object is needed"
        return Refusal(shown, "invalid", f"Not readable: {wrong}.")
    return Reported(**serializer.validated_data)


def _item(answer: Answer) -> ItemAnswer:
    violation = answer.violation
    return {
        "client_id": answer.client_id or (str(violation.client_id) if violation else ""),
        "status": answer.outcome.value,
        "code": answer.code,
        "message": answer.message,
        "violation": own_violation_payload(violation) if violation else None,
    }


class ExplanationBody(serializers.Serializer[Any]):
    explanation = serializers.CharField(max_length=1000)


class Explanation(StudentView):
    @extend_schema(
        operation_id="explain_violation",
        parameters=[TOKEN],
        request=ExplanationBody,
        responses={200: schema_of(OwnViolationPayload)},
    )
    def post(self, request: Request, session: UUID, violation: UUID) -> Response:
        """One's own words on an entry of one's log."""
        given = checked(ExplanationBody(data=body_of(request)))
        explained: Violation = violations.explain(
            student=self.student(request), session_id=session, violation_id=violation, **given
        )
        return Response(own_violation_payload(explained))


# --- The rest -----------------------------------------------------------------------------------------------


class EndBody(serializers.Serializer[Any]):
    current_question = serializers.IntegerField(required=False, allow_null=True, min_value=0, max_value=2**31 - 1)
    answered_count = serializers.IntegerField(required=False, allow_null=True, min_value=0, max_value=2**31 - 1)


class SessionEnd(StudentView):
    @extend_schema(
        operation_id="end_exam_session",
        parameters=[TOKEN],
        request=EndBody,
        responses={200: schema_of(SessionPayload)},
    )
    def post(self, request: Request, session: UUID) -> Response:
        """Hands in. Again changes nothing."""
        given = checked(EndBody(data=body_of(request)))
        row = sessions.end_session(student=self.student(request), session_id=session, **given)
        return Response(session_payload(row))


class HandBody(serializers.Serializer[Any]):
    raised = serializers.BooleanField(default=True)
    note = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")


class Hand(StudentView):
    @extend_schema(
        operation_id="raise_hand", parameters=[TOKEN], request=HandBody, responses={200: schema_of(SessionPayload)}
    )
    def post(self, request: Request, session: UUID) -> Response:
        given = checked(HandBody(data=body_of(request)))
        row = sessions.raise_hand(
            student=self.student(request), session_id=session, is_raised=given["raised"], note=given["note"]
        )
        return Response(session_payload(row))


class SessionConsent(StudentView):
    @extend_schema(
        operation_id="give_consent_again",
        parameters=[TOKEN],
        request=ConsentBody,
        responses={200: schema_of(SessionPayload)},
    )
    def post(self, request: Request, session: UUID) -> Response:
        """Agrees again, to the exam's rules as they are now: capture goes on. 409 `consent_required` if not."""
        given = checked(ConsentBody(data=body_of(request)))
        agreed = Consent(given["policy_version"], given["guardian"])
        row = consent.give(student=self.student(request), session_id=session, consent=agreed)
        return Response(session_payload(row))

    @extend_schema(
        operation_id="withdraw_consent", parameters=[TOKEN], request=None, responses={200: schema_of(SessionPayload)}
    )
    def delete(self, request: Request, session: UUID) -> Response:
        """Nothing is captured from now on; the sitting goes on. Again changes nothing."""
        return Response(session_payload(consent.withdraw(student=self.student(request), session_id=session)))


class AcknowledgeBody(serializers.Serializer[Any]):
    commands = serializers.ListField(child=serializers.UUIDField(), min_length=1, max_length=100)
    state = serializers.ChoiceField([CommandState.DELIVERED, CommandState.SEEN], default=CommandState.SEEN)


class CommandList(StudentView):
    @extend_schema(operation_id="take_commands", parameters=[TOKEN], responses={200: None})
    def get(self, request: Request, session: UUID) -> Response:
        """What waits for the client, which has it from here on."""
        found = access.own_session(self.student(request), session)
        taken = commands.take_commands(session_id=found.pk)
        return Response({"results": [own_command_payload(command) for command in taken]})

    @extend_schema(
        operation_id="acknowledge_commands", parameters=[TOKEN], request=AcknowledgeBody, responses={200: None}
    )
    def post(self, request: Request, session: UUID) -> Response:
        """How far the client has come with what it was told."""
        given = checked(AcknowledgeBody(data=body_of(request)))
        found = commands.acknowledge(
            student=self.student(request),
            session_id=session,
            command_ids=given["commands"],
            state=CommandState(given["state"]),
        )
        return Response({"results": [own_command_payload(command) for command in found]})
