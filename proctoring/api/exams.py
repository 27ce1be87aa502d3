"""REST of exams for their tutors, and for whoever sets them up: parse, call one service or query, answer."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from crm.api.base import PAGING, checked, list_page, page_schema, schema_of
from crm.paging import link, read_limit
from proctoring import access, topics
from proctoring.api.base import ExamView, body_of
from proctoring.payloads.devices import device_payload
from proctoring.payloads.sessions import (
    EnrolmentPayload,
    ExamPayload,
    SessionPayload,
    enrolment_payload,
    exam_payload,
    gap_payload,
    session_payload,
)
from proctoring.queries import exams as queries
from proctoring.queries.exams import SessionFilter
from proctoring.queries.rooms import unread_of_exam
from proctoring.services import exams, grants, personal, reports
from proctoring.services.exams import Enrolled, ExamChange
from proctoring.states import SHOWN_STATUSES, AutoAction, Severity

LONGEST = 10 * 366 * 24 * 3600


class RuleBody(serializers.Serializer[Any]):
    type = serializers.CharField(max_length=40)
    is_counted = serializers.BooleanField(default=True)
    severity = serializers.ChoiceField(Severity.choices, required=False, allow_blank=True, default="")
    threshold = serializers.IntegerField(min_value=0, max_value=10_000, default=0)
    action = serializers.ChoiceField(AutoAction.choices, default=AutoAction.NONE)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["action"] != AutoAction.NONE and not attrs["threshold"]:
            raise serializers.ValidationError({"threshold": "An action needs a threshold of at least 1."})
        return attrs


class StudentBody(serializers.Serializer[Any]):
    user = serializers.UUIDField(required=False, allow_null=True, default=None)
    email = serializers.EmailField(required=False, allow_blank=True, default="")
    external_id = serializers.CharField(max_length=120, required=False, allow_blank=True, default="")
    name = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")
    group = serializers.CharField(max_length=80, required=False, allow_blank=True, default="")
    extra_seconds = serializers.IntegerField(min_value=0, max_value=86_400, default=0)
    attempts = serializers.IntegerField(min_value=1, max_value=100, required=False, allow_null=True, default=None)


class ExamBody(serializers.Serializer[Any]):
    slug = serializers.RegexField(r"\A[A-Za-z0-9][A-Za-z0-9_-]{0,59}\Z")
    title = serializers.CharField(max_length=200, required=False)
    supabase_id = serializers.UUIDField(required=False, allow_null=True)
    starts_at = serializers.DateTimeField(required=False, allow_null=True)
    reminder_minutes = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=30 * 24 * 60), max_length=8, required=False
    )
    ends_at = serializers.DateTimeField(required=False, allow_null=True)
    duration_seconds = serializers.IntegerField(min_value=1, max_value=LONGEST, required=False, allow_null=True)
    question_count = serializers.IntegerField(min_value=0, max_value=100_000, required=False, allow_null=True)
    attempts = serializers.IntegerField(min_value=1, max_value=100, required=False)
    requires_consent = serializers.BooleanField(required=False)
    requires_guardian = serializers.BooleanField(required=False)
    policy_version = serializers.CharField(max_length=40, required=False)
    keep_violations_days = serializers.IntegerField(min_value=1, max_value=3650, required=False)
    keep_network_days = serializers.IntegerField(min_value=1, max_value=3650, required=False)
    keep_chat_days = serializers.IntegerField(min_value=1, max_value=3650, required=False)
    keep_sessions_days = serializers.IntegerField(min_value=1, max_value=3650, required=False)
    is_chat_open = serializers.BooleanField(required=False)
    merge_seconds = serializers.IntegerField(min_value=0, max_value=3600, required=False)
    summary_url = serializers.URLField(max_length=500, required=False, allow_blank=True)
    secret = serializers.CharField(max_length=200, min_length=32, required=False, write_only=True)
    rules = RuleBody(many=True, required=False)
    tutors = serializers.ListField(child=serializers.UUIDField(), required=False, max_length=100)
    students = StudentBody(many=True, required=False)


class ExamPatch(ExamBody):
    slug = None  # type: ignore[assignment]


def _change(slug: str, given: dict[str, Any]) -> ExamChange:
    students = given.pop("students", None)
    return ExamChange(
        slug=slug,
        rules=given.pop("rules", None),
        tutors=given.pop("tutors", None),
        secret=given.pop("secret", None),
        students=[Enrolled(**student) for student in students] if students is not None else None,
        fields=given,
    )


class ExamList(ExamView):
    @extend_schema(operation_id="list_exams", parameters=PAGING, responses={200: page_schema(ExamPayload)})
    def get(self, request: Request, workspace: str) -> Response:
        """The exams that one supervises, newest first."""
        return list_page(request, queries.list_exams(self.actor(request)), exam_payload, {})

    @extend_schema(
        operation_id="upsert_exam",
        request=ExamBody,
        responses={201: schema_of(ExamPayload), 200: schema_of(ExamPayload)},
    )
    def post(self, request: Request, workspace: str) -> Response:
        """Makes the exam of this slug, or changes what is named of the one that is there (200)."""
        given = checked(ExamBody(data=body_of(request)))
        exam, created = exams.upsert_exam(actor=self.actor(request), change=_change(given.pop("slug"), given))
        return Response(exam_payload(exam), status=201 if created else 200)


class ExamDetail(ExamView):
    @extend_schema(operation_id="get_exam", responses={200: schema_of(ExamPayload)})
    def get(self, request: Request, workspace: str, exam: str) -> Response:
        """With `counts`, `unread_chats` (by session: what no tutor has seen) and the topic to follow."""
        live = queries.live_of(topics.exam(exam.lower()))
        found = access.exam_for(self.actor(request), exam)
        answer: dict[str, Any] = {**exam_payload(queries.get_exam(found))}
        unread = {str(session): count for session, count in unread_of_exam(found).items()}
        return Response({**answer, "counts": queries.session_counts(found), "unread_chats": unread, "live": live})

    @extend_schema(operation_id="change_exam", request=ExamPatch, responses={200: schema_of(ExamPayload)})
    def patch(self, request: Request, workspace: str, exam: str) -> Response:
        actor = self.actor(request)
        access.managed_exam_for(actor, exam)
        given = checked(ExamPatch(data=body_of(request)))
        changed, _ = exams.upsert_exam(actor=actor, change=_change(exam, given))
        return Response(exam_payload(changed))


class ExamClose(ExamView):
    @extend_schema(operation_id="close_exam", request=None, responses={200: schema_of(ExamPayload)})
    def post(self, request: Request, workspace: str, exam: str) -> Response:
        """Nobody starts or goes on any more."""
        return Response(exam_payload(exams.close_exam(actor=self.actor(request), slug=exam)))


class TutorBody(serializers.Serializer[Any]):
    user = serializers.UUIDField()


class TutorList(ExamView):
    @extend_schema(operation_id="add_tutor", request=TutorBody, responses={200: schema_of(ExamPayload)})
    def post(self, request: Request, workspace: str, exam: str) -> Response:
        """By whoever manages exams, who may add themselves: the audit log tells."""
        given = checked(TutorBody(data=body_of(request)))
        changed = exams.add_tutor(actor=self.actor(request), slug=exam, user_id=given["user"])
        return Response(exam_payload(changed))


class TutorDetail(ExamView):
    @extend_schema(operation_id="remove_tutor", responses={204: None})
    def delete(self, request: Request, workspace: str, exam: str, user: UUID) -> Response:
        exams.remove_tutor(actor=self.actor(request), slug=exam, user_id=user)
        return Response(status=204)


class GrantBody(serializers.Serializer[Any]):
    grant = serializers.CharField(max_length=4096)


class ExamJoin(ExamView):
    @extend_schema(operation_id="join_exam", request=GrantBody, responses={200: schema_of(ExamPayload)})
    def post(self, request: Request, workspace: str, exam: str) -> Response:
        """With the exam system's signed word, a member becomes a tutor for as long as it holds."""
        given = checked(GrantBody(data=body_of(request)))
        joined = grants.join_by_grant(actor=self.actor(request), token=given["grant"], slug=exam)
        return Response(exam_payload(queries.get_exam(joined)))


