"""The OpenAPI document: valid, whole, and true of what is answered."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema
from jsonschema import Draft202012Validator

from config.openapi.finish import ERRORS, operations
from crm.queries.contact_filters import ContactFilter
from crm.queries.orders import Order
from tests.api import Api
from tests.cast import Cast, receive

pytestmark = pytest.mark.filterwarnings("ignore")  # jsonschema and spectacular tell of their own futures
# The document itself.
LEFT_OUT = {"/api/v1/schema"}


@pytest.fixture(autouse=True)
def _own_issuer(settings: Any) -> None:
    settings.SUPABASE_URL = ""


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return SchemaGenerator().get_schema(request=None, public=True)


def addresses(patterns: Any, base: str = "/") -> Iterator[str]:
    for pattern in patterns:
        path = base + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns, path)
        elif isinstance(pattern, URLPattern):
            yield re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", path)


def test_it_is_valid_openapi_31(document: dict[str, Any]):
    assert document["openapi"] == "3.1.0"
    validate_schema(document)


def test_every_address_of_the_api_is_in_it(document: dict[str, Any]):
    served = {path for path in addresses(get_resolver().url_patterns) if path.startswith("/api/v1/")} - LEFT_OUT
    assert served, "the addresses must be found at all"
    assert served - document["paths"].keys() == set()


def test_webhooks_are_in_it(document: dict[str, Any]):
    for path in ("kapso/{channel}", "twilio/{channel}", "twilio/{channel}/status", "stripe", "identity", "scores"):
        responses = document["paths"][f"/webhooks/{path}"]["post"]["responses"]
        assert {"200", "400", "401", "413", "503"} <= responses.keys()


def test_every_operation_is_told_with_its_errors_and_its_place(document: dict[str, Any]):
    names = []
    for path, method, operation in operations(document):
        where = f"{method} {path}"
        names.append(operation["operationId"])
        assert operation.get("description", "").strip(), where
        assert operation["tags"][0] in {tag["name"] for tag in document["tags"]}, where
        assert any(status[0] in "23" for status in operation["responses"]), where
        assert "503" in operation["responses"], where
        if operation["security"] != [{}]:
            assert "401" in operation["responses"], where
    assert len(names) == len(set(names)), "names of operations are unique"


@pytest.mark.parametrize("path", ["contacts/", "contacts/counts", "contacts/export.csv"])
def test_every_filter_of_contacts_is_told_in_words(document: dict[str, Any], path: str):
    told = {one["name"]: one for one in document["paths"][f"{WORKSPACE}{path}"]["get"]["parameters"]}
    filters = ContactFilter.declared_filters.keys() - {"sort"}
    assert told.keys() >= {*filters, "attribute.{key}"}
    assert all(told[name]["description"] for name in filters)
    assert ("sort" in told) == (path == "contacts/")
    assert path != "contacts/" or set(told["sort"]["schema"]["enum"]) == set(Order.values)
    assert told["score_min"]["schema"]["type"] == "number"


def test_bodies_have_examples(document: dict[str, Any]):
    for path, method, operation in operations(document):
        for status, answer in operation["responses"].items():
            for kind, content in answer.get("content", {}).items():
                if kind == "application/json" and status.startswith("2"):
                    assert "example" in content or "examples" in content, f"{method} {path} {status}"


def test_there_are_three_ways_to_sign_in_and_one_form_of_errors(document: dict[str, Any]):
    components = document["components"]
    assert {"bearer", "apiKey", "cookie"} == components["securitySchemes"].keys()
    assert set(ERRORS) == components["responses"].keys()
    validator = Draft202012Validator(components["schemas"]["Problem"])
    for error in components["responses"].values():
        validator.validate(error["content"]["application/problem+json"]["example"])


def answered(document: dict[str, Any], path: str, answer: Any) -> None:
    """A live answer is as the document says."""
    operation = document["paths"][path]["get"]
    told = operation["responses"][str(answer.status_code)]
    if "$ref" in told:
        told = document["components"]["responses"][told["$ref"].rpartition("/")[2]]
    content = told["content"][answer["Content-Type"].partition(";")[0]]
    schema = {**content["schema"], "components": document["components"]}
    errors = [error.message for error in Draft202012Validator(schema).iter_errors(answer.json())]
    assert errors == [], path


WORKSPACE = "/api/v1/workspaces/{workspace}/"


@pytest.mark.parametrize(
    "part",
    ["contacts/", "conversations/", "members/", "api-keys/", "jobs/", "deliveries/", "crons/", "billing-accounts/"],
)
def test_lists_are_as_the_document_says(document: dict[str, Any], cast: Cast, part: str):
    receive(cast, "Hola")
    of = Api(cast.ada).of(cast.workspace.slug)
    answer = of.get(part)
    assert answer.status_code == 200
    answered(document, WORKSPACE + part, answer)
    answered(document, WORKSPACE + part, Api(cast.cleo).of(cast.workspace.slug).get(part))
    answered(document, WORKSPACE + part, Api().of(cast.workspace.slug).get(part))


def test_a_conversation_and_its_messages_are_as_the_document_says(document: dict[str, Any], cast: Cast):
    conversation = receive(cast, "Hola")
    of, base = Api(cast.ben).of(cast.workspace.slug), WORKSPACE + "conversations/{conversation}/"
    answered(document, base, of.get(f"conversations/{conversation.pk}/"))
    answered(document, base + "messages/", of.get(f"conversations/{conversation.pk}/messages/"))
    answered(document, "/api/v1/me", Api(cast.ben).get("/api/v1/me"))


def test_the_document_and_its_page_are_served_without_a_third_host():
    client = Client()
    assert client.get("/api/v1/schema").status_code == 200
    page = client.get("/api/docs")
    assert page.status_code == 200
    text = page.content.decode()
    assert not re.search(r"""(src|href)=["'](https?:)?//""", text)
    assert "'unsafe-inline'" in page["Content-Security-Policy"]
    assert '"docExpansion": "none"' in text  # hundreds of operations drawn at once keep a browser from answering


def test_the_document_is_made_once_for_all_who_ask(monkeypatch: pytest.MonkeyPatch):
    client = Client()
    asked = "/api/v1/schema?format=json"
    assert asked.replace("=", "\\u003D") in client.get("/api/docs").content.decode()
    first = client.get(asked).json()
    monkeypatch.setattr(SchemaGenerator, "get_schema", lambda *_args, **_given: pytest.fail("made again"))
    assert client.get(asked).json() == first


def test_the_document_is_made_without_a_warning(tmp_path: Path):
    call_command("spectacular", validate=True, fail_on_warn=True, file=str(tmp_path / "openapi.yml"))
