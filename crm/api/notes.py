"""REST of a contact's notes."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from crm.api.base import PAGING, StrictSerializer, Text, WorkspaceView, checked, list_page, page_schema, schema_of
from crm.payloads import NotePayload, note_payload
from crm.services import notes
from crm.services.mentions import MOST_MENTIONS


class NoteBody(StrictSerializer):
    body = Text(trim_whitespace=False)
    mentions = serializers.ListField(
        child=serializers.UUIDField(), required=False, max_length=MOST_MENTIONS, help_text="Ids of members and teams."
    )


class NewNoteBody(NoteBody):
    id = serializers.UUIDField(required=False, help_text="Made by the client: the same id again is the same note.")


class NoteList(WorkspaceView):
    @extend_schema(operation_id="list_contact_notes", parameters=PAGING, responses={200: page_schema(NotePayload)})
    def get(self, request: Request, workspace: str, contact: UUID) -> Response:
        """Newest first."""
        return list_page(request, notes.visible_notes(self.actor(request), contact), note_payload, {})

    @extend_schema(
        operation_id="add_contact_note",
        request=NewNoteBody,
        responses={201: schema_of(NotePayload), 200: schema_of(NotePayload)},
    )
    def post(self, request: Request, workspace: str, contact: UUID) -> Response:
        """Who is mentioned, by id here or as @<id> in the body, or is in a team that is, hears of it on `user.<id>`."""
        given = checked(NewNoteBody(data=request.data))
        note, created = notes.add_note(
            actor=self.actor(request),
            contact_id=contact,
            body=given["body"],
            mentions=given.get("mentions", ()),
            note_id=given.get("id"),
        )
        return Response(note_payload(note), status=201 if created else 200)


class NoteDetail(WorkspaceView):
    @extend_schema(operation_id="change_contact_note", request=NoteBody, responses={200: schema_of(NotePayload)})
    def patch(self, request: Request, workspace: str, contact: UUID, note: UUID) -> Response:
        """By its author, or by who manages the workspace."""
        given = checked(NoteBody(data=request.data, partial=True))
        changed = notes.change_note(
            actor=self.actor(request),
            contact_id=contact,
            note_id=note,
            body=given.get("body"),
            mentions=given.get("mentions"),
        )
        return Response(note_payload(changed))

    @extend_schema(operation_id="delete_contact_note", responses={204: None})
    def delete(self, request: Request, workspace: str, contact: UUID, note: UUID) -> Response:
        notes.delete_note(actor=self.actor(request), contact_id=contact, note_id=note)
        return Response(status=204)