class EnrolBody(serializers.Serializer[Any]):
    students = StudentBody(many=True)


class EnrolmentList(ExamView):
    @extend_schema(operation_id="list_enrolments", parameters=PAGING, responses={200: page_schema(EnrolmentPayload)})
    def get(self, request: Request, workspace: str, exam: str) -> Response:
        found = access.exam_for(self.actor(request), exam)
        return list_page(request, queries.enrolments_of(found), enrolment_payload, {})

    @extend_schema(
        operation_id="enrol", request=EnrolBody, responses={200: {"type": "object", "properties": {"results": {}}}}
    )
    def post(self, request: Request, workspace: str, exam: str) -> Response:
        """Adds students or changes them; nobody is taken away."""
        given = checked(EnrolBody(data=body_of(request)))
        students = [Enrolled(**student) for student in given["students"]]
        enrolled = exams.enrol(actor=self.actor(request), slug=exam, students=students)
        return Response({"results": [enrolment_payload(row) for row in enrolled]})


class EnrolmentDetail(ExamView):
    @extend_schema(operation_id="withdraw_enrolment", responses={204: None})
    def delete(self, request: Request, workspace: str, exam: str, enrolment: UUID) -> Response:
        exams.withdraw(actor=self.actor(request), slug=exam, enrolment_id=enrolment)
        return Response(status=204)


