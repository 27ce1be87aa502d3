"""REST of deliveries, jobs, calls out and crons, for admins of the workspace: parse, call one service, answer."""

from typing import Any
from uuid import UUID

from drf_spectacular.plumbing import resolve_type_hint
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config.errors import Invalid
from crm.api.base import WorkspaceView
from crm.paging import Page, link, read_limit
from webhooks.models import CallState, DeliveryState, Provider
from webhooks.outbox import figures, payloads, queries
from webhooks.outbox.access import Manager, manager
from webhooks.services import again
from webhooks.services.subscriptions import redeliver

PAGING = [OpenApiParameter("cursor"), OpenApiParameter("limit", int)]
SCOPE = OpenApiParameter("scope", description="platform: what belongs to no workspace; for platform admins.")


def _schema(payload: Any) -> dict[str, Any]:
    schema: dict[str, Any] = resolve_type_hint(payload)  # type: ignore[no-untyped-call]
    return schema


def _page_schema(payload: Any) -> dict[str, Any]:
    link_schema = {"type": "string", "nullable": True}
    results = {"type": "array", "items": _schema(payload)}
    return {"type": "object", "properties": {"results": results, "next": link_schema, "previous": link_schema}}


def _checked(serializer: serializers.Serializer[Any]) -> dict[str, Any]:
    if not serializer.is_valid():
        raise Invalid(errors=serializer.errors)
    data: dict[str, Any] = serializer.validated_data
    return data


class OutboxView(WorkspaceView):
    def who(self, request: Request) -> Manager:
        return manager(self.actor(request), platform=bool(getattr(request.user, "is_platform_admin", False)))


def _page(request: Request, results: list[Any], found: "Page[Any]", names: tuple[str, ...]) -> Response:
    given = {name: request.query_params[name] for name in (*names, "limit") if name in request.query_params}
    return Response(
        {
            "results": results,
            "next": link(request.path, given, found.next),
            "previous": link(request.path, given, found.previous),
        }
    )


class OutboxFigures(OutboxView):
    @extend_schema(responses={200: _schema(figures.Figures)})
    def get(self, request: Request, workspace: str) -> Response:
        return Response(figures.get_figures(self.who(request)))


# --- Jobs -----------------------------------------------------------------------------------------------------


class JobQuery(serializers.Serializer[Any]):
    status = serializers.CharField(required=False, max_length=100)
    type = serializers.CharField(required=False, max_length=100)
    lane = serializers.CharField(required=False, max_length=200)
    search = serializers.CharField(required=False, max_length=200)
    scope = serializers.ChoiceField(["workspace", "platform"], required=False)

    def wanted(self) -> queries.JobFilter:
        given = _checked(self)
        return queries.JobFilter(
            statuses=queries.read_statuses(given.get("status", "")),
            of_platform=given.get("scope") == "platform",
            **{name: given.get(name, "") for name in ("type", "lane", "search")},
        )


class JobList(OutboxView):
    @extend_schema(
        parameters=[JobQuery, *PAGING],
        responses={200: _page_schema(payloads.JobPayload)},
        operation_id="list_jobs",
    )
    def get(self, request: Request, workspace: str) -> Response:
        who, query = self.who(request), request.query_params
        rows, found = queries.list_jobs(
            who, JobQuery(data=query).wanted(), cursor=query.get("cursor"), limit=read_limit(query.get("limit"))
        )
        return _page(request, list(rows), found, ("status", "type", "lane", "search", "scope"))


class JobDetail(OutboxView):
    @extend_schema(responses={200: _schema(payloads.JobDetailPayload)})
    def get(self, request: Request, workspace: str, job: int) -> Response:
        return Response(queries.get_job(self.who(request), job))


class JobRetry(OutboxView):
    @extend_schema(request=None, responses={200: _schema(payloads.JobDetailPayload)})
    def post(self, request: Request, workspace: str, job: int) -> Response:
        """The job that does it now: for a failed message a new one, in whose favour the old one is dismissed."""
        who = self.who(request)
        return Response(queries.get_job(who, again.retry(who=who, job_id=job).pk))


class JobDismiss(OutboxView):
    @extend_schema(request=None, responses={200: _schema(payloads.JobDetailPayload)})
    def post(self, request: Request, workspace: str, job: int) -> Response:
        who = self.who(request)
        return Response(queries.get_job(who, again.dismiss(who=who, job_id=job).pk))


class RetryAllBody(serializers.Serializer[Any]):
    type = serializers.CharField(required=False, allow_blank=True, max_length=100, default="")
    after = serializers.IntegerField(required=False, min_value=0, default=0)


