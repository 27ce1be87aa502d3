"""REST of rules: what the inbox does by itself."""

from datetime import datetime
from typing import Any, TypedDict
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from crm.api.base import StrictSerializer, checked, schema_of
from inbox.api.base import InboxView
from inbox.models import Rule
from inbox.payloads import NamedPayload
from inbox.services import rules
from inbox.states import RuleEvent


class RulePayload(TypedDict):
    id: UUID
    name: str
    event: str
    view: NamedPayload | None
    words: list[str]
    macro: NamedPayload
    is_on: bool
    is_last: bool
    position: int
    runs: int
    last_run_at: datetime | None
    problem: str  # of the last run; empty where it ran


class RuleListPayload(TypedDict):
    results: list[RulePayload]


def rule_payload(row: Rule) -> RulePayload:
    return {
        "id": row.pk,
        "name": row.name,
        "event": row.event,
        "view": {"id": row.view.pk, "name": row.view.name} if row.view else None,
        "words": row.words,
        "macro": {"id": row.macro.pk, "name": row.macro.name},
        "is_on": row.is_on,
        "is_last": row.is_last,
        "position": row.position,
        "runs": row.runs,
        "last_run_at": row.last_run_at,
        "problem": rules.problem_of(row),
    }


class InboxRuleBody(StrictSerializer):
    name = serializers.CharField(max_length=120)
    event = serializers.ChoiceField(RuleEvent.choices)
    view = serializers.UUIDField(
        required=False, allow_null=True, help_text="It must be in this view, which is for everyone; null for any"
    )
    words = serializers.ListField(
        child=serializers.CharField(max_length=rules.LONGEST_WORD),
        required=False,
        max_length=rules.MOST_WORDS,
        help_text="The customer's message has any of these, as whole words",
    )
    macro = serializers.UUIDField(help_text="What is done: a macro that is for everyone")
    is_on = serializers.BooleanField(required=False)
    is_last = serializers.BooleanField(required=False, help_text="Where it fits, no rule after it is looked at")
    position = serializers.IntegerField(required=False, min_value=0, max_value=32767)


class RuleList(InboxView):
    @extend_schema(operation_id="list_rules", responses={200: schema_of(RuleListPayload)})
    def get(self, request: Request, workspace: str) -> Response:
        """In the order in which they are looked at. For who manages the settings."""
        return Response({"results": [rule_payload(row) for row in rules.list_rules(self.actor(request))]})

    @extend_schema(operation_id="create_rule", request=InboxRuleBody, responses={201: schema_of(RulePayload)})
    def post(self, request: Request, workspace: str) -> Response:
        given: Any = checked(InboxRuleBody(data=request.data))
        return Response(rule_payload(rules.save_rule(actor=self.actor(request), fields=given)), status=201)


class RuleDetail(InboxView):
    @extend_schema(operation_id="get_rule", responses={200: schema_of(RulePayload)})
    def get(self, request: Request, workspace: str, rule: UUID) -> Response:
        return Response(rule_payload(rules.rule_for(self.actor(request), rule)))

    @extend_schema(operation_id="change_rule", request=InboxRuleBody, responses={200: schema_of(RulePayload)})
    def patch(self, request: Request, workspace: str, rule: UUID) -> Response:
        """Whoever changes it answers for what it does from then on."""
        given: Any = checked(InboxRuleBody(data=request.data, partial=True))
        return Response(rule_payload(rules.save_rule(actor=self.actor(request), fields=given, rule_id=rule)))

    @extend_schema(operation_id="delete_rule", responses={204: None})
    def delete(self, request: Request, workspace: str, rule: UUID) -> Response:
        rules.delete_rule(actor=self.actor(request), rule_id=rule)
        return Response(status=204)
