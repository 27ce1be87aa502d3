import pytest
from django.db import OperationalError
from django.test import Client

from crm.identity import people
from tests.crm.routes import ERRORS

TYPE = "application/problem+json"
EXPECTED = {
    "conflict": (409, "conflict"),
    "too-many": (429, "too_many_requests"),
    "not-found": (404, "not_found"),
    "unavailable": (503, "unavailable"),
    "http404": (404, "not_found"),
    "denied": (403, "forbidden"),
    "suspicious": (400, "malformed"),
    "too-big": (413, "too_large"),
    "database": (503, "unavailable"),
    "throttled": (429, "too_many_requests"),
    "not-acceptable": (406, "not_acceptable"),
    "unexpected": (500, "internal"),
}


@pytest.fixture(autouse=True)
def routes(settings):
    settings.ROOT_URLCONF = "tests.crm.routes"


def client():
    return Client(raise_request_exception=False)


@pytest.mark.parametrize("debug", [False, True], ids=["", "debug"])
@pytest.mark.parametrize("view", ["fail", "drf-fail"])
@pytest.mark.parametrize("name", ERRORS)
def test_every_error_reaches_a_program_as_a_problem(view, name, debug, settings):
    settings.DEBUG = debug
    response = client().get(f"/api/test/{view}/{name}")
    status, code = EXPECTED[name]
    body = response.json()
    assert response["Content-Type"] == TYPE
    assert (response.status_code, body["status"], body["code"]) == (status, status, code)
    assert {"type", "title", "detail"} <= set(body)
    assert b"secret" not in response.content
    assert b"Traceback" not in response.content


def test_data_stands_beside_the_fixed_names_and_never_over_them():
    body = client().get("/api/test/fail/conflict").json()
    assert (body["arrived"], body["status"], body["detail"]) == ([1], 409, "Taken.")


@pytest.mark.parametrize(("name", "wait"), [("too-many", "2"), ("throttled", "4")])
def test_a_limit_says_how_long_to_wait(name, wait):
    assert client().get(f"/api/test/drf-fail/{name}")["Retry-After"] == wait


@pytest.mark.parametrize("debug", [False, True], ids=["", "debug"])
@pytest.mark.parametrize("path", ["/api/v1/nowhere", "/api/", "/auth/nowhere", "/session/nowhere"])
def test_an_address_that_does_not_exist_is_a_problem_too(path, debug, settings):
    settings.DEBUG = debug
    response = client().get(path)
    assert (response.status_code, response["Content-Type"], response.json()["code"]) == (404, TYPE, "not_found")


def test_a_method_that_does_not_exist_says_which_do():
    response = client().get("/api/test/plain-write")
    assert (response.status_code, response["Content-Type"], response["Allow"]) == (405, TYPE, "POST")
    response = client().delete("/api/test/public")
    assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")
    assert "GET" in response["Allow"]


def test_a_host_that_is_not_ours_is_a_problem():
    response = client().get("/api/v1/me", HTTP_HOST="evil.test")
    assert (response.status_code, response["Content-Type"], response.json()["code"]) == (400, TYPE, "malformed")


@pytest.mark.usefixtures("own_issuer")
def test_bodies_that_cannot_be_read_are_told_apart(ann):
    signed_in = ann.sign_in(client())
    cases = [
        ("{", "application/json", 400, "malformed"),
        ("\xff\xfe", "application/json", 400, "malformed"),
        ("x", "application/octet-stream", 415, "unsupported_media_type"),
        ('{"count": "many"}', "application/json", 400, "invalid"),
        ("[]", "application/json", 400, "invalid"),
    ]
    for content, content_type, status, code in cases:
        response = signed_in.generic("POST", "/api/test/write", content, content_type)
        assert (response.status_code, response.json()["code"]) == (status, code), content
        assert response["Content-Type"] == TYPE
    response = signed_in.post("/api/test/write", {"count": "many"}, "application/json")
    assert response.json()["errors"] == {"count": ["A valid integer is required."]}


def test_people_get_a_page():
    for name in ("conflict", "too-many", "not-found", "http404", "denied", "unavailable", "database"):
        response = client().get(f"/pages/fail/{name}")
        assert response.status_code == EXPECTED[name][0]
        assert response["Content-Type"].startswith("text/"), name
        assert b"secret" not in response.content
    assert client().get("/pages/fail/unexpected").status_code == 500


@pytest.mark.usefixtures("own_issuer")
@pytest.mark.parametrize(("path", "kind"), [("/api/v1/me", TYPE), ("/inbox", "text/html; charset=utf-8")])
def test_a_database_that_is_gone_before_the_view_begins_is_503(ann, monkeypatch, path, kind):
    signed_in = ann.sign_in(client())

    def gone(*_: object, **__: object) -> None:
        raise OperationalError("secret host")

    monkeypatch.setattr(people, "seen_in_browser", gone)
    response = signed_in.get(path)
    assert (response.status_code, response["Content-Type"]) == (503, kind)
    assert b"secret" not in response.content


def test_what_nobody_expected_is_logged_with_its_trace(caplog):
    client().get("/api/test/drf-fail/unexpected")
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert record.exc_info
