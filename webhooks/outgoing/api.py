"""REST of outgoing webhooks, for admins: subscriptions, the log of their calls, and the feed itself."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import orjson
from drf_spectacular.plumbing import resolve_type_hint
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config.errors import Invalid
from config.live.log import Logged
from crm import feed
from crm.api.base import WorkspaceView
from crm.features import Feature
from crm.paging import link, read_limit
from webhooks.models import CallState
from webhooks.outgoing import payloads, queries
from webhooks.outgoing.access import call_for, subscription_for, visible_subscriptions
from webhooks.services import subscriptions

LONGEST_NUMBER = 18  # digits


class OutgoingView(WorkspaceView):
    feature = Feature.OUTGOING_WEBHOOKS


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


class SubscriptionBody(serializers.Serializer[Any]):
    url = serializers.CharField(max_length=2000, allow_blank=True, required=False)
    description = serializers.CharField(max_length=200, allow_blank=True, required=False)
    event_types = serializers.ListField(child=serializers.CharField(max_length=60), max_length=50, required=False)

    def validate_event_types(self, value: list[str]) -> list[str]:
        unknown = [name for name in value if name not in feed.types()]
        if unknown:
            raise serializers.ValidationError(f"There are: {', '.join(feed.types())}.")
        return list(dict.fromkeys(value))


class NewSubscriptionBody(SubscriptionBody):
    """Without an address (an empty one, said so) the events are for pulling."""

    url = serializers.CharField(max_length=2000, allow_blank=True)


class SubscriptionChanges(SubscriptionBody):
    is_active = serializers.BooleanField(required=False)
    resume = serializers.ChoiceField(["catch_up", "now"], required=False)


class SubscriptionList(OutgoingView):
    @extend_schema(responses={200: _page_schema(payloads.SubscriptionPayload)}, operation_id="list_subscriptions")
    def get(self, request: Request, workspace: str) -> Response:
        rows = visible_subscriptions(self.actor(request)).order_by("-id")  # twenty at most
        results = [payloads.subscription_payload(row) for row in rows]
        return Response({"results": results, "next": None, "previous": None})

    @extend_schema(request=NewSubscriptionBody, responses={201: _schema(payloads.SubscriptionWithSecretPayload)})
    def post(self, request: Request, workspace: str) -> Response:
        """The answer is the only one that shows the secret."""
        visible_subscriptions(self.actor(request))  # may they at all? before the name server is asked
        given = _checked(NewSubscriptionBody(data=request.data))
        made, secret = subscriptions.create_subscription(actor=self.actor(request), **given)
        return Response(payloads.with_secret(made, secret), status=201, headers={"Cache-Control": "no-store"})


class SubscriptionDetail(OutgoingView):
    @extend_schema(responses={200: _schema(payloads.SubscriptionPayload)})
    def get(self, request: Request, workspace: str, subscription: UUID) -> Response:
        return Response(payloads.subscription_payload(subscription_for(self.actor(request), subscription)))

    @extend_schema(request=SubscriptionChanges, responses={200: _schema(payloads.SubscriptionPayload)})
    def patch(self, request: Request, workspace: str, subscription: UUID) -> Response:
        actor = self.actor(request)
        subscription_for(actor, subscription)
        given = _checked(SubscriptionChanges(data=request.data))
        changed = subscriptions.update_subscription(actor=actor, subscription_id=subscription, **given)
        return Response(payloads.subscription_payload(changed))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, workspace: str, subscription: UUID) -> Response:
        subscriptions.delete_subscription(actor=self.actor(request), subscription_id=subscription)
        return Response(status=204)


class SubscriptionSecret(OutgoingView):
    @extend_schema(request=None, responses={200: _schema(payloads.SubscriptionWithSecretPayload)})
    def post(self, request: Request, workspace: str, subscription: UUID) -> Response:
        changed, secret = subscriptions.rotate_secret(actor=self.actor(request), subscription_id=subscription)
        return Response(payloads.with_secret(changed, secret), headers={"Cache-Control": "no-store"})


class SubscriptionTest(OutgoingView):
    @extend_schema(request=None, responses={202: _schema(payloads.CallDetailPayload)})
    def post(self, request: Request, workspace: str, subscription: UUID) -> Response:
        """A `test.ping` is on its way; the call tells how it went."""
        call = subscriptions.send_test(actor=self.actor(request), subscription_id=subscription)
        return Response(payloads.call_detail(call), status=202)


class CallQuery(serializers.Serializer[Any]):
    state = serializers.ChoiceField(CallState.choices, required=False)


class CallList(OutgoingView):
    @extend_schema(
        parameters=[CallQuery, OpenApiParameter("cursor"), OpenApiParameter("limit", int)],
        responses={200: _page_schema(payloads.CallPayload)},
        operation_id="list_calls",
    )
    def get(self, request: Request, workspace: str, subscription: UUID) -> Response:
        query = request.query_params
        found = queries.list_calls(
            self.actor(request),
            subscription,
            state=_checked(CallQuery(data=query)).get("state"),
            cursor=query.get("cursor"),
            limit=read_limit(query.get("limit")),
        )
        given = {name: query[name] for name in ("state", "limit") if name in query}
        return Response(
            {
                "results": payloads.call_payloads(found.rows),
                "next": link(request.path, given, found.next),
                "previous": link(request.path, given, found.previous),
            }
        )


class CallDetail(OutgoingView):
    @extend_schema(responses={200: _schema(payloads.CallDetailPayload)})
    def get(self, request: Request, workspace: str, subscription: UUID, call: UUID) -> Response:
        return Response(payloads.call_detail(call_for(self.actor(request), subscription, call)))


class CallRedeliver(OutgoingView):
    @extend_schema(request=None, responses={202: _schema(payloads.CallDetailPayload)})
    def post(self, request: Request, workspace: str, subscription: UUID, call: UUID) -> Response:
        again = subscriptions.redeliver(actor=self.actor(request), subscription_id=subscription, call_id=call)
        return Response(payloads.call_detail(again), status=202)


# --- The feed, fetched ----------------------------------------------------------------------------------------


class FeedList(OutgoingView):
    @extend_schema(
        parameters=[
            OpenApiParameter("after", int, description="The last number one has; without it, the oldest that is kept."),
            OpenApiParameter("limit", int),
            OpenApiParameter("types", description="Some types, with commas between; all but private notes by default."),
        ],
        responses={200: _page_schema(payloads.FeedEventPayload)},
        operation_id="list_events",
    )
    def get(self, request: Request, workspace: str) -> Response:
        query, actor = request.query_params, self.actor(request)
        limit = read_limit(query.get("limit"))
        types = [name for name in query.get("types", "").split(",") if name]
        found = queries.read_feed(actor, after=_number(query.get("after")), limit=limit, types=types)
        given = {name: query[name] for name in ("limit", "types") if name in query}
        return Response(
            {
                "results": [_feed_event(event) for event in found.events],
                "next": _next(request.path, given, found.read_to) if found.more else None,
                "previous": None,
                "live": {"topic": feed.topic(actor.workspace_slug), "seq": found.head},
                "read_to": found.read_to,
                "is_open": found.is_open,
            }
        )


def _feed_event(event: Logged) -> dict[str, Any]:
    """The data as it was written: what is pushed and what is pulled agree to the letter."""
    return {"seq": event.seq, "type": event.type, "at": event.at, "data": orjson.Fragment(event.json)}


def _number(raw: str | None) -> int | None:
    if not raw:
        return None
    if not raw.isascii() or not raw.isdigit() or len(raw) > LONGEST_NUMBER:
        raise Invalid(errors={"after": "A whole number, 0 or more."})
    return int(raw)


def _next(path: str, given: dict[str, str], read_to: int) -> str:
    return f"{path}?{urlencode({**given, 'after': read_to})}"
