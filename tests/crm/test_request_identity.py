import time

import pytest
from django.conf import settings as django_settings
from django.test import AsyncClient, Client
from django.utils import timezone

from crm.identity import cookies, sessions
from crm.issuer import keys
from crm.issuer import sessions as issuer
from crm.models import BrowserSession, Member, User
from tests.cast import make_cast, make_workspace, unique
from tests.crm.conftest import account_for

pytestmark = pytest.mark.usefixtures("routes", "own_issuer")


@pytest.fixture
def routes(settings):
    settings.ROOT_URLCONF = "tests.crm.routes"


def bearer(account):
    return {"HTTP_AUTHORIZATION": f"Bearer {issuer.sign_in(account.email, account.password).access_token}"}


def body_of(response):
    """Everything a caller can see and compare."""
    return response.status_code, response.content, dict(response.headers), response.cookies.output()


def test_a_bearer_token_names_the_user(ann):
    answer = Client().get("/api/test/who", **bearer(ann)).json()
    assert (answer["user"], answer["via"]) == (str(ann.id), "bearer")


def test_a_cookie_names_the_user(ann):
    answer = ann.sign_in(Client()).get("/api/test/who").json()
    assert (answer["user"], answer["via"]) == (str(ann.id), "cookie")


def test_nobody_is_nobody():
    assert Client().get("/api/test/who").json()["user"] is None
    assert Client().get("/api/test/public").json() == {"user": "AnonymousUser"}


def test_a_bearer_that_is_wrong_is_refused_even_where_nobody_needs_to_sign_in(ann):
    client = ann.sign_in(Client())
    for given in ("Bearer", "Bearer ", "bearer x", "Bearer a.b.c", "Bearer key_of_a_machine"):
        response = client.get("/api/test/public", HTTP_AUTHORIZATION=given)
        assert (response.status_code, response.json()["code"]) == (401, "token_invalid"), given
        assert response["WWW-Authenticate"] == "Bearer"
        assert response["Content-Type"] == "application/problem+json"


def test_an_expired_bearer_says_so(ann):
    now = int(time.time())
    claims = issuer._claims(issuer.sign_in(ann.email, ann.password).account, ann.id, "password", now - 7200)
    response = Client().get("/api/test/who", HTTP_AUTHORIZATION=f"Bearer {keys.sign(claims)}")
    assert (response.status_code, response.json()["code"]) == (401, "token_expired")


def test_other_authorization_is_not_ours_to_judge(ann):
    client = ann.sign_in(Client())
    assert client.get("/api/test/who", HTTP_AUTHORIZATION="Basic eDp5").json()["user"] == str(ann.id)


def test_with_both_the_bearer_alone_counts(ann):
    cast = make_cast()
    client = ann.sign_in(Client())
    assert client.get("/api/test/who", **bearer(account_for(cast.ben))).json()["user"] == str(cast.ben.pk)


def test_rest_views_are_closed_unless_they_say_otherwise():
    response = Client().get("/api/test/write")
    assert (response.status_code, response.json()["code"]) == (401, "not_signed_in")
    assert response["WWW-Authenticate"] == "Bearer"


def test_pages_send_to_the_sign_in_and_back():
    response = Client().get("/pages/page?tab=mine&x=1")
    assert (response.status_code, response["Location"]) == (302, "/login?next=%2Fpages%2Fpage%3Ftab%3Dmine%26x%3D1")
    response = Client().get("/pages/w/demo/who")
    assert response["Location"] == "/login?next=%2Fpages%2Fw%2Fdemo%2Fwho"


def test_a_program_asking_for_a_page_with_a_token_is_told_and_not_sent_to_the_sign_in():
    response = Client().get("/pages/page", HTTP_AUTHORIZATION="Bearer x")
    assert (response.status_code, response["Content-Type"]) == (401, "application/problem+json")


def test_a_member_becomes_an_actor_with_the_role_of_that_workspace(cast, ann):
    Member.objects.create(workspace=cast.workspace, user=ann.user, role="viewer")
    answer = ann.sign_in(Client()).get(f"/api/test/w/{cast.workspace.slug}/who").json()
    assert (answer["role"], answer["workspace"]) == ("viewer", str(cast.workspace.pk))
    assert ann.sign_in(Client()).get(f"/api/test/w/{cast.workspace.slug.upper()}/who").status_code == 200


@pytest.mark.parametrize("how", ["cookie", "bearer"])
def test_not_a_member_and_not_there_look_the_same(cast, how):
    cleo = account_for(cast.cleo)
    client, more = (cleo.sign_in(Client()), {}) if how == "cookie" else (Client(), bearer(cleo))
    theirs = client.get(f"/api/test/w/{cast.workspace.slug}/who", **more)
    nowhere = client.get(f"/api/test/w/{unique('nowhere')}/who", **more)
    assert theirs.status_code == 404
    assert theirs.json()["code"] == "not_found"
    assert body_of(theirs) == body_of(nowhere)
    posted = [client.post(f"/api/test/w/{slug}/write", **more) for slug in (cast.workspace.slug, unique("nowhere"))]
    assert body_of(posted[0]) == body_of(posted[1])


def test_not_signed_in_says_nothing_about_the_workspace(cast):
    theirs = Client().get(f"/api/test/w/{cast.workspace.slug}/who")
    assert theirs.status_code == 401
    assert body_of(theirs) == body_of(Client().get(f"/api/test/w/{unique('nowhere')}/who"))


@pytest.mark.parametrize("how", ["cookie", "bearer"])
def test_who_it_is_and_what_they_may_do_costs_one_query(cast, how, assert_queries):
    ben = account_for(cast.ben)
    client, more = (ben.sign_in(Client()), {}) if how == "cookie" else (Client(), bearer(ben))
    with assert_queries(1):
        assert client.get("/api/test/who", **more).json()["user"] == str(cast.ben.pk)
    with assert_queries(1):
        assert client.get(f"/api/test/w/{cast.workspace.slug}/who", **more).json()["role"] == "agent"
    other = make_workspace("other")
    with assert_queries(2):
        assert client.get(f"/api/test/w/{other.slug}/who", **more).status_code == 404


def test_nobody_costs_no_query(assert_queries):
    client = Client()
    with assert_queries(0):
        client.get("/api/test/who")
        client.get("/api/test/w/demo/who")
        client.cookies[django_settings.SIGN_IN_COOKIE_NAME] = "made-up:1:2"
        assert client.get("/api/test/who").json()["user"] is None


def test_a_view_that_takes_no_identity_is_left_alone(ann, assert_queries):
    client = ann.sign_in(Client(enforce_csrf_checks=False))
    with assert_queries(0):
        assert client.post("/api/test/exempt", HTTP_AUTHORIZATION="Bearer x").json()["user"] is None


# --- CSRF ------------------------------------------------------------------------------------------------


def strict(account):
    client = Client(enforce_csrf_checks=True)
    client.get("/login")
    token = client.cookies[django_settings.CSRF_COOKIE_NAME].value
    account.sign_in(client, csrfmiddlewaretoken=token)
    return client, {"HTTP_X_CSRFTOKEN": client.cookies[django_settings.CSRF_COOKIE_NAME].value}


@pytest.mark.parametrize("path", ["/api/test/write", "/api/test/plain-write", "/api/test/guarded-write"])
def test_a_cookie_writes_only_with_the_csrf_token(ann, path):
    client, token = strict(ann)
    for more in ({}, {"HTTP_X_CSRFTOKEN": "x" * 32}):
        response = client.post(path, {"count": 1}, "application/json", **more)
        assert (response.status_code, response.json()["code"]) == (403, "csrf_failed")
    assert client.post(path, {"count": 1}, "application/json", **token).status_code == 200


def test_a_foreign_origin_is_refused_with_the_right_token(ann):
    client, token = strict(ann)
    response = client.post(
        "/api/test/write", {"count": 1}, "application/json", HTTP_ORIGIN="https://evil.test", **token
    )
    assert (response.status_code, response.json()["code"]) == (403, "csrf_failed")


@pytest.mark.parametrize("path", ["/api/test/write", "/api/test/guarded-write"])
def test_a_bearer_writes_without_a_csrf_token(ann, path):
    client = Client(enforce_csrf_checks=True)
    assert client.post(path, {"count": 1}, "application/json", **bearer(ann)).status_code == 200


def test_a_made_up_bearer_does_not_lend_the_cookie_its_freedom_from_csrf(ann):
    client, _ = strict(ann)
    response = client.post("/api/test/write", {"count": 1}, "application/json", HTTP_AUTHORIZATION="Bearer x")
    assert response.status_code == 401


def test_a_page_post_without_the_token_gets_a_page(ann):
    client, _ = strict(ann)
    response = client.post("/logout")
    assert response.status_code == 403
    assert response["Content-Type"].startswith("text/")
    assert BrowserSession.objects.filter(user_id=ann.id).exists()


# --- Endings ---------------------------------------------------------------------------------------------


def test_a_deactivated_user_is_refused_by_token_and_by_cookie(ann):
    client, token = ann.sign_in(Client()), bearer(ann)
    User.objects.filter(pk=ann.id).update(deactivated_at=timezone.now())
    response = Client().get("/api/test/who", **token)
    assert (response.status_code, response.json()["code"]) == (401, "deactivated")
    response = client.get("/api/test/who")
    assert response.json()["user"] is None
    assert response.cookies[django_settings.SIGN_IN_COOKIE_NAME]["max-age"] == 0


def test_a_deactivated_member_is_not_signed_in_anywhere(cast):
    ben = account_for(cast.ben)
    token = bearer(ben)
    User.objects.filter(pk=ben.id).update(deactivated_at=timezone.now())
    assert Client().get(f"/api/test/w/{cast.workspace.slug}/who", **token).status_code == 401


def test_a_cookie_of_a_session_that_ended_elsewhere_is_nobody(ann):
    client = ann.sign_in(Client())
    held = cookies.read({name: morsel.value for name, morsel in client.cookies.items()})
    assert held
    sessions.end(held.session_id)
    assert client.get("/api/test/write").status_code == 401


def test_a_cookie_cannot_be_made_up_or_changed(ann):
    client = ann.sign_in(Client())
    name = django_settings.SIGN_IN_COOKIE_NAME
    value = client.cookies[name].value
    for changed in (value[:-1] + ("A" if value[-1] != "A" else "B"), "x" + value, value.split(":")[0], "x" * 5000, "é"):
        client.cookies[name] = changed
        assert client.get("/api/test/who").json()["user"] is None, changed


def test_what_is_answered_to_somebody_is_not_cached_for_others(ann):
    response = ann.sign_in(Client()).get("/api/test/who")
    assert {"Cookie", "Authorization"} <= set(response["Vary"].split(", "))


async def test_async_views_see_the_same(ann):
    from asgiref.sync import sync_to_async

    more = await sync_to_async(bearer)(ann)
    client = AsyncClient()
    assert (await client.get("/api/test/who-later", headers={"authorization": more["HTTP_AUTHORIZATION"]})).json() == {
        "user": str(ann.id)
    }
    assert (await client.get("/api/test/who-later")).json() == {"user": None}
    response = await client.get("/api/test/w/nowhere/who", headers={"authorization": more["HTTP_AUTHORIZATION"]})
    assert response.status_code == 404
    response = await client.get("/api/test/who-later", headers={"authorization": "Bearer x"})
    assert response.status_code == 401
