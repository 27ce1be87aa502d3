"""REST of duplicates and merges: parse, call one service or query, answer."""

from datetime import datetime
from typing import Any, TypedDict
from uuid import UUID

from django.db.models import Count, Q
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config.errors import Invalid
from crm.api.base import PAGING, StrictSerializer, WorkspaceView, checked, list_page, page_schema, schema_of
from crm.duplicates import DuplicatePayload, list_duplicates
from crm.models import ContactMerge, ContactMergeMove
from crm.paging import link, read_limit
from crm.payloads import PersonPayload, person_payload
from crm.services.merging import keep_apart, merge_contacts, undo_merge
from crm.services.merging.apart import visible_merges


class MergedContact(TypedDict):
    id: UUID
    name: str


class KeptValue(TypedDict):
    column: str
    kept: Any
    lost: Any


class MergePayload(TypedDict):
    id: UUID
    winner: MergedContact
    loser: MergedContact
    merged_by: PersonPayload | None
    merged_at: datetime
    undone_by: PersonPayload | None
    undone_at: datetime | None


class MergeDetailPayload(MergePayload):
    moved: dict[str, int]  # rows by table
    collisions: list[KeptValue]


def merge_payload(merge: ContactMerge) -> MergePayload:
    return {
        "id": merge.pk,
        "winner": {"id": merge.winner_id, "name": merge.winner.display_name},
        "loser": {"id": merge.loser_id, "name": merge.loser.display_name},
        "merged_by": person_payload(merge.merged_by),
        "merged_at": merge.merged_at,
        "undone_by": person_payload(merge.undone_by),
        "undone_at": merge.undone_at,
    }


def merge_detail(merge: ContactMerge) -> MergeDetailPayload:
    moves = ContactMergeMove.objects.filter(merge=merge)
    counted = moves.values("table").annotate(rows=Count("row", distinct=True)).order_by("table")
    about_loser = moves.filter(row=str(merge.loser_id)).exclude(column__in=["merged_into_id", "deleted_at"])
    return {
        **merge_payload(merge),
        "moved": {row["table"]: row["rows"] for row in counted},
        "collisions": [
            {"column": move.column, "kept": move.after, "lost": move.before} for move in about_loser.order_by("id")
        ],
    }


class MergeBody(StrictSerializer):
    into = serializers.UUIDField(required=False, help_text="This contact becomes part of that one")
    that = serializers.UUIDField(required=False, help_text="That contact becomes part of this one")

    def get_fields(self) -> Any:
        """`from` is a word of Python's own."""
        fields = super().get_fields()
        fields["from"] = fields.pop("that")
        return fields


class ContactMergeView(WorkspaceView):
    @extend_schema(operation_id="merge_contact", request=MergeBody, responses={201: schema_of(MergeDetailPayload)})
    def post(self, request: Request, workspace: str, contact: UUID) -> Response:
        """Two contacts that are one person: `into` keeps that one, `from` keeps this one. Can be undone."""
        given = checked(MergeBody(data=request.data))
        if len(given) != 1:
            raise Invalid(errors={"into": "Give either into or from."})
        winner, loser = (given["into"], contact) if "into" in given else (contact, given["from"])
        actor = self.actor(request)
        merge = merge_contacts(actor=actor, winner_id=winner, loser_id=loser)
        return Response(merge_detail(_rows(actor).get(pk=merge.pk)), status=201)


def _rows(actor: Any) -> Any:
    return visible_merges(actor).select_related("winner", "loser", "merged_by", "undone_by")


class MergeQuery(serializers.Serializer[Any]):
    contact = serializers.UUIDField(required=False)


class MergeList(WorkspaceView):
    @extend_schema(
        operation_id="list_merges", parameters=[MergeQuery, *PAGING], responses={200: page_schema(MergePayload)}
    )
    def get(self, request: Request, workspace: str) -> Response:
        """Newest first; of one contact with `contact`."""
        given = checked(MergeQuery(data=request.query_params))
        rows = _rows(self.actor(request))
        if "contact" in given:
            rows = rows.filter(Q(winner_id=given["contact"]) | Q(loser_id=given["contact"]))
        return list_page(request, rows, merge_payload, given)


class MergeUndo(WorkspaceView):
    @extend_schema(operation_id="undo_merge", request=None, responses={200: schema_of(MergeDetailPayload)})
    def post(self, request: Request, workspace: str, merge: UUID) -> Response:
        """Takes back what moved, as far as it is still as the merge left it. What came later stays."""
        actor = self.actor(request)
        undo_merge(actor=actor, merge_id=merge)
        return Response(merge_detail(_rows(actor).get(pk=merge)))


class ApartBody(StrictSerializer):
    contacts = serializers.ListField(child=serializers.UUIDField(), min_length=2, max_length=2)


class DuplicateList(WorkspaceView):
    @extend_schema(
        operation_id="list_duplicates",
        parameters=[OpenApiParameter("contact", UUID), *PAGING],
        responses={200: page_schema(DuplicatePayload)},
    )
    def get(self, request: Request, workspace: str) -> Response:
        """Pairs that may be one person, with the reason: `email`, `phone` (one number in two spellings), `name`."""
        query = request.query_params
        given = checked(MergeQuery(data=query))
        found = list_duplicates(
            self.actor(request),
            contact_id=given.get("contact"),
            cursor=query.get("cursor"),
            limit=read_limit(query.get("limit")),
        )
        again = {name: query[name] for name in ("contact", "limit") if name in query}
        return Response({"results": found.rows, "next": link(request.path, again, found.next), "previous": None})


class DuplicateDismiss(WorkspaceView):
    @extend_schema(operation_id="dismiss_duplicate", request=ApartBody, responses={204: None})
    def post(self, request: Request, workspace: str) -> Response:
        """These are two people: they are no longer listed."""
        one, other = checked(ApartBody(data=request.data))["contacts"]
        keep_apart(actor=self.actor(request), contact_ids=(one, other))
        return Response(status=204)
