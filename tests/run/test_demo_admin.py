"""Django admin over the demo's rows: of every table the list with its filters, a row's page, the form of a new one."""

import re
from typing import Any

import pytest
from django.contrib import admin
from django.db.models import BooleanField, ForeignKey
from django.test import Client, RequestFactory
from django.urls import reverse

from crm.models.people import PLATFORM_ADMIN
from crm.services import roles
from tests.api import token_for
from tests.cast import make_user
from tests.run.demo_data import demo_loaded

MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)
FILLED = 35  # tables, of those that the demo's rows stand in
MOST_QUERIES = 12


@pytest.fixture(scope="module", autouse=True)
def _loaded():
    with demo_loaded():
        yield


@pytest.fixture(autouse=True)
def _own_issuer(settings):
    settings.SUPABASE_URL = ""
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "whitenoise" not in name]


@pytest.fixture(scope="module")
def root() -> Any:
    return roles.grant_role(by=None, user_id=make_user("root").pk, role=PLATFORM_ADMIN)


@pytest.fixture
def client(root) -> Client:
    return Client(headers={"authorization": f"Bearer {token_for(root)}"})


def path(model: Any, page: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def narrowing(spec: Any) -> list[dict[str, str]]:
    """A question or two for each filter, as its form would ask them."""
    if hasattr(spec, "lookup_choices") and hasattr(spec, "parameter_name"):
        return [{spec.parameter_name: str(value)} for value, _ in spec.lookup_choices[:2]]
    if isinstance(spec.field, ForeignKey):
        return [
            {spec.lookup_kwarg: str(pk)} for pk in spec.field.related_model.objects.values_list("pk", flat=True)[:1]
        ]
    if isinstance(spec.field, BooleanField):
        return [{spec.lookup_kwarg: "1"}, {spec.lookup_kwarg: "0"}]
    return [{spec.lookup_kwarg: str(value)} for value, _ in spec.field.flatchoices[:2]] or [{spec.lookup_kwarg: "new"}]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_its_list_its_filters_and_its_pages_open(client, root, model, assert_queries):
    page, at = admin.site._registry[model], path(model, "changelist")
    with assert_queries(MOST_QUERIES):
        listed = client.get(at)
    assert listed.status_code == 200
    whole = listed.context["cl"]
    for spec in whole.filter_specs:
        for query in narrowing(spec):
            narrowed = client.get(at, query)
            assert narrowed.status_code == 200, query
            assert narrowed.context["cl"].has_active_filters, query
            assert narrowed.context["cl"].result_count <= whole.result_count, query
    row = whole.queryset.first()
    if row is not None:
        with assert_queries(MOST_QUERIES):
            assert client.get(path(model, "change", row.pk)).status_code == 200
    if page.can_add:
        assert client.get(path(model, "add")).status_code == 200


def test_most_tables_have_something_to_show(root):
    request = RequestFactory().get("/admin/")
    request.user = root
    filled = [model for model in MODELS if admin.site._registry[model].get_queryset(request).exists()]
    assert len(filled) >= FILLED


def test_tables_are_called_by_english_words():
    wrong = [
        str(model._meta.verbose_name_plural)
        for model in MODELS
        if re.search(r"[^aeiou]ys$", str(model._meta.verbose_name_plural))
    ]
    assert wrong == []
