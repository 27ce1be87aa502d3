"""REST of the report: the page's numbers as JSON, and as CSV."""

from typing import Any
from uuid import UUID

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config.errors import Invalid
from crm.actors import Caller, Member
from crm.api.base import checked, schema_of
from crm.spreadsheets import csv_lines
from inbox.api.base import InboxView
from inbox.reports import queries
from inbox.reports.asked import PERIODS, USUAL, Asked
from inbox.reports.export import COLUMNS, rows_of
from inbox.reports.payloads import ReportPayload


class ReportQuery(serializers.Serializer[Any]):
    period = serializers.ChoiceField(
        list(PERIODS), required=False, default=USUAL, help_text="days, today so far among them"
    )
    channel = serializers.CharField(required=False, max_length=60, help_text="a channel's slug")
    agent = serializers.CharField(required=False, max_length=60, help_text="a person's id, or me")


class ReportView(InboxView):
    def report(self, request: Request) -> ReportPayload:
        actor, given = self.actor(request), checked(ReportQuery(data=request.query_params))
        choices = queries.get_choices(actor)
        asked = Asked(
            period=given["period"],
            channel_id=_channel(choices, given.get("channel", "")),
            agent_id=_agent(actor, given.get("agent", "")),
        )
        return queries.get_report(actor, asked, choices)


class Report(ReportView):
    @extend_schema(operation_id="get_report", parameters=[ReportQuery], responses={200: schema_of(ReportPayload)})
    def get(self, request: Request, workspace: str) -> Response:
        """What was done in the inbox in the last days, beside the same stretch of time before. `hours` are seven lists
        of 24, Monday first, in the workspace's time zone. A number may be a minute old: `counted_up_to` says when."""
        return Response(self.report(request))


class ReportExport(ReportView):
    @extend_schema(
        operation_id="export_report", parameters=[ReportQuery], responses={(200, "text/csv"): OpenApiTypes.STR}
    )
    def get(self, request: Request, workspace: str) -> StreamingHttpResponse:
        """The same as CSV, one number a row. No cell in it is taken for a formula."""
        lines = csv_lines(COLUMNS, rows_of(self.report(request)))
        response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = 'attachment; filename="report.csv"'
        return response


def _channel(choices: queries.Choices, slug: str) -> UUID | None:
    if not slug:
        return None
    channel = choices.channel(slug)
    if channel is None:
        raise Invalid(errors={"channel": "There is no such channel."})
    return channel.pk


def _agent(actor: Caller, given: str) -> UUID | None:
    if not given:
        return None
    if given == "me" and isinstance(actor, Member):
        return actor.user_id
    try:
        return UUID(given)
    except ValueError:
        raise Invalid(errors={"agent": "me, or a person's id."}) from None
