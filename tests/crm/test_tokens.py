import base64
import hmac
import json
import time
from uuid import UUID

import pytest

from config.errors import NotSignedIn
from crm.api_keys import PREFIX as API_KEY
from crm.identity import jwks
from crm.identity.errors import TokenExpired, TokenRefused
from crm.identity.hot import claims_at_hand
from crm.identity.tokens import LEEWAY_SECONDS, LONGEST_TOKEN, verify
from tests.crm.tokens import EC_KID, LEGACY_SECRET, NOW, RSA_KID, VECTORS, claims, signed


@pytest.fixture(autouse=True)
def published_keys(monkeypatch):
    monkeypatch.setattr(jwks, "_caches", {})
    monkeypatch.setattr(jwks, "_fetch_from_supabase", lambda: VECTORS["jwks"])


def refused(token, now=NOW):
    with pytest.raises(TokenRefused):
        verify(token, now)


@pytest.mark.parametrize("vector", VECTORS["vectors"], ids=lambda vector: vector["name"])
@pytest.mark.parametrize("secret", [LEGACY_SECRET, ""], ids=["legacy secret set", "legacy secret unset"])
def test_every_recorded_token_gets_its_verdict(vector, secret, settings):
    settings.SUPABASE_JWT_SECRET = secret
    legacy = vector["name"].startswith("hs256")
    if vector["valid"] and (secret or not legacy):
        found = verify(vector["token"], vector["now"])
        assert found.sub == UUID(vector["claims"]["sub"])
        assert found.expires_at == vector["claims"]["exp"]
        assert found.name == "Ada Lovelace"
    else:
        with pytest.raises(NotSignedIn):
            verify(vector["token"], vector["now"])


def test_both_published_key_types_verify():
    assert verify(signed(claims(), kid=EC_KID), NOW).email == "ada@example.test"
    assert verify(signed(claims(), kid=RSA_KID), NOW).email == "ada@example.test"


def test_on_a_loop_nobody_waits_for_the_issuer(monkeypatch, settings):
    """What would have to be fetched, and whatever else only a thread can tell, is left to one."""
    settings.SUPABASE_JWT_SECRET = LEGACY_SECRET
    monkeypatch.setattr(time, "time", lambda: NOW)
    by_key, by_secret = signed(claims()), _hmac(claims(), LEGACY_SECRET.encode())
    assert claims_at_hand(by_key) is None
    assert claims_at_hand(by_secret).email == "ada@example.test"
    assert claims_at_hand(f"{API_KEY}abc") is None
    verify(by_key, NOW)
    assert claims_at_hand(by_key) == verify(by_key, NOW)
    assert claims_at_hand(signed(claims(), kid=EC_KID, typ="JWT")) is not None
    for wrong in ("", "a.b.c", "nothing", by_key[:-8] + "AAAAAAAA"):
        with pytest.raises(TokenRefused):
            claims_at_hand(wrong)
    monkeypatch.setattr(time, "time", lambda: NOW + 1_000_000)
    with pytest.raises(TokenExpired):
        claims_at_hand(by_key)


def test_the_key_decides_the_algorithm_and_not_the_header():
    refused(_relabelled(signed(claims(), kid=EC_KID), alg="RS256"))
    refused(_relabelled(signed(claims(), kid=EC_KID), kid=RSA_KID))
    refused(_relabelled(signed(claims(), kid=RSA_KID), alg="RS512"))
    refused(_relabelled(signed(claims(), kid=RSA_KID), alg="PS256"))


def test_a_public_key_is_never_taken_for_a_shared_secret(settings):
    settings.SUPABASE_JWT_SECRET = LEGACY_SECRET
    for key in VECTORS["jwks"]["keys"]:
        for secret in (json.dumps(key), key.get("n") or key["x"]):
            refused(_hmac(claims(), secret.encode(), kid=key["kid"]))


def test_the_shared_secret_is_good_for_people_and_for_its_own_algorithm(settings):
    settings.SUPABASE_JWT_SECRET = LEGACY_SECRET
    assert verify(_hmac(claims(), LEGACY_SECRET.encode()), NOW)
    refused(_hmac(claims(role="service_role"), LEGACY_SECRET.encode()))
    refused(_hmac(claims(), LEGACY_SECRET.encode(), alg="HS512"))
    refused(_hmac(claims(), b"another secret of at least 32 characters"))


