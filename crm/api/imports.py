"""REST of contacts' files: in by CSV in steps, out by CSV in one stream."""

from collections.abc import Iterator
from typing import Any, TypedDict
from uuid import UUID

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from crm.api.base import (
    PAGING,
    StrictSerializer,
    WorkspaceView,
    checked,
    list_page,
    page_schema,
    read_truth,
    schema_of,
)
from crm.api.contact_parameters import CONTACT_FILTERS
from crm.models import AttributeDefinition, Contact, ContactImport, ContactImportProblem
from crm.queries.contact_filters import narrowed
from crm.services import audit, imports
from crm.services.imports.events import ImportPayload, import_payload
from crm.services.imports.moves import KNOWN
from crm.services.imports.preview import ImportDetailPayload, import_detail
from crm.services.imports.reading import DELIMITERS
from crm.services.imports.uploading import import_for
from crm.spreadsheets import BOM, csv_lines

AT_ONCE = 1_000
COLUMNS = (
    "id",
    "name",
    "phone",
    "email",
    "lead_status",
    "lead_score",
    "tags",
    "owner",
    "created_at",
    "updated_at",
)


class ImportUploadBody(serializers.Serializer[Any]):
    file = serializers.FileField(allow_empty_file=True)


class ImportList(WorkspaceView):
    parser_classes = [MultiPartParser]

    @extend_schema(operation_id="list_contact_imports", parameters=PAGING, responses={200: page_schema(ImportPayload)})
    def get(self, request: Request, workspace: str) -> Response:
        """Newest first."""
        return list_page(request, imports.visible_imports(self.actor(request)), import_payload, {})

    @extend_schema(
        operation_id="upload_contact_import",
        request={"multipart/form-data": ImportUploadBody},
        responses={201: schema_of(ImportDetailPayload)},
    )
    def post(self, request: Request, workspace: str) -> Response:
        """A CSV of at most 200 MB, as any spreadsheet writes it. Answers with its columns and a first mapping."""
        file = checked(ImportUploadBody(data=request.data))["file"]
        row = imports.upload_import(actor=self.actor(request), content=file, size=file.size, name=file.name or "")
        return Response(import_detail(row), status=201)


class ImportBody(StrictSerializer):
    mapping = serializers.DictField(
        child=serializers.CharField(allow_blank=True, max_length=80),
        required=False,
        help_text="Column of the file to name, phone, email, lead_status, lead_score, tags, owner, first_name, "
        "last_name, attributes.<key> or metadata.<key>; empty to leave it out",
    )
    known = serializers.ChoiceField(KNOWN, required=False, help_text="What happens to contacts that are there already")
    encoding = serializers.CharField(required=False, max_length=20)
    delimiter = serializers.ChoiceField(list(DELIMITERS), required=False)


class ImportDetail(WorkspaceView):
    @extend_schema(operation_id="get_contact_import", responses={200: schema_of(ImportDetailPayload)})
    def get(self, request: Request, workspace: str, contact_import: UUID) -> Response:
        return Response(import_detail(import_for(self.actor(request), contact_import)))

    @extend_schema(
        operation_id="change_contact_import", request=ImportBody, responses={200: schema_of(ImportDetailPayload)}
    )
    def patch(self, request: Request, workspace: str, contact_import: UUID) -> Response:
        """Which column is which field, and what happens to contacts that are there already. Then check it anew."""
        given = checked(ImportBody(data=request.data))
        return Response(
            import_detail(imports.change_import(actor=self.actor(request), import_id=contact_import, **given))
        )

    @extend_schema(operation_id="remove_contact_import", responses={204: None})
    def delete(self, request: Request, workspace: str, contact_import: UUID) -> Response:
        """The file and what is noted of it. The contacts stay."""
        imports.remove_import(actor=self.actor(request), import_id=contact_import)
        return Response(status=204)


class ImportCheck(WorkspaceView):
    @extend_schema(operation_id="check_contact_import", request=None, responses={202: schema_of(ImportPayload)})
    def post(self, request: Request, workspace: str, contact_import: UUID) -> Response:
        """The dry run: reads every row as the import would and writes nothing but what is wrong."""
        row = imports.start_check(actor=self.actor(request), import_id=contact_import)
        return Response(import_payload(row), status=202)


class ImportRun(WorkspaceView):
    @extend_schema(operation_id="run_contact_import", request=None, responses={202: schema_of(ImportPayload)})
    def post(self, request: Request, workspace: str, contact_import: UUID) -> Response:
        row = imports.start_run(actor=self.actor(request), import_id=contact_import)
        return Response(import_payload(row), status=202)


