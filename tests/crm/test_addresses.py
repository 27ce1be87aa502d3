"""Addresses that are not quite ours: a slash too many or too few, and characters that no database holds."""

import pytest
from django.test import Client

from tests.api import Api
from tests.cast import make_cast, unique


@pytest.fixture(autouse=True)
def _own_issuer(settings):
    settings.SUPABASE_URL = ""
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "whitenoise" not in name]


@pytest.fixture
def cast():
    return make_cast()


@pytest.mark.parametrize("path", ["contacts", "contacts/", "conversations", "members/", "members"])
def test_a_slash_at_the_end_is_neither_here_nor_there(cast, path):
    assert Api(cast.ada).of(cast.workspace.slug).get(path).status_code == 200


def test_a_post_keeps_its_body_without_its_slash(cast):
    name = unique("Zora")
    answer = Api(cast.ada).of(cast.workspace.slug).post("contacts", {"name": name})
    assert (answer.status_code, answer.json()["name"]) == (201, name)
    assert Api(cast.ada).of(cast.workspace.slug).post("members/leave/").status_code != 404


def test_an_address_that_we_do_not_have_is_still_none(cast):
    for path in ("nowhere", "nowhere/", f"contacts/{cast.ada.pk}", f"contacts/{cast.ada.pk}/"):
        assert Api(cast.ada).of(cast.workspace.slug).get(path).status_code == 404


def test_a_page_is_led_to_with_its_question():
    answer = Client().get("/login/?next=%2Finbox")
    assert (answer.status_code, answer["Location"]) == (301, "/login?next=%2Finbox")


def test_the_links_of_a_page_of_results_are_whole_addresses(cast):
    ada = Api(cast.ada).of(cast.workspace.slug)
    for _ in range(2):
        ada.post("contacts/", {"name": unique("Yara")})
    first = ada.get("contacts/", limit=1).json()
    assert first["next"].startswith("http://testserver/api/v1/workspaces/")
    second = Api(cast.ada).get(first["next"]).json()
    assert second["results"] != first["results"]
    assert Api(cast.ada).get(second["previous"]).json()["results"] == first["results"]


def test_behind_a_proxy_the_links_have_the_scheme_that_the_world_uses(cast, settings):
    settings.PUBLIC_URL = "https://testserver"
    ada = Api(cast.ada).of(cast.workspace.slug)
    ada.post("contacts/", {"name": unique("Yara")})
    ada.post("contacts/", {"name": unique("Yara")})
    assert ada.get("contacts/", limit=1).json()["next"].startswith("https://testserver/api/")


def test_a_null_character_in_an_address_finds_nothing(cast):
    ada = Api(cast.ada)
    for path in ("leaderboards/%00", "leaderboards/a%00b/nicknames", f"workspaces/{cast.workspace.slug}/boards/%00/"):
        answer = ada.get(f"/api/v1/{path}")
        assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json"), path
    assert Client().get("/leaderboard/%00").status_code == 404


def test_a_null_character_in_a_question_is_named(cast):
    answer = Api(cast.ada).of(cast.workspace.slug).get("contacts/?search=a%00b&limit=1")
    assert (answer.status_code, answer.json()["code"], list(answer.json()["errors"])) == (400, "invalid", ["search"])


@pytest.mark.parametrize("kept", [{"a": "\0"}, {"\0": 1}, {"a": {"b": ["x\0"]}}], ids=["value", "name", "deep"])
def test_what_no_column_holds_is_refused_and_never_our_fault(cast, kept):
    answer = Api(cast.ada).of(cast.workspace.slug).post("contacts/", {"name": "Null", "metadata": kept})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")


def test_a_body_that_nests_without_end_is_refused(cast):
    ada = Api(cast.ada).of(cast.workspace.slug)
    deep = '{"name": "Deep", "metadata": ' + '{"a":' * 80 + "1" + "}" * 81
    assert (ada.post("contacts/", deep).status_code, ada.post("contacts/", deep).json()["code"]) == (400, "malformed")
    fair = '{"name": "Deep", "metadata": ' + '{"a":' * 40 + "1" + "}" * 41
    assert ada.post("contacts/", fair).status_code == 201