def test_the_legacy_secret_does_not_count_for_our_own_issuer(settings):
    settings.SUPABASE_URL = ""
    settings.SUPABASE_JWT_SECRET = LEGACY_SECRET
    refused(_hmac(claims(iss="http://testserver/auth/v1"), LEGACY_SECRET.encode()))


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "https://abcdefghijklmnopqrst.supabase.co/auth/v1/"},
        {"iss": ["https://abcdefghijklmnopqrst.supabase.co/auth/v1"]},
        {"aud": ["anon"]},
        {"aud": {"authenticated": True}},
        {"role": "service_role"},
        {"role": "anon"},
        {"sub": "not-a-uuid"},
        {"sub": ""},
        {"sub": 7},
        {"sub": "{8ccaa7af-909f-44e7-84cb-67cdccb56be6}"},
        {"sub": "8CCAA7AF-909F-44E7-84CB-67CDCCB56BE6"},
        {"client_id": "5b0a1f52-9a3c-4b55-8f65-0f6f0d1f2a3b"},
        {"session_id": "x"},
        {"exp": "1763672400"},
        {"exp": True},
        {"exp": None},
        {"exp": 10**400},
        {"iat": NOW + LEEWAY_SECONDS + 1},
        {"nbf": NOW + LEEWAY_SECONDS + 1},
    ],
    ids=str,
)
def test_a_wrong_claim_is_refused_however_well_it_is_signed(changed):
    refused(signed(claims(**changed)))


@pytest.mark.parametrize("name", ["iss", "aud", "sub", "role", "exp", "iat"])
def test_a_missing_claim_is_refused(name):
    refused(signed(claims(without=name)))


def test_an_audience_in_a_list_is_accepted():
    assert verify(signed(claims(aud=["authenticated", "other"])), NOW)


def test_clocks_may_differ_by_seconds_and_no_more():
    token = signed(claims(exp=NOW))
    assert LEEWAY_SECONDS <= 30
    assert verify(token, NOW + LEEWAY_SECONDS - 1)
    with pytest.raises(TokenExpired):
        verify(token, NOW + LEEWAY_SECONDS)


def test_without_a_pinned_clock_the_real_one_counts():
    now = int(time.time())
    assert verify(signed(claims(iat=now, exp=now + 60)))
    with pytest.raises(TokenExpired):
        verify(signed(claims(iat=NOW, exp=NOW + 60)))


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "a.b.c",
        "é.é.é",
        "sb_publishable_x",
        "\x00",
        "x" * (LONGEST_TOKEN + 1),
        "eyJhbGciOiJFUzI1NiJ9.e30.",
        f"{base64.urlsafe_b64encode(b'[' * 5000).decode()}.e30.AA",
    ],
    ids=repr,
)
def test_what_is_no_token_is_refused_without_an_error(token):
    refused(token)


@pytest.mark.parametrize("header", [{"crit": ["x"], "x": 1}, {"crit": ["b64"], "b64": False}, {"b64": False}], ids=str)
def test_what_must_be_understood_and_is_not_is_refused(header):
    refused(_relabelled(signed(claims()), **header))
    refused(signed(claims(), crit=["x"], x=1))


def test_a_payload_that_is_no_object_is_refused():
    refused(_relabelled(signed(claims())))
    header = _base64url(json.dumps({"alg": "ES256", "kid": EC_KID}).encode())
    refused(f"{header}.W10.AAAA")


def test_without_an_issuer_nobody_is_trusted(settings):
    settings.SUPABASE_URL = ""
    settings.TESTING = settings.DEMO = False
    refused(signed(claims()))


def test_names_are_for_display_and_keep_their_script():
    assert verify(signed(claims(user_metadata={"full_name": "  山田　太郎\n"})), NOW).name == "山田 太郎"
    assert verify(signed(claims(user_metadata={"name": "مه\u200cسا\u202e"})), NOW).name == "مه\u200cسا"
    assert verify(signed(claims(user_metadata={"full_name": ["x"]})), NOW).name == ""
    assert verify(signed(claims(user_metadata="x", is_anonymous="true")), NOW).is_anonymous is False


def test_authority_is_never_read_from_what_the_person_may_write():
    found = verify(signed(claims(user_metadata={"role": "admin", "email": "root@example.test"})), NOW)
    assert found.email == "ada@example.test"
    assert not hasattr(found, "roles")


def _relabelled(token, **header):
    head, payload, signature = token.split(".")
    old = json.loads(base64.urlsafe_b64decode(head + "=="))
    new = _base64url(json.dumps({**old, **header, "x": 1}).encode())
    return f"{new}.{payload}.{signature}"


def _hmac(payload, secret, **header):
    """By hand: the library would not take a public key for a secret, an attacker would."""
    head, body = (_base64url(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT", **header}, payload))
    mac = hmac.digest(secret, f"{head}.{body}".encode(), "sha256")
    return f"{head}.{body}.{_base64url(mac)}"


def _base64url(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
