import base64
import json
import threading

import httpx
import pytest

from crm.identity import jwks
from crm.identity.errors import IssuerUnreachable, TokenRefused
from crm.identity.jwks import KEPT_SECONDS, PAUSE_SECONDS, PAUSE_WITHOUT_KEYS_SECONDS, KeyCache, parse
from crm.identity.tokens import verify
from crm.issuer import keys as own_keys
from jobs import http
from jobs.errors import ProviderError
from tests.crm.tokens import EC_KID, NOW, RSA_KID, VECTORS, claims, signed

EC, RSA = VECTORS["jwks"]["keys"]


class Issuer:
    """Answers as it is told and counts."""

    def __init__(self, *keys):
        self.keys = keys
        self.fetches = 0
        self.now = 0.0
        self.down = False

    def fetch(self):
        self.fetches += 1
        if self.down:
            raise ProviderError("down", permanent=False)
        return {"keys": list(self.keys)}

    def cache(self):
        return KeyCache(self.fetch, clock=lambda: self.now)


def test_keys_are_fetched_once_in_ten_minutes():
    issuer = Issuer(EC, RSA)
    cache = issuer.cache()
    for issuer.now in (0, 1, KEPT_SECONDS - 1):
        assert cache.find(EC_KID).algorithm == "ES256"
        assert cache.find(RSA_KID).algorithm == "RS256"
    assert issuer.fetches == 1
    issuer.now = KEPT_SECONDS
    assert cache.find(EC_KID)
    assert issuer.fetches == 2


def test_a_new_key_is_fetched_when_its_id_first_shows():
    issuer = Issuer(EC)
    cache = issuer.cache()
    assert cache.find(EC_KID)
    issuer.keys, issuer.now = (EC, RSA), PAUSE_SECONDS
    assert cache.find(RSA_KID)
    assert issuer.fetches == 2


def test_made_up_key_ids_cost_one_fetch_in_thirty_seconds():
    issuer = Issuer(EC)
    cache = issuer.cache()
    for number in range(100):
        issuer.now = number * PAUSE_SECONDS / 100
        assert cache.find(f"made-up-{number}") is None
    assert issuer.fetches == 1
    issuer.now = PAUSE_SECONDS
    assert cache.find("made-up") is None
    assert issuer.fetches == 2


def test_keys_outlive_an_issuer_that_is_down():
    issuer = Issuer(EC)
    cache = issuer.cache()
    assert cache.find(EC_KID)
    issuer.down = True
    for issuer.now in (KEPT_SECONDS, KEPT_SECONDS + 1, 10 * KEPT_SECONDS):
        assert cache.find(EC_KID)
    assert issuer.fetches == 3


def test_a_key_that_the_issuer_no_longer_lists_is_dropped():
    issuer = Issuer(EC, RSA)
    cache = issuer.cache()
    assert cache.find(RSA_KID)
    issuer.keys, issuer.now = (EC,), KEPT_SECONDS
    assert cache.find(RSA_KID) is None


def test_a_flush_forgets_a_revoked_key_at_once():
    issuer = Issuer(EC, RSA)
    cache = issuer.cache()
    assert cache.find(RSA_KID)
    issuer.keys = (EC,)
    cache.flush()
    assert cache.find(RSA_KID) is None


def test_nobody_is_called_a_forger_while_the_issuer_cannot_be_asked():
    issuer = Issuer(EC)
    issuer.down = True
    cache = issuer.cache()
    for _ in range(3):
        with pytest.raises(IssuerUnreachable):
            cache.find(EC_KID)
    assert issuer.fetches == 1
    issuer.down, issuer.now = False, PAUSE_WITHOUT_KEYS_SECONDS
    assert cache.find(EC_KID)


