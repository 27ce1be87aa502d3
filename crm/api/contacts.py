"""REST of contacts: parse, call one service or query, answer."""

from typing import Any
from uuid import UUID, uuid5

import orjson
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config.errors import Invalid
from crm.actors import Actor
from crm.api.base import PAGING, WORD_LIMIT, StrictSerializer, WorkspaceView, checked, page_schema, schema_of
from crm.api.contact_parameters import CONTACT_FILTERS, SORT
from crm.paging import link, read_limit
from crm.payloads import ContactPayload, contact_payload
from crm.queries.contacts import (
    ContactDetailPayload,
    get_contact,
    list_contacts,
)
from crm.queries.lines import ContactRowPayload
from crm.services import contacts
from crm.services.contacts import ContactFields

MOST_TAGS = 50
METADATA_LIMIT = 64 * 1024  # bytes as JSON
IDEMPOTENCY = OpenApiParameter(
    "Idempotency-Key", location=OpenApiParameter.HEADER, description="The same key again gives the same contact."
)


class ContactBody(StrictSerializer):
    name = serializers.CharField(required=False, max_length=200, allow_blank=True)
    phone = serializers.CharField(required=False, max_length=40, allow_blank=True)
    email = serializers.EmailField(required=False, max_length=254, allow_blank=True)
    lead_status = serializers.CharField(required=False, max_length=40, allow_blank=True)
    lead_score = serializers.IntegerField(required=False, min_value=0, max_value=100, allow_null=True)
    tags = serializers.ListField(
        child=serializers.CharField(max_length=60), required=False, max_length=MOST_TAGS, allow_empty=True
    )
    metadata = serializers.DictField(required=False)
    attributes = serializers.DictField(required=False, help_text="By key; null takes a value away.")
    owner = serializers.CharField(required=False, allow_null=True, help_text="me, a member's id, or null.")

    def validate_metadata(self, value: dict[str, Any]) -> dict[str, Any]:
        return _bounded(value)

    def validate_attributes(self, value: dict[str, Any]) -> dict[str, Any]:
        return _bounded(value)


def _bounded(value: dict[str, Any]) -> dict[str, Any]:
    if len(orjson.dumps(value)) > METADATA_LIMIT:
        raise serializers.ValidationError("At most 64 KiB fit.")
    if _has_null(value):
        raise serializers.ValidationError("Null characters are not allowed.")
    return value


def _has_null(value: Any) -> bool:
    if isinstance(value, str):
        return "\x00" in value
    if isinstance(value, dict):
        return any(_has_null(one) for pair in value.items() for one in pair)
    return isinstance(value, list) and any(map(_has_null, value))


class NewContactBody(ContactBody):
    id = serializers.UUIDField(required=False, help_text="Made by the client: the same id again is the same contact.")


class ContactList(WorkspaceView):
    @extend_schema(
        operation_id="list_contacts",
        parameters=[*CONTACT_FILTERS, SORT, *PAGING],
        responses={200: page_schema(ContactRowPayload)},
    )
    def get(self, request: Request, workspace: str) -> Response:
        """Parameters join by AND, and wrong ones are named. 422 `too_slow` after two seconds."""
        query = request.query_params
        found = list_contacts(
            self.actor(request), query, cursor=query.get("cursor"), limit=read_limit(query.get("limit"))
        )
        again = {name: str(value) for name, value in query.items() if name != "cursor"}
        return Response(
            {
                "results": found.rows,
                "next": link(request.path, again, found.next),
                "previous": link(request.path, again, found.previous),
            }
        )

    @extend_schema(
        operation_id="create_contact",
        parameters=[IDEMPOTENCY],
        request=NewContactBody,
        responses={201: schema_of(ContactPayload), 200: schema_of(ContactPayload)},
    )
    def post(self, request: Request, workspace: str) -> Response:
        """409 `phone_taken` with the other contact's id when somebody goes by the number."""
        actor = self.actor(request)
        given = checked(NewContactBody(data=request.data))
        contact_id = given.pop("id", None) or _id_by_key(actor, request)
        made, created = contacts.create_contact(actor=actor, fields=_fields(actor, given), contact_id=contact_id)
        return Response(contact_payload(made), status=201 if created else 200)


def _id_by_key(actor: Actor, request: Request) -> UUID | None:
    """The id follows from the key, so that "once" is the table's own uniqueness."""
    key = request.headers.get("Idempotency-Key", "")
    if len(key) > WORD_LIMIT or not key.isprintable():
        raise Invalid(errors={"Idempotency-Key": f"At most {WORD_LIMIT} characters that can be printed."})
    return uuid5(actor.workspace_id, f"contact:{key}") if key else None


def _fields(actor: Actor, given: dict[str, Any]) -> ContactFields:
    owner = given.get("owner")
    if owner == "me":
        given["owner"] = getattr(actor, "user_id", None)
    elif owner is not None:
        try:
            given["owner"] = UUID(owner)
        except ValueError:
            raise Invalid(errors={"owner": "me, a member's id, or null."}) from None
    return given  # type: ignore[return-value]  # the serializer has just those fields


class ContactDetail(WorkspaceView):
    @extend_schema(operation_id="get_contact", responses={200: schema_of(ContactDetailPayload)})
    def get(self, request: Request, workspace: str, contact: UUID) -> Response:
        return Response(get_contact(self.actor(request), contact))

    @extend_schema(operation_id="update_contact", request=ContactBody, responses={200: schema_of(ContactDetailPayload)})
    def patch(self, request: Request, workspace: str, contact: UUID) -> Response:
        """What is not named stays. `metadata` and `tags` are set whole, `attributes` by key."""
        actor = self.actor(request)
        fields = _fields(actor, checked(ContactBody(data=request.data)))
        contacts.update_contact(actor=actor, contact_id=contact, fields=fields)
        return Response(get_contact(actor, contact))

    @extend_schema(operation_id="delete_contact", responses={204: None})
    def delete(self, request: Request, workspace: str, contact: UUID) -> Response:
        """Softly: conversations and notes go with it. `restore` brings all of it back."""
        contacts.delete_contact(actor=self.actor(request), contact_id=contact)
        return Response(status=204)


class ContactRestore(WorkspaceView):
    @extend_schema(operation_id="restore_contact", request=None, responses={200: schema_of(ContactDetailPayload)})
    def post(self, request: Request, workspace: str, contact: UUID) -> Response:
        actor = self.actor(request)
        contacts.restore_contact(actor=actor, contact_id=contact)
        return Response(get_contact(actor, contact))
