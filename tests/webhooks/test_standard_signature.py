"""Standard Webhooks under both names: the vectors, and what the library alone would trip over."""

import base64
import hashlib
import hmac
import json
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from standardwebhooks import webhooks as library

from webhooks.standard.signature import is_genuine, signed

SCHEMES = json.loads((Path(__file__).parent / "vectors" / "signature-vectors.json").read_text())["schemes"]
VECTORS = [
    pytest.param(vector, id=f"{scheme}-{vector['name']}")
    for scheme in ("svix_standard_webhooks", "supabase_auth_hook")
    for vector in SCHEMES[scheme]["vectors"]
]
KEY = b"a-key-of-32-bytes-for-tests-only"
SECRET = "whsec_" + base64.b64encode(KEY).decode()
BODY = b'{"type": "user.created"}'


def headers(
    body: bytes = BODY, *, family: str = "webhook", at: int | None = None, message: str = "msg_1"
) -> dict[str, str]:
    at = at or int(time.time())
    digest = hmac.new(KEY, b"%s.%d." % (message.encode(), at) + body, hashlib.sha256).digest()
    return {
        f"{family}-id": message,
        f"{family}-timestamp": str(at),
        f"{family}-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def verdict(given: dict[str, str], body: bytes = BODY, secrets: tuple[str, ...] = (SECRET,)) -> bool:
    found = signed(given)
    return found is not None and is_genuine(found, body, secrets)


@pytest.mark.parametrize("vector", VECTORS)
def test_every_vector_gets_its_verdict(vector, monkeypatch):
    class Then(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.fromtimestamp(vector["now"], tz or UTC)

    monkeypatch.setattr(library, "datetime", Then)
    given = {name.lower(): value for name, value in vector["headers"].items()}
    assert verdict(given, base64.b64decode(vector["body_base64"]), (vector["secret"],)) is vector["valid"]


def test_both_families_of_names_are_taken_and_svix_wins():
    assert verdict(headers(family="svix"))
    assert verdict(headers(family="webhook"))
    wrong = headers(b"other", family="svix")
    assert not verdict({**headers(family="webhook"), **wrong})
    assert verdict({**headers(b"other", family="webhook"), **headers(family="svix")})


def test_the_future_counts_as_the_past_does():
    assert not verdict(headers(at=int(time.time()) + 310))
    assert not verdict(headers(at=int(time.time()) - 310))
    assert verdict(headers(at=int(time.time()) + 290))


@pytest.mark.parametrize("part", ["id", "timestamp", "signature"])
def test_a_missing_header_is_refused(part):
    assert not verdict({name: value for name, value in headers().items() if not name.endswith(part)})


@pytest.mark.parametrize(
    "value", ["garbage", "v1", "v1,", "v1,!!!", "v1,\xe9", ",", "v1a,AAAA", "v1,A,B", " ", "v2,AAAA"], ids=range(10)
)
def test_a_malformed_signature_is_refused_and_never_raises(value):
    assert not verdict({**headers(), "webhook-signature": value})


@pytest.mark.parametrize("value", ["soon", "nan", "1e400", "-1", "\xb2"], ids=range(5))
def test_a_malformed_time_is_refused_and_never_raises(value):
    assert not verdict({**headers(), "webhook-timestamp": value})


def test_rubbish_beside_a_right_signature_does_no_harm():
    right = headers()["webhook-signature"]
    assert verdict({**headers(), "webhook-signature": f"garbage v1a,AAAA {right}"})
    assert verdict({**headers(), "webhook-signature": f"v1,AAAA, {right}"})


@pytest.mark.parametrize("secrets", [(), ("",), ("whsec_",), ("whsec_\xe9",)], ids=range(4))
def test_no_usable_secret_fits_nothing(secrets):
    assert not verdict(headers(), secrets=secrets)


def test_any_secret_will_do_while_one_is_rotated():
    other = "whsec_" + base64.b64encode(b"another-key-of-32-bytes-for-test").decode()
    assert verdict(headers(), secrets=(other, SECRET))
    assert not verdict(headers(), secrets=(other,))


def test_a_body_that_is_no_text_is_still_checked_by_its_bytes():
    body = b"\xff\xfe{"
    assert verdict(headers(body), body)
    assert not verdict(headers(body), b"\xff\xff{")
