import base64
import json
from pathlib import Path

import pytest

from webhooks.kapso.signature import challenge, is_genuine, is_genuine_delivery, kapso_signature, meta_signature

SCHEMES = json.loads((Path(__file__).parent / "vectors" / "signature-vectors.json").read_text())["schemes"]
VECTORS = [
    pytest.param(vector, id=f"{scheme}-{vector['name']}")
    for scheme in ("kapso", "meta_hub_256")
    for vector in SCHEMES[scheme]["vectors"]
]
BODY, SECRET = b'{"a": 1}', "a-secret"
GOOD = kapso_signature(SECRET, BODY)


@pytest.mark.parametrize("vector", VECTORS)
def test_every_vector_gets_its_verdict(vector):
    body = base64.b64decode(vector["body_base64"])

    assert body.decode() == vector["body"]
    assert is_genuine_delivery(vector["headers"], body, [vector["secret"]]) is vector["valid"]


@pytest.mark.parametrize("vector", VECTORS)
def test_our_own_signature_is_the_one_the_vector_expects(vector):
    sign = meta_signature if vector["expected_signature"].startswith("sha256=") else kapso_signature

    assert sign(vector["secret"], vector["body"].encode()) == vector["expected_signature"]


def test_header_names_are_found_in_any_case():
    assert is_genuine_delivery({"x-webhook-SIGNATURE": GOOD}, BODY, [SECRET])
    assert is_genuine_delivery({"x-hub-signature-256": f"sha256={GOOD}"}, BODY, [SECRET])


def test_any_secret_will_do_while_secrets_are_rotated():
    assert is_genuine(kapso=GOOD, meta=None, body=BODY, secrets=["newer", SECRET])
    assert is_genuine(kapso=GOOD, meta=None, body=BODY, secrets=[SECRET, "older"])
    assert not is_genuine(kapso=GOOD, meta=None, body=BODY, secrets=["newer", "older"])


def test_a_right_header_counts_beside_one_made_with_a_secret_we_do_not_hold():
    assert is_genuine(kapso=GOOD, meta=meta_signature("meta's own", BODY), body=BODY, secrets=[SECRET])


def test_an_empty_secret_or_none_at_all_fits_nothing():
    assert not is_genuine(kapso=kapso_signature("", BODY), meta=None, body=BODY, secrets=[""])
    assert not is_genuine(kapso=GOOD, meta=None, body=BODY, secrets=[])


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        GOOD.upper(),
        f" {GOOD}",
        f"{GOOD}\n",
        GOOD[:-1],
        f"{GOOD}0",
        f"sha256={GOOD}",
        f"sha1={GOOD}",
        f"{GOOD},{GOOD}",
        "g" * 64,
        "é" * 64,
        "٣" * 64,
        base64.b64encode(bytes.fromhex(GOOD)).decode(),
    ],
)
def test_a_malformed_kapso_header_is_refused(value):
    assert not is_genuine(kapso=value, meta=None, body=BODY, secrets=[SECRET])


@pytest.mark.parametrize(
    "value", [None, "", GOOD, "sha256=", f"SHA256={GOOD}", f"sha256={GOOD.upper()}", f"sha256= {GOOD}", f"sha1={GOOD}"]
)
def test_a_malformed_meta_header_is_refused(value):
    assert not is_genuine(kapso=None, meta=value, body=BODY, secrets=[SECRET])


def test_an_empty_body_can_be_signed():
    assert is_genuine(kapso=kapso_signature(SECRET, b""), meta=None, body=b"", secrets=[SECRET])


def test_the_challenge_is_answered_to_who_knows_the_token():
    query = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": "right"}

    assert challenge(query, ["other", "right"]) == "1158201444"


@pytest.mark.parametrize(
    "change",
    [
        {"hub.verify_token": "wrong"},
        {"hub.verify_token": ""},
        {"hub.verify_token": "\ud800"},
        {"hub.mode": "unsubscribe"},
        {"hub.mode": ""},
        {"hub.challenge": ""},
        {"hub.challenge": "<script>alert(1)</script>"},
        {"hub.challenge": "1\n"},
        {"hub.challenge": "1" * 257},
    ],
)
def test_the_challenge_is_refused_otherwise(change):
    query = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": "right"} | change

    assert challenge(query, ["right"]) is None
    assert challenge({}, ["right"]) is None


def test_a_channel_without_a_token_answers_no_challenge():
    query = {"hub.mode": "subscribe", "hub.challenge": "1", "hub.verify_token": ""}

    assert challenge(query, [""]) is None
    assert challenge(query, []) is None
