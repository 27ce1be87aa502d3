"""Stripe's signature: the vectors, and what the library alone would trip over."""

import base64
import hashlib
import hmac
import json
import time
from pathlib import Path

import pytest
from stripe import WebhookSignature

from webhooks.stripe.signature import is_genuine

SCHEME = json.loads((Path(__file__).parent / "vectors" / "signature-vectors.json").read_text())["schemes"]["stripe"]
VECTORS = [pytest.param(vector, id=vector["name"]) for vector in SCHEME["vectors"]]
SECRET, BODY = "whsec_test", '{"id": "evt_1"}'


def header(body: str = BODY, secret: str = SECRET, at: int | None = None) -> str:
    return WebhookSignature.generate_signature_header(body, secret, at)


@pytest.mark.parametrize("vector", VECTORS)
def test_every_vector_gets_its_verdict(vector, monkeypatch):
    monkeypatch.setattr(time, "time", lambda: vector["now"])
    body = base64.b64decode(vector["body_base64"])
    given = vector["headers"].get("Stripe-Signature", "")
    assert is_genuine(header=given, body=body, secrets=[vector["secret"]]) is vector["valid"]


def test_any_secret_will_do_while_one_is_rolled():
    assert is_genuine(header=header(), body=BODY.encode(), secrets=["whsec_newer", SECRET])
    assert is_genuine(header=header(), body=BODY.encode(), secrets=[SECRET, "whsec_older"])
    assert not is_genuine(header=header(), body=BODY.encode(), secrets=["whsec_newer", "whsec_older"])


def test_one_of_several_signatures_will_do():
    at = int(time.time())
    two = f"{header(secret='whsec_old', at=at)},{header(at=at).split(',')[1]}"
    assert is_genuine(header=two, body=BODY.encode(), secrets=[SECRET])


@pytest.mark.parametrize("secrets", [[], [""], ["  "]], ids=["none", "empty", "blank"])
def test_no_secret_fits_nothing(secrets):
    assert not is_genuine(header=header(secret=""), body=BODY.encode(), secrets=secrets)


@pytest.mark.parametrize(
    "given",
    ["", "t", "t=,v1=", "v1", "t=abc,v1=00", "garbage", "t=1,v1=\xe9", "t=\xb2,v1=00", ",", f"t={'9' * 5000},v1=00"],
    ids=range(10),
)
def test_a_malformed_header_is_refused_and_never_raises(given):
    assert not is_genuine(header=given, body=BODY.encode(), secrets=[SECRET])


def test_a_body_that_is_no_text_is_still_checked_by_its_bytes():
    body, at = b'\xff\xfe{"id"', int(time.time())
    digest = hmac.new(SECRET.encode(), b"%d." % at + body, hashlib.sha256).hexdigest()
    assert is_genuine(header=f"t={at},v1={digest}", body=body, secrets=[SECRET])
    assert not is_genuine(header=f"t={at},v1={digest}", body=b"\xff\xff" + body[2:], secrets=[SECRET])