# --- Sessions -----------------------------------------------------------------------------------------------


class SessionQuery(serializers.Serializer[Any]):
    student = serializers.CharField(required=False, max_length=120)
    status = serializers.ChoiceField(SHOWN_STATUSES, required=False)
    search = serializers.CharField(required=False, max_length=120)
    group = serializers.CharField(required=False, max_length=80)


class SessionList(ExamView):
    @extend_schema(
        operation_id="list_exam_sessions",
        parameters=[SessionQuery, *PAGING],
        responses={200: page_schema(SessionPayload)},
    )
    def get(self, request: Request, workspace: str, exam: str) -> Response:
        """In the order in which they began, with `counts` by status and the topic to follow."""
        live = queries.live_of(topics.exam(exam.lower()))
        found = access.exam_for(self.actor(request), exam)
        query = request.query_params
        given = checked(SessionQuery(data=query))
        page = queries.list_sessions(
            found, SessionFilter(**given), cursor=query.get("cursor"), limit=read_limit(query.get("limit"))
        )
        again = {name: query[name] for name in (*given, "limit") if name in query}
        return Response(
            {
                "results": [session_payload(row) for row in page.rows],
                "next": link(request.path, again, page.next),
                "previous": link(request.path, again, page.previous),
                "counts": queries.session_counts(found),
                "live": live,
            }
        )


class SessionDetail(ExamView):
    @extend_schema(operation_id="get_exam_session", responses={200: schema_of(SessionPayload)})
    def get(self, request: Request, workspace: str, exam: str, session: UUID) -> Response:
        """With `trail` (the newest beats), `gaps` (the ledger), `devices`, `consents` and the topic to follow."""
        live = queries.live_of(topics.session(session))
        actor = self.actor(request)
        found = access.session_for(actor, access.exam_for(actor, exam), session)
        return Response(
            {
                **session_payload(queries.get_row(found.pk)),
                "trail": queries.trail_of(found.pk),
                "gaps": [gap_payload(gap) for gap in queries.gaps_of(found)],
                "devices": [device_payload(device) for device in queries.devices_of(found)],
                "consents": queries.consents_of(found),
                "live": live,
            }
        )


# --- Reports ------------------------------------------------------------------------------------------------


class ReportCsv(ExamView):
    @extend_schema(
        operation_id="exam_report_csv",
        parameters=[OpenApiParameter("student"), OpenApiParameter("of", enum=["sessions", "violations", "reviews"])],
        responses={(200, "text/csv"): str},
    )
    def get(self, request: Request, workspace: str, exam: str) -> HttpResponse:
        """A line for each session, for each entry of the logs (`of=violations`), or for each verdict (`of=reviews`)."""
        found = access.exam_for(self.actor(request), exam)
        content = reports.csv_report(
            found, student=request.query_params.get("student", ""), of=request.query_params.get("of", "sessions")
        )
        return _download(content, "text/csv; charset=utf-8", f"{found.slug}.csv")


class ReportPdf(ExamView):
    @extend_schema(
        operation_id="exam_report_pdf",
        parameters=[OpenApiParameter("student")],
        responses={(200, "application/pdf"): bytes},
    )
    def get(self, request: Request, workspace: str, exam: str) -> HttpResponse:
        found = access.exam_for(self.actor(request), exam)
        from proctoring.services import paper  # a large library for one rare page: loaded when it is asked for

        content = paper.pdf_report(found, student=request.query_params.get("student", ""))
        return _download(content, "application/pdf", f"{found.slug}.pdf")


class StudentData(ExamView):
    @extend_schema(operation_id="export_student", responses={200: {"type": "object"}})
    def get(self, request: Request, workspace: str, exam: str, student: str) -> Response:
        """Everything kept of one student in this exam, in the student's own form."""
        return Response(personal.export_student(actor=self.actor(request), slug=exam, student=student))

    @extend_schema(operation_id="erase_student", responses={200: {"type": "object"}})
    def delete(self, request: Request, workspace: str, exam: str, student: str) -> Response:
        """Erases it. For whoever manages exams."""
        erased = personal.erase_student(actor=self.actor(request), slug=exam, student=student)
        return Response({"sessions": erased})


def _download(content: bytes, content_type: str, name: str) -> HttpResponse:
    return HttpResponse(
        content, content_type=content_type, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )
