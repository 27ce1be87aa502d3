import json
import re
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import jwt
import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.utils import timezone

from crm.identity import tokens
from crm.ids import uuid7
from crm.issuer import sessions
from crm.issuer.accounts import EmailTaken, create_account
from crm.issuer.keys import public_jwks, sign
from crm.models import IssuerAccount, IssuerRefreshToken, IssuerSession, User
from tests.cast import unique
from tests.crm.test_login import somewhere

pytestmark = pytest.mark.usefixtures("own_issuer")
RECORDING = json.loads((Path(__file__).parent / "vectors" / "auth_js_traffic.json").read_text())
NEWEST = {"HTTP_X_SUPABASE_API_VERSION": "2024-01-01"}
KEYLESS = {"HTTP_APIKEY": "sb_publishable_x", "HTTP_AUTHORIZATION": "Bearer sb_publishable_x"}
SESSION_KEYS = {"access_token", "token_type", "expires_in", "expires_at", "refresh_token", "user"}
USER_KEYS = {
    "id", "aud", "role", "email", "email_confirmed_at", "phone", "confirmed_at", "last_sign_in_at", "app_metadata",
    "user_metadata", "identities", "created_at", "updated_at", "is_anonymous",
}  # fmt: skip


def call(method, path, body=None, *, token="", client=None, **headers):
    more = {"HTTP_AUTHORIZATION": f"Bearer {token}"} if token else {}
    content = "" if body is None else body if isinstance(body, str) else json.dumps(body)
    send = (client or somewhere()).generic
    return send(method, f"/auth/v1{path}", content, "application/json;charset=UTF-8", **{**headers, **more})


def sign_in(account, **headers):
    return call("POST", "/token?grant_type=password", {"email": account.email, "password": account.password}, **headers)


def refresh(refresh_token, **headers):
    return call("POST", "/token?grant_type=refresh_token", {"refresh_token": refresh_token}, **headers)


def refused(response, status, code):
    """Both shapes carry the code; which one was asked for is told by the header that comes back."""
    assert response.status_code == status, response.content
    assert response["x-sb-error-code"] == code
    body = response.json()
    if response.has_header("X-Supabase-Api-Version"):
        assert body["code"] == code
        assert isinstance(body["message"], str)
    else:
        assert (body["code"], body["error_code"]) == (status, code)
        assert isinstance(body["msg"], str)
    return True


def outdate(refresh_token):
    """As if it had been exchanged longer ago than the grace."""
    rows = IssuerRefreshToken.objects.filter(digest=sessions._digest(refresh_token), used_at__isnull=False)
    assert rows.update(used_at=timezone.now() - sessions.GRACE - timedelta(seconds=1)) == 1


# --- What the real client sent ---------------------------------------------------------------------------


def test_recorded_traffic_of_the_real_client_gets_the_recorded_answers(ann):
    names = {"email": ann.email, "password": ann.password, "id": str(ann.id), "address": "http://testserver"}
    client = somewhere()
    for number, step in enumerate(RECORDING):
        asked = json.loads(_filled(json.dumps(step["asked"]), names))
        headers = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in asked["headers"].items()}
        response = call(asked["method"], asked["path"], asked["body"], client=client, **headers)
        expected = step["answered"]
        assert response.status_code == expected["status"], (asked, response.content)
        body = response.json() if response.content else {}
        assert sorted(body) == expected["keys"], asked
        assert body.get("code") == expected["code"], asked
        if "access_token" in body:
            names |= {f"access {number}": body["access_token"], f"refresh {number}": body["refresh_token"]}
    assert len(RECORDING) > 10


def _filled(text, names):
    return re.sub(r"\{(email|password|id|address|(?:access|refresh) \d+)\}", lambda found: names[found[1]], text)


# --- Signing in ------------------------------------------------------------------------------------------


def test_a_session_has_the_form_that_clients_read(ann):
    response = sign_in(ann, **KEYLESS)
    body = response.json()
    assert response.status_code == 200
    assert set(body) == SESSION_KEYS
    assert set(body["user"]) == USER_KEYS
    assert (body["token_type"], body["expires_in"], body["user"]["id"]) == ("bearer", 3600, str(ann.id))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", body["user"]["last_sign_in_at"])
    claims = jwt.decode(body["access_token"], options={"verify_signature": False})
    assert claims["exp"] == body["expires_at"]
    assert claims["iss"] == "http://testserver/auth/v1"
    assert response["Cache-Control"] == "no-store"


def test_the_access_token_passes_the_ordinary_verification(ann):
    claims = tokens.verify(sign_in(ann).json()["access_token"])
    assert (claims.sub, claims.email, claims.name) == (ann.id, ann.email, "Ann")


@pytest.mark.parametrize(
    "headers", [{}, NEWEST, {"HTTP_X_SUPABASE_API_VERSION": "yesterday"}], ids=["old", "new", "odd"]
)
def test_a_wrong_password_and_an_unknown_address_get_one_answer(ann, headers):
    body = {"email": ann.email, "password": "wrong"}
    first = call("POST", "/token?grant_type=password", body, **headers)
    second = call("POST", "/token?grant_type=password", {**body, "email": f"{unique('x')}@demo.example"}, **headers)
    assert refused(first, 400, "invalid_credentials")
    assert first.content == second.content
    assert first.has_header("X-Supabase-Api-Version") == (headers == NEWEST)


def test_the_address_is_read_without_regard_to_case(ann):
    body = {"email": f" {ann.email.upper()} ", "password": ann.password}
    assert call("POST", "/token?grant_type=password", body).status_code == 200


def test_banned_and_unconfirmed_are_told_apart_only_after_the_right_password(ann):
    IssuerAccount.objects.filter(pk=ann.id).update(banned=True)
    assert refused(sign_in(ann), 400, "user_banned")
    wrong = {"email": ann.email, "password": "wrong"}
    assert refused(call("POST", "/token?grant_type=password", wrong), 400, "invalid_credentials")
    IssuerAccount.objects.filter(pk=ann.id).update(banned=False, confirmed_at=None)
    assert refused(sign_in(ann), 400, "email_not_confirmed")


