import base64
import hashlib
import json
from pathlib import Path

import pytest
from twilio.request_validator import RequestValidator

from webhooks.twilio.form import Parameters, read_form
from webhooks.twilio.signature import is_genuine

SCHEME = json.loads((Path(__file__).parent / "vectors" / "signature-vectors.json").read_text())["schemes"]["twilio"]
VECTORS = [pytest.param(vector, id=vector["name"]) for vector in SCHEME["vectors"]]
URL, TOKEN = "https://crm.example.test/webhooks/twilio/sms", "a-token"
FORM = "application/x-www-form-urlencoded; charset=UTF-8"
BODY = b"Body=Hi+there&From=%2B15551234567&Empty="


def sign(url: str = URL, body: bytes | None = BODY, token: str = TOKEN, algorithm: str = "HMAC_SHA1") -> str:
    parameters = read_form(body) if body is not None else Parameters()
    return str(RequestValidator(token).compute_signature(url, parameters, algorithm))


GOOD = sign()


def genuine(signature: str | None, **given: object) -> bool:
    values: dict[str, object] = {
        "url": URL,
        "body": BODY,
        "content_type": FORM,
        "signature": signature,
        "auth_tokens": [TOKEN],
        **given,
    }
    return is_genuine(**values)  # type: ignore[arg-type]


def headers(vector: dict[str, object], name: str) -> str | None:
    return {key.lower(): value for key, value in vector["headers"].items()}.get(name)


@pytest.mark.parametrize("vector", VECTORS)
def test_every_vector_gets_its_verdict(vector):
    settings = headers(vector, "x-twilio-webhooks-signature-settings")
    keys = {settings.split(",")[0].removeprefix("key="): vector["secret"]} if settings else {}
    assert (
        is_genuine(
            url=vector["url"],
            body=base64.b64decode(vector["body_base64"]),
            content_type=vector["headers"]["Content-Type"],
            signature=headers(vector, "x-twilio-signature"),
            settings=settings,
            auth_tokens=[] if settings else [vector["secret"]],
            shared_keys=keys,
        )
        is vector["valid"]
    )


@pytest.mark.parametrize("vector", VECTORS)
def test_the_parameters_of_every_vector_are_read_whole(vector):
    read = read_form(base64.b64decode(vector["body_base64"]), vector["headers"]["Content-Type"])
    assert {name: read.getlist(name) for name in read} == {
        name: [value] for name, value in vector["form_params"].items()
    }


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        " ",
        GOOD + "=",
        GOOD[:-1],
        GOOD + "\n",
        f" {GOOD}",
        f"{GOOD},{GOOD}",
        GOOD.swapcase(),
        base64.b64decode(GOOD).hex(),
        "é" * 28,
        "٣" * 27 + "=",
        "A" * 27 + "=",
        "\ud800",
    ],
)
def test_a_malformed_header_is_refused_and_nothing_raises(value):
    assert not genuine(value)


@pytest.mark.parametrize("body", [b"", b"{}", b"\xff\xfe", b"a=%ff", b"&&&", b"=", b"a" * 70_000, b"=&" * 5_000])
@pytest.mark.parametrize("content_type", ["", FORM, "application/json", "text/plain; charset=x", ";;"])
@pytest.mark.parametrize(
    "url", [URL, f"{URL}?bodySHA256=", f"{URL}?bodySHA256=é&a", "http://[::1]:8000/x", "http://a:b/"]
)
def test_odd_requests_are_refused_and_nothing_raises(url, content_type, body):
    assert not genuine("A" * 27 + "=", url=url, content_type=content_type, body=body)


def test_any_token_will_do_while_tokens_are_rotated():
    assert genuine(GOOD, auth_tokens=["newer", TOKEN])
    assert genuine(GOOD, auth_tokens=[TOKEN, "older"])
    assert not genuine(GOOD, auth_tokens=["newer", "older"])


def test_an_empty_token_or_none_at_all_fits_nothing():
    assert not genuine(sign(token=""), auth_tokens=[""])
    assert not genuine(GOOD, auth_tokens=[])


