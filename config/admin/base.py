"""What every list of the admin keeps to: read-only unless it says otherwise, nothing secret, nothing slow."""

from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from typing import Any, TypeVar, cast

from django.contrib import admin, messages
from django.contrib.postgres.search import SearchVectorField
from django.core.exceptions import ValidationError
from django.db import OperationalError, connection, models, transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import BooleanRadioFilter, ChoicesDropdownFilter
from unfold.decorators import display
from unfold.views import ChangeList

from config.admin.paginator import CappedPaginator
from config.errors import DomainError

PATIENCE_MS = 3_000  # a list that takes longer is asked for in another way
# Kinds of columns that no page of the admin shows, whatever it lists. Apps add theirs.
NEVER_SHOWN: "list[type[models.Field[Any, Any]]]" = [models.BinaryField, SearchVectorField]
# What people wrote, and what may carry it: shown only where an admin names the field in `texts`.
WRITTEN = (models.TextField, models.JSONField)
# A word shorter than this finds nothing in a trigram index and would read the whole table.
SHORTEST = 3
NEARLY = ("icontains", "contains", "istartswith", "startswith")

Rows = QuerySet[Any]


class Listed(ChangeList):  # type: ignore[misc]  # unfold has no types
    """Where nothing narrows the list there is nothing to be shown besides."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if not (self.query or self.has_active_filters):
            self.full_result_count = self.result_count


class Admin(ModelAdmin):  # type: ignore[misc]  # unfold has no types
    """Read-only. `editable` names what a form may change, `texts` the long texts that a page may show."""

    editable: Sequence[str] = ()
    texts: Sequence[str] = ()
    hidden: Sequence[str] = ()
    can_add = False
    can_delete = False

    list_per_page = 50
    list_max_show_all = 0
    paginator = CappedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    sortable_by: Sequence[str] = ()
    ordering: Sequence[str] = ("-pk",)
    search_fields: Sequence[str] = ("id",)
    list_filter_submit = True
    list_fullwidth = True
    actions: Sequence[Any] = ()
    compressed_fields = True

    # --- Who may what -----------------------------------------------------------------------------------------

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.can_add

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(self.editable)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.can_delete

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        found: dict[str, Any] = super().get_actions(request)
        if not self.can_delete:
            found.pop("delete_selected", None)
        return found

    def get_queryset(self, request: HttpRequest) -> Rows:
        """Without what no page shows: a secret that was not read cannot slip out, and costs no deciphering."""
        rows: Rows = super().get_queryset(request)
        related = self.list_select_related if isinstance(self.list_select_related, list | tuple) else ()
        unread = _unread(self.model, "", self.texts)
        for name in related:
            unread += _unread(self.model._meta.get_field(name).related_model, f"{name}__", ())
        return rows.select_related(*related).defer(*unread) if related else rows.defer(*unread)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return Listed

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        """Columns that are named alone are chosen in the form of the others."""
        return [(one, _filter_of(self.model, one)) if isinstance(one, str) else one for one in self.list_filter]

    # --- What is shown ------------------------------------------------------------------------------------------

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        own = shown_fields(self.model, texts=self.texts, hidden=self.hidden)
        return list(self.fields or (own if obj is not None or not self.can_add else self.editable))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [name for name in self.get_fields(request, obj) if name not in self.editable]

    # --- Searching, without reading a whole table ----------------------------------------------------------------

    def get_search_results(self, request: HttpRequest, queryset: Rows, search_term: str) -> tuple[Rows, bool]:
        """`search_fields` are look-ups that an index answers; those that the text does not fit are left out."""
        text = search_term.strip()
        if not text:
            return queryset, False
        found = Q(pk__in=[])
        for lookup in self.search_fields:
            if (value := _fitting(self.model, lookup, text)) is not None:
                found |= Q(**{lookup: value})
        return queryset.filter(found), False

    # --- Errors told as sentences ------------------------------------------------------------------------------

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if request.method != "GET":
            return cast(HttpResponse, super().changelist_view(request, extra_context))
        try:
            with transaction.atomic():
                with connection.cursor() as cursor:
                    cursor.execute(f"SET LOCAL statement_timeout = {PATIENCE_MS}")
                response = super().changelist_view(request, extra_context)
                return cast(HttpResponse, response.render() if hasattr(response, "render") else response)
        except OperationalError as error:
            if getattr(error.__cause__, "sqlstate", "") != "57014" or not request.GET:
                raise
            messages.error(
                request, _("That took too long to find. Narrow it by another filter, such as the workspace.")
            )
            return HttpResponseRedirect(request.path)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        try:
            return cast(HttpResponse, super().changeform_view(request, object_id, form_url, extra_context))
        except DomainError as refused:
            messages.error(request, str(refused))
            return HttpResponseRedirect(request.get_full_path())

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        try:
            return cast(HttpResponse, super().delete_view(request, object_id, extra_context))
        except DomainError as refused:
            messages.error(request, str(refused))
            return HttpResponseRedirect(request.get_full_path())

    # What changed stands in the audit log, with who and why; Django's own list of the last clicks says less.
    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None: ...
    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> None: ...
    def log_deletions(self, request: HttpRequest, queryset: Any) -> None: ...


def _filter_of(model: Any, name: str) -> Any:
    is_yes_or_no = isinstance(model._meta.get_field(name), models.BooleanField)
    return BooleanRadioFilter if is_yes_or_no else ChoicesDropdownFilter


def _unread(model: Any, prefix: str, texts: Sequence[str]) -> list[str]:
    return [f"{prefix}{field.name}" for field in model._meta.concrete_fields if _is_unread(field, texts)]


def _is_unread(field: Any, texts: Sequence[str]) -> bool:
    is_text = isinstance(field, WRITTEN) and not field.choices and not field.primary_key
    return isinstance(field, tuple(NEVER_SHOWN)) or (is_text and field.name not in texts)


def shown_fields(model: type[models.Model], *, texts: Sequence[str] = (), hidden: Sequence[str] = ()) -> list[str]:
    names = []
    for field in model._meta.concrete_fields:
        if isinstance(field, tuple(NEVER_SHOWN)) or field.name in hidden:
            continue
        if isinstance(field, WRITTEN) and not (field.choices or field.primary_key) and field.name not in texts:
            continue
        names.append(field.name)
    return names


F = TypeVar("F", bound=Callable[..., Any])


def column(description: Any, **how: Any) -> Callable[[F], F]:
    """A computed column; `label` maps its values to colours."""

    def of(show: F) -> F:
        named: F = display(show, description=description, **how)
        return named

    return of


Act = Callable[[Any, HttpRequest, Any], object]


def each(done: Callable[[int], str]) -> Callable[[Act], Callable[[Any, HttpRequest, Rows], None]]:
    """An action that does one thing to each chosen row; what was refused is said in its own words, once."""

    def of(do: Act) -> Callable[[Any, HttpRequest, Rows], None]:
        @wraps(do)
        def act(self: Any, request: HttpRequest, queryset: Rows) -> None:
            count, refusals = 0, []
            for row in queryset:
                try:
                    do(self, request, row)
                except DomainError as refused:
                    refusals.append(str(refused))
                else:
                    count += 1
            if count:
                messages.success(request, done(count))
            for sentence in dict.fromkeys(refusals):
                messages.warning(request, f"{refusals.count(sentence)} × {sentence}")

        return act

    return of


def register_rest(models_of_app: Iterable[type[models.Model]], base: type[Admin]) -> None:
    """Tables without a page of their own get one by their columns, so that none is missing."""
    for model in models_of_app:
        if model in admin.site._registry or model._meta.auto_created or model._meta.is_composite_pk:
            continue
        admin.site.register(model, type(f"{model.__name__}Admin", (base,), by_columns(model)))


def by_columns(model: type[models.Model]) -> dict[str, Any]:
    pk = model._meta.pk
    shown = [str(pk.name)] if pk is not None and not isinstance(pk, models.CompositePrimaryKey) else ["__str__"]
    related = [str(pk.name)] if isinstance(pk, models.ForeignKey) else []
    for field in model._meta.concrete_fields:
        if field.name in shown or len(shown) > 7:
            continue
        if isinstance(field, models.ForeignKey):
            if field.name == "workspace":
                shown.append("workspace")
                related.append("workspace")
        elif field.choices or isinstance(field, models.DateTimeField | models.BooleanField | models.SlugField):
            shown.append(field.name)
    return {
        "list_display": shown,
        "list_display_links": shown[:1],
        "list_select_related": related or False,
        "list_filter": [field.name for field in model._meta.concrete_fields if _is_choice(field)],
        "search_fields": [str(pk.name)] if pk is not None and shown[0] != "__str__" else [],
    }


def _is_choice(field: Any) -> bool:
    return bool(field.choices) or isinstance(field, models.BooleanField)


def _fitting(model: type[models.Model], lookup: str, text: str) -> Any:
    name, _, how = lookup.partition("__")
    field = model._meta.pk if name == "pk" else model._meta.get_field(name)
    if how in NEARLY:
        return text if len(text) >= SHORTEST else None
    while isinstance(field, models.ForeignKey):
        field = field.target_field
    assert isinstance(field, models.Field)  # noqa: S101 - search_fields name columns
    try:
        value = field.to_python(text)
        field.run_validators(value)
    except ValidationError:
        return None
    return value