def test_guessing_is_slowed_down(ann):
    client = somewhere()
    statuses = [
        call("POST", "/token?grant_type=password", {"email": ann.email, "password": "no"}, client=client).status_code
        for _ in range(12)
    ]
    assert set(statuses) == {400, 429}
    assert refused(sign_in(ann, client=client, **NEWEST), 429, "over_request_rate_limit")


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/token?grant_type=password", {}, 400, "validation_failed"),
        ("/token?grant_type=password", {"email": 7, "password": "x"}, 400, "validation_failed"),
        ("/token?grant_type=password", {"email": "a\x00@b.c", "password": "x"}, 400, "validation_failed"),
        ("/token?grant_type=password", '{"email": "\\ud800@b.c", "password": "x"}', 400, "validation_failed"),
        ("/token?grant_type=password", {"phone": "+15550100", "password": "x"}, 400, "validation_failed"),
        ("/token?grant_type=password", "{", 400, "bad_json"),
        ("/token?grant_type=password", "[]", 400, "bad_json"),
        ("/token?grant_type=password", "[" * 5000, 400, "bad_json"),
        ("/token?grant_type=password", "x" * 100_000, 413, "validation_failed"),
        ("/token?grant_type=password", "x" * 3_000_000, 413, "validation_failed"),
        ("/token?grant_type=refresh_token", {"refresh_token": "\ud800"}, 400, "refresh_token_not_found"),
        ("/signup", {"email": "new@demo.example", "password": "long-enough"}, 422, "signup_disabled"),
        ("/otp", {"email": "a@b.c"}, 404, "validation_failed"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_cannot_be_read_is_refused_in_the_issuers_own_form(path, body, status, code):
    assert refused(call("POST", path, body), status, code)
    assert refused(call("POST", path, body, **NEWEST), status, code)


@pytest.mark.parametrize(
    ("path", "body", "error"),
    [
        ("/token?grant_type=refresh_token", {}, "invalid_request"),
        ("/token?grant_type=refresh_token", {"refresh_token": ""}, "invalid_request"),
        ("/token?grant_type=refresh_token", {"refresh_token": 7}, "invalid_request"),
        ("/token?grant_type=magic", {}, "unsupported_grant_type"),
        ("/token", {}, "unsupported_grant_type"),
    ],
)
def test_some_refusals_keep_the_older_form(path, body, error):
    response = call("POST", path, body)
    assert response.status_code == 400
    assert response.json()["error"] == error
    assert response.json()["error_description"]


# --- Refreshing ------------------------------------------------------------------------------------------


def test_a_refresh_token_is_exchanged_for_another(ann):
    first = sign_in(ann).json()
    second = refresh(first["refresh_token"], **KEYLESS).json()
    assert set(second) == SESSION_KEYS
    assert second["refresh_token"] != first["refresh_token"]
    one, two = (tokens.verify(body["access_token"]) for body in (first, second))
    assert (one.session_id, one.sub) == (two.session_id, two.sub)


def test_tabs_that_race_both_get_a_working_session(ann, at_once):
    first = sign_in(ann).json()["refresh_token"]
    answers = at_once(lambda: refresh(first), 4)
    assert [answer.status_code for answer in answers] == [200] * 4
    assert all(refresh(answer.json()["refresh_token"]).status_code == 200 for answer in answers)


def test_a_token_that_comes_back_late_is_refused_and_ends_the_session(ann):
    first = sign_in(ann).json()["refresh_token"]
    second = refresh(first).json()
    outdate(first)
    for _ in range(2):
        assert refused(refresh(first), 400, "refresh_token_already_used")
    assert refused(refresh(second["refresh_token"]), 400, "refresh_token_not_found")
    assert refused(call("GET", "/user", token=second["access_token"]), 403, "session_not_found")
    assert sign_in(ann).status_code == 200


def test_a_made_up_token_is_not_found(ann):
    assert refused(refresh("made-up"), 400, "refresh_token_not_found")
    IssuerAccount.objects.filter(pk=ann.id).update(banned=False)
    first = sign_in(ann).json()["refresh_token"]
    IssuerAccount.objects.filter(pk=ann.id).update(banned=True)
    assert refused(refresh(first), 400, "user_banned")


def test_only_digests_of_refresh_tokens_are_kept(ann):
    given = sign_in(ann).json()["refresh_token"]
    row = IssuerRefreshToken.objects.get(session__account_id=ann.id)
    assert bytes(row.digest) == sessions._digest(given)
    assert given.encode() not in bytes(row.digest)


# --- The user --------------------------------------------------------------------------------------------


def test_the_user_is_answered_bare(ann):
    body = call("GET", "/user", token=sign_in(ann).json()["access_token"]).json()
    assert set(body) == USER_KEYS
    assert body["email"] == ann.email
    assert body["identities"][0]["identity_data"]["sub"] == str(ann.id)


def test_the_bearer_of_the_user_endpoint_is_judged_as_supabase_does(ann):
    token = sign_in(ann).json()["access_token"]
    assert refused(call("GET", "/user"), 401, "no_authorization")
    assert refused(call("GET", "/user", HTTP_AUTHORIZATION="Basic x"), 401, "no_authorization")
    assert refused(call("GET", "/user", token="a.b.c"), 403, "bad_jwt")
    assert refused(call("GET", "/user", token=token[:-4]), 403, "bad_jwt")
    IssuerAccount.objects.filter(pk=ann.id).update(banned=True)
    assert refused(call("GET", "/user", token=token), 403, "user_banned")
    IssuerSession.objects.filter(account_id=ann.id).delete()
    assert refused(call("GET", "/user", token=token), 403, "session_not_found")
    IssuerAccount.objects.filter(pk=ann.id).delete()
    assert refused(call("GET", "/user", token=token), 403, "user_not_found")


def test_an_expired_token_is_a_bad_one(ann):
    issued = sessions.sign_in(ann.email, ann.password)
    claims = sessions._claims(issued.account, uuid4(), "password", 1_700_000_000)
    assert refused(call("GET", "/user", token=sign(claims)), 403, "bad_jwt")


def test_people_change_their_password_and_their_own_data(ann):
    here, there = sign_in(ann).json(), sign_in(ann).json()
    change = {"password": "another-password", "data": {"full_name": "Ann Lee", "gone": None, "theme": "dark"}}
    body = call("PUT", "/user", change, token=here["access_token"]).json()
    assert body["user_metadata"] == {"full_name": "Ann Lee", "theme": "dark"}
    assert refused(sign_in(ann), 400, "invalid_credentials")
    ann.password = "another-password"
    assert sign_in(ann).status_code == 200
    assert refresh(here["refresh_token"]).status_code == 200
    assert refused(refresh(there["refresh_token"]), 400, "refresh_token_not_found")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"password": "short"}, 422, "weak_password"),
        ({"password": "x" * 73}, 400, "validation_failed"),
        ({"password": 7}, 400, "validation_failed"),
        ({"password": "a-password-for-tests"}, 422, "same_password"),
        ({"data": []}, 400, "validation_failed"),
        ({"data": {"x": "y" * 20_000}}, 400, "validation_failed"),
        ({"data": {"x": "\x00"}}, 400, "validation_failed"),
        ('{"data": {"x": "\\ud800"}}', 400, "validation_failed"),
        ({"email": "somebody@else.example"}, 422, "email_provider_disabled"),
        ({"phone": "+15550100"}, 422, "phone_provider_disabled"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_change_that_cannot_be_is_refused_and_nothing_changes(ann, body, status, code):
    token = sign_in(ann).json()["access_token"]
    response = call("PUT", "/user", body, token=token, **NEWEST)
    assert refused(response, status, code)
    if code == "weak_password":
        assert response.json()["weak_password"] == {"reasons": ["length"]}
    assert call("GET", "/user", token=token).json()["user_metadata"] == {"full_name": "Ann"}
    assert sign_in(ann).status_code == 200


def test_metadata_does_not_make_anybody_more_than_they_are(ann):
    token = sign_in(ann).json()["access_token"]
    change = {"data": {"role": "admin", "roles": ["admin"], "email": "root@demo.example"}, "role": "service_role"}
    assert call("PUT", "/user", change, token=token).status_code == 200
    assert (
        Client()
        .get("/api/v1/me", HTTP_AUTHORIZATION=f"Bearer {sign_in(ann).json()['access_token']}")
        .json()["platform_roles"]
        == []
    )
    assert User.objects.get(pk=ann.id).email == ann.email


# --- Signing out -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "here_ends", "there_ends"),
    [("", True, True), ("?scope=global", True, True), ("?scope=local", True, False), ("?scope=others", False, True)],
)
def test_signing_out_ends_the_sessions_of_its_scope(ann, query, here_ends, there_ends):
    here, there = sign_in(ann).json(), sign_in(ann).json()
    response = call("POST", f"/logout{query}", token=here["access_token"])
    assert (response.status_code, response.content) == (204, b"")
    for session, ended in ((here, here_ends), (there, there_ends)):
        if ended:
            assert refused(refresh(session["refresh_token"]), 400, "refresh_token_not_found")
            assert refused(call("GET", "/user", token=session["access_token"]), 403, "session_not_found")
        else:
            assert refresh(session["refresh_token"]).status_code == 200


def test_signing_out_needs_a_token_and_a_known_scope(ann):
    assert refused(call("POST", "/logout"), 401, "no_authorization")
    token = sign_in(ann).json()["access_token"]
    assert refused(call("POST", "/logout?scope=universe", token=token), 400, "validation_failed")
    assert call("GET", "/user", token=token).status_code == 200
    assert call("POST", "/logout", token=token).status_code == 204
    assert refused(call("POST", "/logout", token=token), 403, "session_not_found")


# --- Around it -------------------------------------------------------------------------------------------


def test_the_public_key_is_listed_and_may_be_kept_for_ten_minutes():
    response = call("GET", "/.well-known/jwks.json")
    assert response.json() == public_jwks()
    (key,) = response.json()["keys"]
    assert (key["kty"], key["crv"], key["alg"], key["use"], key["key_ops"]) == (
        "EC",
        "P-256",
        "ES256",
        "sig",
        ["verify"],
    )
    assert "d" not in key
    assert response["Cache-Control"] == "public, max-age=600"


def test_discovery_settings_and_health_answer():
    found = call("GET", "/.well-known/openid-configuration").json()
    assert found["issuer"] == "http://testserver/auth/v1"
    assert found["jwks_uri"] == "http://testserver/auth/v1/.well-known/jwks.json"
    assert call("GET", "/settings").json()["disable_signup"] is True
    assert call("GET", "/health").status_code == 200


