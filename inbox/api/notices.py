"""REST of one's own notices, how one wants them, and the browsers that may be woken."""

from typing import Any, TypedDict

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from crm.api.base import StrictSerializer, checked, read_truth, schema_of
from crm.paging import link, read_limit
from inbox.api.base import InboxView, live_page_schema
from inbox.notices import queries, webpush
from inbox.notices.kinds import Kind, Way, all_ways
from inbox.notices.payloads import NoticePayload
from inbox.services import browsers, notices

MOST_AT_ONCE = 500


class UnreadPayload(TypedDict):
    unread_count: int


def _list_schema() -> dict[str, Any]:
    schema = live_page_schema(NoticePayload)
    schema["properties"]["unread_count"] = {"type": "integer"}
    return schema


class NoticeList(InboxView):
    @extend_schema(
        operation_id="list_notices",
        parameters=[OpenApiParameter("unread", bool), OpenApiParameter("cursor"), OpenApiParameter("limit", int)],
        responses={200: _list_schema()},
    )
    def get(self, request: Request, workspace: str) -> Response:
        """One's own, newest first, of the kinds one wants in the page. `live` is one's own topic."""
        actor, query = self.member(request), request.query_params
        unread = read_truth("unread", query.get("unread"), default=False)
        live = queries.get_own_live(actor)
        rows = queries.visible_notices(actor)
        found = queries.list_notices(
            rows, unread=unread, cursor=query.get("cursor"), limit=read_limit(query.get("limit"))
        )
        given = {name: query[name] for name in ("unread", "limit") if name in query}
        path = f"/api/v1/workspaces/{actor.workspace_slug}/notices/"
        return Response(
            {
                "results": [queries.payload_of(actor, row) for row in found.rows],
                "next": link(path, given, found.next),
                "previous": link(path, given, found.previous),
                "unread_count": queries.count_unread(rows),
                "live": live,
            }
        )


class NoticeReadBody(StrictSerializer):
    ids = serializers.ListField(child=serializers.UUIDField(), required=False, max_length=MOST_AT_ONCE)
    conversation = serializers.UUIDField(required=False)
    all = serializers.BooleanField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(attrs) != 1 or attrs.get("all") is False:
            raise serializers.ValidationError({"ids": "Some ids, a conversation, or all of them."})
        return attrs


class NoticeRead(InboxView):
    @extend_schema(operation_id="read_notices", request=NoticeReadBody, responses={200: schema_of(UnreadPayload)})
    def post(self, request: Request, workspace: str) -> Response:
        """`{"ids"}`, all of a `{"conversation"}`, or `{"all": true}`. Told to one's other pages as `notice.read`."""
        actor, given = self.member(request), checked(NoticeReadBody(data=request.data))
        if "ids" in given:
            notices.read_notices(actor=actor, ids=given["ids"])
        elif "conversation" in given:
            notices.read_notices_of(actor=actor, conversation_id=given["conversation"])
        else:
            notices.read_all_notices(actor=actor)
        return Response({"unread_count": queries.count_unread(queries.visible_notices(actor))})


class KindPayload(TypedDict):
    kind: str
    name: str
    ways: dict[str, bool]


class WayPayload(TypedDict):
    way: str
    name: str


class PreferencesPayload(TypedDict):
    kinds: list[KindPayload]
    ways: list[WayPayload]


class PreferencesBody(StrictSerializer):
    kinds = serializers.DictField(
        child=serializers.DictField(child=serializers.BooleanField()),
        help_text='{"mentioned": {"email": false}}; what is not named stays',
    )

    def validate_kinds(self, given: dict[str, dict[str, bool]]) -> dict[str, dict[str, bool]]:
        if unknown := given.keys() - set(Kind.values):
            raise serializers.ValidationError(f"There is no kind “{min(unknown)}”.")
        if unknown := {way for ways in given.values() for way in ways} - set(Way.values):
            raise serializers.ValidationError(f"There is no way “{min(unknown)}”.")
        return given


def preferences_answer(preferences: dict[str, Any]) -> PreferencesPayload:
    ways = all_ways(preferences)
    return {
        "kinds": [{"kind": kind.value, "name": str(kind.label), "ways": ways[kind.value]} for kind in Kind],
        "ways": [{"way": way.value, "name": str(way.label)} for way in Way],
    }


class NoticePreferences(InboxView):
    @extend_schema(operation_id="get_notice_preferences", responses={200: schema_of(PreferencesPayload)})
    def get(self, request: Request, workspace: str) -> Response:
        """Every kind of notice, and by which ways it reaches oneself in this workspace."""
        return Response(preferences_answer(queries.preferences_of(self.member(request))))

    @extend_schema(
        operation_id="set_notice_preferences",
        request=PreferencesBody,
        responses={200: schema_of(PreferencesPayload)},
    )
    def patch(self, request: Request, workspace: str) -> Response:
        given = checked(PreferencesBody(data=request.data))["kinds"]
        return Response(preferences_answer(notices.set_preferences(actor=self.member(request), given=given)))


class BrowserKeys(StrictSerializer):
    p256dh = serializers.CharField(max_length=120)
    auth = serializers.CharField(max_length=40)


class BrowserBody(StrictSerializer):
    """As `PushSubscription.toJSON()` has it."""

    endpoint = serializers.CharField(max_length=browsers.LONGEST)
    keys = BrowserKeys()
    expirationTime = serializers.FloatField(required=False, allow_null=True)  # noqa: N815 - the browsers' name


class PushPayload(TypedDict):
    public_key: str


class NoticePush(InboxView):
    @extend_schema(operation_id="get_push", responses={200: schema_of(PushPayload)})
    def get(self, request: Request, workspace: str) -> Response:
        """The key a browser subscribes with; empty where push is not set up."""
        self.member(request)
        return Response({"public_key": webpush.public_key()})

    @extend_schema(operation_id="subscribe_push", request=BrowserBody, responses={200: schema_of(PushPayload)})
    def post(self, request: Request, workspace: str) -> Response:
        """The same browser again is the same one. It serves all workspaces of the person."""
        given = checked(BrowserBody(data=request.data))
        browsers.remember_browser(actor=self.member(request), endpoint=given["endpoint"], **given["keys"])
        return Response({"public_key": webpush.public_key()})


class BrowserGoneBody(StrictSerializer):
    endpoint = serializers.CharField(max_length=browsers.LONGEST)


class NoticePushOff(InboxView):
    """The address goes in a body: it opens without a password, and addresses of requests are written down."""

    @extend_schema(operation_id="unsubscribe_push", request=BrowserGoneBody, responses={204: None})
    def post(self, request: Request, workspace: str) -> Response:
        given = checked(BrowserGoneBody(data=request.data))
        browsers.forget_browser(actor=self.member(request), endpoint=given["endpoint"])
        return Response(status=204)


class BrowserKnownPayload(TypedDict):
    subscribed: bool


class NoticePushKnown(InboxView):
    @extend_schema(
        operation_id="is_push_subscribed", request=BrowserGoneBody, responses={200: schema_of(BrowserKnownPayload)}
    )
    def post(self, request: Request, workspace: str) -> Response:
        """Whether this browser is one of those that are woken for oneself."""
        given = checked(BrowserGoneBody(data=request.data))
        return Response({"subscribed": browsers.knows_browser(self.member(request), given["endpoint"])})