class ImportCancel(WorkspaceView):
    @extend_schema(operation_id="cancel_contact_import", request=None, responses={200: schema_of(ImportPayload)})
    def post(self, request: Request, workspace: str, contact_import: UUID) -> Response:
        """Between two batches: what is written stays, and nothing more is."""
        row = imports.cancel_import(actor=self.actor(request), import_id=contact_import)
        return Response(import_payload(row))


class ProblemPayload(TypedDict):
    row: int  # 1 is the first under the header
    column: str
    code: str
    message: str


class ImportProblems(WorkspaceView):
    @extend_schema(
        operation_id="list_contact_import_problems", parameters=PAGING, responses={200: page_schema(ProblemPayload)}
    )
    def get(self, request: Request, workspace: str, contact_import: UUID) -> Response:
        """By row. What stood in a cell is not repeated here."""
        row = import_for(self.actor(request), contact_import)
        return list_page(request, _problems(row), _problem_payload, {})


class ImportProblemsCsv(WorkspaceView):
    @extend_schema(operation_id="export_contact_import_problems", responses={(200, "text/csv"): OpenApiTypes.STR})
    def get(self, request: Request, workspace: str, contact_import: UUID) -> StreamingHttpResponse:
        row = import_for(self.actor(request), contact_import)
        problems = _problems(row).order_by("row", "id").iterator(chunk_size=AT_ONCE)
        cells = ([one.row, one.column, one.code, one.message] for one in problems)
        return _csv(csv_lines(["row", "column", "code", "message"], cells), "problems.csv")


def _problems(row: ContactImport) -> Any:
    return ContactImportProblem.objects.filter(contact_import=row)


def _problem_payload(problem: ContactImportProblem) -> ProblemPayload:
    return {"row": problem.row, "column": problem.column, "code": problem.code, "message": problem.message}


# --- Out --------------------------------------------------------------------------------------------------------


class ContactsCsv(WorkspaceView):
    @extend_schema(
        operation_id="export_contacts",
        parameters=[
            *CONTACT_FILTERS,
            OpenApiParameter("bom", bool, description="false: without the mark that spreadsheets want"),
        ],
        responses={(200, "text/csv"): OpenApiTypes.STR},
    )
    def get(self, request: Request, workspace: str) -> StreamingHttpResponse:
        """All contacts that fit, by the filters of the list, as CSV. No cell in it is taken for a formula."""
        actor = self.actor(request)
        query = {name: request.query_params[name] for name in request.query_params if name != "bom"}
        has_mark = read_truth("bom", request.query_params.get("bom"), default=True)
        rows, _ = narrowed(actor, query)
        audit.record(actor=actor, action="contacts.exported", target_kind="workspace", target_id=actor.workspace_id)
        keys = _attribute_keys(actor.workspace_id)
        header = [*COLUMNS, *(f"attributes.{key}" for key in keys), "metadata"]
        lines = csv_lines(header, _cells(rows, keys))
        if not has_mark:
            lines = _without_mark(lines)
        return _csv(lines, "contacts.csv")


def _attribute_keys(workspace_id: UUID) -> list[str]:
    rows = AttributeDefinition.objects.filter(workspace_id=workspace_id).order_by("position", "id")
    return list(rows.values_list("key", flat=True))


def _cells(rows: Any, keys: list[str]) -> Iterator[list[Any]]:
    """By key, so many at once: no transaction stays open while somebody's line is slow."""
    after = None
    while True:
        page = rows if after is None else rows.filter(pk__gt=after)
        found = list(page.select_related("owner").defer("search").order_by("pk")[:AT_ONCE])
        for contact in found:
            yield [*_told(contact), *(contact.attributes.get(key) for key in keys), contact.metadata or ""]
        if len(found) < AT_ONCE:
            return
        after = found[-1].pk


def _told(contact: Contact) -> list[Any]:
    return [
        contact.pk,
        contact.name,
        contact.phone_normalized or contact.phone,
        contact.email,
        contact.lead_status,
        contact.lead_score,
        ", ".join(contact.tags),
        contact.owner.email or contact.owner.name if contact.owner else "",
        contact.created_at,
        contact.updated_at,
    ]


def _without_mark(lines: Iterator[str]) -> Iterator[str]:
    yield next(lines).removeprefix(BOM)
    yield from lines


def _csv(lines: Iterator[str], name: str) -> StreamingHttpResponse:
    answer = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer["Cache-Control"] = "private, no-store"
    return answer