def test_threads_that_start_cold_share_one_fetch():
    issuer = Issuer(EC)
    waiting = threading.Barrier(8)
    cache = issuer.cache()
    found = []

    def look():
        waiting.wait()
        found.append(cache.find(EC_KID))

    threads = [threading.Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert issuer.fetches == 1
    assert len([key for key in found if key]) == 8


def test_others_go_on_with_old_keys_while_one_thread_fetches():
    fetching, go_on = threading.Event(), threading.Event()
    issuer = Issuer(EC)

    def slow():
        if issuer.fetches:
            fetching.set()
            assert go_on.wait(10)
        return issuer.fetch()

    cache = KeyCache(slow, clock=lambda: issuer.now)
    assert cache.find(EC_KID)
    issuer.now = KEPT_SECONDS
    first = threading.Thread(target=cache.find, args=(EC_KID,))
    first.start()
    assert fetching.wait(10)
    assert cache.find(EC_KID)
    go_on.set()
    first.join()


@pytest.mark.parametrize(
    "key",
    [
        {"kty": "oct", "k": base64.urlsafe_b64encode(b"x" * 32).decode(), "kid": "a", "alg": "HS256"},
        {**EC, "alg": "RS256"},
        {**RSA, "alg": "RS512"},
        {**RSA, "alg": "HS256"},
        {**EC, "crv": "P-384"},
        {**EC, "crv": "secp256k1"},
        {**EC, "use": "enc"},
        {**EC, "key_ops": ["sign"]},
        {**EC, "x": "AAAA"},
        {**EC, "kid": ""},
        {**EC, "kid": 7},
        {**RSA, "n": "AQAB"},
        {**EC, "kty": ["EC"]},
        {"kid": "a"},
        "text",
        None,
    ],
    ids=str,
)
def test_a_key_that_cannot_be_trusted_is_left_out_and_the_rest_stays(key):
    assert list(parse({"keys": [key, RSA if key != RSA else EC]})) == [RSA_KID]


def test_a_private_half_listed_by_mistake_is_not_kept():
    (private,) = parse({"keys": [{**VECTORS["private_jwks"]["keys"][0], "key_ops": ["verify"]}]}).values()
    assert not hasattr(private.key, "private_numbers")


@pytest.mark.parametrize("answer", [{}, [], {"keys": {}}, {"keys": [EC] * 51}], ids=lambda answer: str(answer)[:20])
def test_an_answer_that_is_no_key_list_counts_as_a_failed_fetch(answer):
    cache = KeyCache(lambda: answer)
    with pytest.raises(IssuerUnreachable):
        cache.find(EC_KID)


def test_a_project_that_still_signs_with_the_shared_secret_lists_no_key():
    assert KeyCache(lambda: {"keys": []}).find(EC_KID) is None


def test_keys_come_from_beside_the_issuer(monkeypatch):
    asked = []

    def answer(method, url, **limits):
        asked.append((method, url, limits["timeout"]))
        content = json.dumps(VECTORS["jwks"]).encode()
        return http.Response(200, httpx.Headers(), content, "abcdefghijklmnopqrst.supabase.co", False)

    monkeypatch.setattr(http, "request", answer)
    monkeypatch.setattr(jwks, "_caches", {})
    assert verify(signed(claims()), NOW)
    assert asked == [("GET", "https://abcdefghijklmnopqrst.supabase.co/auth/v1/.well-known/jwks.json", 3.0)]


def test_our_own_key_takes_the_same_way_without_the_network(monkeypatch, settings, tmp_path):
    monkeypatch.setattr(http, "request", lambda *_, **__: pytest.fail("the network was asked"))
    settings.SUPABASE_URL, settings.VAR_DIR = "", tmp_path
    ours = claims(iss="http://testserver/auth/v1")
    assert verify(own_keys.sign(ours), NOW)
    with pytest.raises(TokenRefused):
        verify(signed(ours), NOW)


def test_processes_that_start_together_agree_on_one_key(tmp_path):
    path = tmp_path / own_keys.FILE_NAME
    waiting = threading.Barrier(6)

    def start():
        waiting.wait()
        if not path.exists():
            own_keys._create(path)

    threads = [threading.Thread(target=start) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(tmp_path.iterdir()) == [path]
    assert path.stat().st_mode & 0o777 == 0o600
    first = path.read_bytes()
    own_keys._create(path)
    assert path.read_bytes() == first