@pytest.mark.parametrize(
    "path", ["/token?grant_type=password", "/user", "/logout", "/signup", "/.well-known/jwks.json"]
)
def test_browsers_of_any_origin_may_ask_and_see_the_version(path):
    wanted = "apikey,authorization,content-type,x-client-info,x-supabase-api-version"
    preflight = call(
        "OPTIONS",
        path,
        HTTP_ORIGIN="http://localhost:5173",
        HTTP_ACCESS_CONTROL_REQUEST_METHOD="POST",
        HTTP_ACCESS_CONTROL_REQUEST_HEADERS=wanted,
    )
    assert preflight.status_code == 204
    allowed = {name.strip().lower() for name in preflight["Access-Control-Allow-Headers"].split(",")}
    assert set(wanted.split(",")) <= allowed
    assert {"GET", "POST", "PUT", "PATCH", "DELETE"} == set(preflight["Access-Control-Allow-Methods"].split(", "))
    answer = call("GET", path, HTTP_ORIGIN="http://localhost:5173")
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in answer
    assert "X-Supabase-Api-Version" in answer["Access-Control-Expose-Headers"]


def test_the_wrong_method_is_refused_in_the_issuers_own_form():
    assert refused(call("GET", "/token?grant_type=password"), 405, "validation_failed")
    assert refused(call("DELETE", "/user"), 405, "validation_failed")


def test_a_browser_with_our_cookie_needs_no_csrf_token_here(ann):
    client = Client(enforce_csrf_checks=True)
    client.cookies = ann.sign_in(Client()).cookies
    assert sign_in(ann, client=client).status_code == 200


@pytest.mark.parametrize("how", ["with Supabase", "outside demo and tests"])
@pytest.mark.parametrize("path", ["/token?grant_type=password", "/.well-known/jwks.json", "/user", "/anything"])
def test_it_is_not_there_unless_it_is_the_issuer(ann, settings, how, path):
    if how == "with Supabase":
        settings.SUPABASE_URL = "https://abcdefghijklmnopqrst.supabase.co"
    else:
        settings.TESTING = False
    for method in ("GET", "POST", "OPTIONS"):
        response = call(method, path, {"email": ann.email, "password": ann.password})
        assert response.status_code == 404
        assert "Access-Control-Allow-Origin" not in response


def test_an_address_has_one_account_whatever_its_case(ann):
    with pytest.raises(EmailTaken):
        create_account(uuid7(), ann.email.upper(), "long-enough", "Another")


def test_passwords_are_hashed(ann):
    assert ann.password not in IssuerAccount.objects.get(pk=ann.id).password
    assert django_settings.PASSWORD_HASHERS


def test_old_sessions_are_dropped_and_used_ones_kept(ann):
    old, used = (tokens.verify(sign_in(ann).json()["access_token"]).session_id for _ in range(2))
    long_ago = timezone.now() - timedelta(days=40)
    IssuerSession.objects.filter(pk__in=[old, used]).update(created_at=long_ago)
    IssuerRefreshToken.objects.filter(session_id=old).update(created_at=long_ago)
    assert sessions.prune(timedelta(days=30)) >= 1
    assert list(IssuerSession.objects.filter(account_id=ann.id).values_list("pk", flat=True)) == [used]