class RetryAllAnswer(serializers.Serializer[Any]):
    retried = serializers.IntegerField()
    refused = serializers.IntegerField()
    left = serializers.IntegerField()
    after = serializers.IntegerField()


class JobRetryAll(OutboxView):
    @extend_schema(request=RetryAllBody, responses={200: RetryAllAnswer})
    def post(self, request: Request, workspace: str) -> Response:
        """At most 200 in one request; `left` says how many remain, `after` where to go on."""
        who = self.who(request)
        given = _checked(RetryAllBody(data=request.data or {}))
        done, last = again.retry_all(who=who, type_=given["type"], after=given["after"])
        return Response({"retried": done.retried, "refused": done.refused, "left": done.left, "after": last})


# --- Deliveries -----------------------------------------------------------------------------------------------


class DeliveryQuery(serializers.Serializer[Any]):
    provider = serializers.ChoiceField(Provider.choices, required=False)
    state = serializers.ChoiceField(DeliveryState.choices, required=False)
    channel = serializers.CharField(required=False, max_length=100)
    event = serializers.CharField(required=False, max_length=80)
    search = serializers.CharField(required=False, max_length=200)
    scope = serializers.ChoiceField(["workspace", "platform"], required=False)

    def wanted(self) -> queries.DeliveryFilter:
        given = _checked(self)
        return queries.DeliveryFilter(
            of_platform=given.get("scope") == "platform",
            **{name: given.get(name, "") for name in ("provider", "state", "channel", "event", "search")},
        )


class DeliveryList(OutboxView):
    @extend_schema(
        parameters=[DeliveryQuery, *PAGING],
        responses={200: _page_schema(payloads.DeliveryPayload)},
        operation_id="list_deliveries",
    )
    def get(self, request: Request, workspace: str) -> Response:
        who, query = self.who(request), request.query_params
        rows, found = queries.list_deliveries(
            who, DeliveryQuery(data=query).wanted(), cursor=query.get("cursor"), limit=read_limit(query.get("limit"))
        )
        return _page(request, list(rows), found, ("provider", "state", "channel", "event", "search", "scope"))


class DeliveryDetail(OutboxView):
    @extend_schema(responses={200: _schema(payloads.DeliveryDetailPayload)})
    def get(self, request: Request, workspace: str, delivery: int) -> Response:
        """With the body as it came, which is personal data: no cache may keep it."""
        found = queries.get_delivery(self.who(request), delivery)
        return Response(found, headers={"Cache-Control": "no-store"})


class DeliveryRetry(OutboxView):
    @extend_schema(request=None, responses={200: _schema(payloads.DeliveryDetailPayload)})
    def post(self, request: Request, workspace: str, delivery: int) -> Response:
        who = self.who(request)
        again.replay(who=who, delivery_id=delivery)
        return Response(queries.get_delivery(who, delivery), headers={"Cache-Control": "no-store"})


# --- Calls out and crons --------------------------------------------------------------------------------------


class CallQuery(serializers.Serializer[Any]):
    state = serializers.ChoiceField(CallState.choices, required=False)
    search = serializers.CharField(required=False, max_length=200)


class CallList(OutboxView):
    @extend_schema(
        parameters=[CallQuery, *PAGING],
        responses={200: _page_schema(payloads.CallRowPayload)},
        operation_id="list_all_calls",
    )
    def get(self, request: Request, workspace: str) -> Response:
        who, query = self.who(request), request.query_params
        given = _checked(CallQuery(data=query))
        wanted = queries.CallFilter(state=given.get("state", ""), search=given.get("search", ""))
        rows, found = queries.list_calls(who, wanted, cursor=query.get("cursor"), limit=read_limit(query.get("limit")))
        return _page(request, list(rows), found, ("state", "search"))


class CallDetail(OutboxView):
    @extend_schema(responses={200: _schema(payloads.CallDetailPayload)})
    def get(self, request: Request, workspace: str, call: UUID) -> Response:
        return Response(queries.get_call(self.who(request), call), headers={"Cache-Control": "no-store"})


class CallRetry(OutboxView):
    @extend_schema(request=None, responses={200: _schema(payloads.CallDetailPayload)})
    def post(self, request: Request, workspace: str, call: UUID) -> Response:
        who = self.who(request)
        found = queries.call_for(who, call)
        redeliver(actor=who.member, subscription_id=found.subscription_id, call_id=found.pk)
        return Response(queries.get_call(who, call), headers={"Cache-Control": "no-store"})


class CronList(OutboxView):
    @extend_schema(responses={200: _page_schema(payloads.CronPayload)}, operation_id="list_crons")
    def get(self, request: Request, workspace: str) -> Response:
        self.who(request)
        return Response({"results": queries.list_crons(), "next": None, "previous": None})
