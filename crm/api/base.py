"""What the REST edges of every app share: the acting member, checked input, cursor pages and their schemas."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, ClassVar, TypeVar

from django.db.models import Model, QuerySet
from drf_spectacular.plumbing import resolve_type_hint
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.errors import Invalid
from crm.actors import Caller, Member
from crm.features import Feature, FeatureOff
from crm.identity.errors import PersonNeeded
from crm.paging import link, page, read_limit

M = TypeVar("M", bound=Model)
NEWEST = ("-id",)
WORD_LIMIT = 255
TRUTHS = {"true": True, "1": True, "false": False, "0": False}
PAGING = [OpenApiParameter("cursor"), OpenApiParameter("limit", int)]


class WorkspaceView(APIView):
    """The middleware has made sure that `actor` is a member of the workspace or one of its keys."""

    feature: ClassVar[Feature | None] = None  # refuses while the workspace has switched it off

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if self.feature is not None and not request._request.switches.get(self.feature.value, True):  # type: ignore[attr-defined]
            raise FeatureOff(feature=self.feature.value)

    def actor(self, request: Request) -> Caller:
        actor: Caller = request._request.actor  # type: ignore[attr-defined]
        return actor

    def member(self, request: Request) -> Member:
        """For what hangs on a person: what one has read, one's own views. PersonNeeded for keys."""
        actor = self.actor(request)
        if not isinstance(actor, Member):
            raise PersonNeeded
        return actor


def schema_of(payload: Any) -> dict[str, Any]:
    schema: dict[str, Any] = resolve_type_hint(payload)  # type: ignore[no-untyped-call]
    return schema


def page_schema(payload: Any) -> dict[str, Any]:
    link_schema = {"type": "string", "nullable": True}
    return {
        "type": "object",
        "properties": {
            "results": {"type": "array", "items": schema_of(payload)},
            "next": link_schema,
            "previous": link_schema,
        },
    }


def checked(serializer: serializers.Serializer[Any]) -> dict[str, Any]:
    if not serializer.is_valid():
        raise Invalid(errors=serializer.errors)
    data: dict[str, Any] = serializer.validated_data
    return data


def read(form: type[serializers.Serializer[Any]], data: Any) -> dict[str, Any]:
    """As `checked(form(data=data))`, for what is asked with every message: REST framework copies all fields of a form
    each time it is made, which costs several times what reading does. Forms that look at nothing but what they read."""
    if isinstance(data, Mapping):
        try:
            given: dict[str, Any] = _made(form).run_validation(data)
        except serializers.ValidationError:
            pass  # said in the usual way
        else:
            return given
    return checked(form(data=data))


@cache
def _made(form: type[serializers.Serializer[Any]]) -> serializers.Serializer[Any]:
    return form()


class StrictSerializer(serializers.Serializer[Any]):
    """Names that it does not know are refused by name: a typing error is not taken for silence."""

    def to_internal_value(self, data: Any) -> Any:
        unknown = set(data) - set(self.fields) if isinstance(data, Mapping) else set()
        known = {name: value for name, value in data.items() if name not in unknown} if unknown else data
        wrong = {name: ["There is no such field."] for name in sorted(unknown)}
        try:
            values = super().to_internal_value(known)
        except serializers.ValidationError as error:
            raise serializers.ValidationError({**error.detail, **wrong}) from None  # type: ignore[dict-item]
        if wrong:
            raise serializers.ValidationError(wrong)
        return values


def list_page(request: Request, rows: "QuerySet[M]", shape: Callable[[M], Any], given: dict[str, Any]) -> Response:
    query = request.query_params
    found = page(rows, NEWEST, cursor=query.get("cursor"), limit=read_limit(query.get("limit")))
    again = {name: query[name] for name in (*given, "limit") if name in query}
    return Response(
        {
            "results": [shape(row) for row in found.rows],
            "next": link(request.path, again, found.next),
            "previous": link(request.path, again, found.previous),
        }
    )


class Text(serializers.CharField):
    """What somebody wrote. A number is none, though REST framework would take it."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        text: str = super().to_internal_value(data)
        return text


def read_truth(name: str, raw: str | None, *, default: bool) -> bool:
    """A parameter that is true or false; Invalid for any other word."""
    if not raw:
        return default
    if raw not in TRUTHS:
        raise Invalid(errors={name: "true or false."})
    return TRUTHS[raw]


def word() -> serializers.CharField:
    return serializers.CharField(required=False, max_length=WORD_LIMIT)