@pytest.mark.parametrize(
    ("signed", "ours"),
    [
        ("https://crm.example.test:443/in", "https://crm.example.test/in"),
        ("http://crm.example.test:80/in", "http://crm.example.test/in"),
        ("https://crm.example.test/in", "https://crm.example.test:8443/in"),
        ("https://crm.example.test:8443/in", "https://crm.example.test:8443/in"),
        ("https://crm.example.test/in?a=1", "https://crm.example.test:443/in?a=1"),
        ("http://[::1]/in", "http://[::1]:8000/in"),
        ("http://[::1]:80/in", "http://[::1]/in"),
    ],
)
def test_the_port_may_be_written_or_not(signed, ours):
    assert genuine(sign(signed), url=ours)


@pytest.mark.parametrize(
    "other", ["https://crm.example.test:444/in", "http://crm.example.test/in", "https://crm.example.test/IN"]
)
def test_another_address_is_another_request(other):
    assert not genuine(sign(other), url="https://crm.example.test/in")


def test_repeated_parameters_count_once_each_and_in_order():
    body = b"A=2&A=1&A=2&B="
    library = RequestValidator(TOKEN)
    assert genuine(library.compute_signature(URL + "A1A2B", {}), body=body)
    assert not genuine(library.compute_signature(URL + "A2A1B", {}), body=body)
    assert not genuine(library.compute_signature(URL + "A1A2", {}), body=body)


def test_values_are_not_trimmed_and_names_are_sorted_as_code_points():
    body = "b=+x+&a=1&Z=%F0%9F%99%82&ä=%0D%0A".encode()
    assert genuine(RequestValidator(TOKEN).compute_signature(URL + "Z🙂a1b x ä\r\n", {}), body=body)


def test_a_parameter_added_or_taken_away_is_noticed():
    assert not genuine(GOOD, body=BODY + b"&More=1")
    assert not genuine(GOOD, body=BODY.replace(b"&Empty=", b""))


def test_json_is_covered_by_the_hash_in_the_address():
    body = b'{"MessageSid": "SM1"}'
    url = f"{URL}?bodySHA256={hashlib.sha256(body).hexdigest()}"
    signature = sign(url, None)
    assert genuine(signature, url=url, body=body, content_type="application/json")
    assert not genuine(signature, url=url, body=body + b" ", content_type="application/json")
    assert not genuine(
        signature, url=url.replace("bodySHA256", "bodysha256"), body=body, content_type="application/json"
    )


def test_the_parameters_of_a_get_are_signed_with_the_address():
    url = f"{URL}?MessageSid=SM1&Body=Hi"
    assert genuine(sign(url, None), url=url, body=b"", content_type="")
    assert not genuine(sign(url, None), url=f"{url}!", body=b"", content_type="")


def test_a_shared_key_signs_under_its_own_name_and_algorithm():
    keys = {"webhooks_sharedkey_1": "shared"}
    for algorithm in ("HMAC_SHA256", "HMAC_SHA1"):
        settings = f"key=webhooks_sharedkey_1,algorithm={algorithm}"
        assert genuine(sign(token="shared", algorithm=algorithm), settings=settings, shared_keys=keys)
        assert not genuine(sign(algorithm=algorithm), settings=settings, shared_keys=keys)
    assert genuine(sign(token="shared"), settings="key=webhooks_sharedkey_1", shared_keys=keys)


@pytest.mark.parametrize(
    "settings",
    [
        "algorithm=HMAC_MD5",
        "key=webhooks_sharedkey_1,algorithm=none",
        "algorithm=HMAC_SHA256",
        "key=,algorithm=HMAC_SHA512",
    ],
)
def test_another_algorithm_than_the_header_names_is_refused(settings):
    assert not genuine(GOOD, settings=settings)


def test_the_longer_hash_needs_the_header():
    assert not genuine(sign(algorithm="HMAC_SHA256"))
