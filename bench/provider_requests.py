"""One signed request of each provider, as bytes for the wire. The secrets are the bench's own."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

STRIPE_SECRET = "whsec_bench_stripe"
STANDARD_KEY = b"a benchmark's thirty-two bytes!!"
STANDARD_SECRET = f"whsec_{base64.b64encode(STANDARD_KEY).decode()}"
TWILIO_TOKEN = "bench-twilio-token"

Built = tuple[dict[str, str], bytes]


def request(spec: dict[str, Any], key: str) -> bytes:
    return _laid_out(spec, *BUILDERS[spec["provider"]](spec, key))


def _laid_out(spec: dict[str, Any], headers: dict[str, str], body: bytes) -> bytes:
    lines = [
        f"POST {spec['path']} HTTP/1.1",
        f"Host: 127.0.0.1:{spec['port']}",
        f"Content-Length: {len(body)}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def _kapso(spec: dict[str, Any], key: str) -> Built:
    example = spec["example"]
    message = {**example, "message": {**example["message"], "id": f"wamid.{key}"}}
    body = _dumps(message)
    return {
        "User-Agent": "Kapso-Webhooks/1.0",
        "Content-Type": "application/json",
        "X-Webhook-Event": "whatsapp.message.received",
        "X-Webhook-Payload-Version": "v2",
        "X-Idempotency-Key": key,
        "X-Webhook-Signature": hmac.digest(spec["secret"].encode(), body, hashlib.sha256).hex(),
    }, body


def _twilio(spec: dict[str, Any], key: str) -> Built:
    sid = f"SM{hashlib.md5(key.encode()).hexdigest()}"  # an id, not a secret
    fields = {
        "MessageSid": sid,
        "SmsMessageSid": sid,
        "SmsSid": sid,
        "AccountSid": "AC00000000000000000000000000000009",
        "ApiVersion": "2010-04-01",
        "From": "+14155550123",
        "To": "+15550100008",
        "Body": "Does the course start on Monday?",
        "NumMedia": "0",
        "NumSegments": "1",
        "SmsStatus": "received",
        "FromCity": "SAN FRANCISCO",
        "FromState": "CA",
        "FromCountry": "US",
    }
    signed = spec["public_url"] + spec["path"] + "".join(name + fields[name] for name in sorted(fields))
    digest = hmac.digest(TWILIO_TOKEN.encode(), signed.encode(), hashlib.sha1)
    return {
        "User-Agent": "TwilioProxy/1.1",
        "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
        "I-Twilio-Idempotency-Token": key,
        "X-Twilio-Signature": base64.b64encode(digest).decode(),
    }, urlencode(fields).encode()


def _stripe(spec: dict[str, Any], key: str) -> Built:
    body = _dumps(
        {
            "id": f"evt_{key}",
            "object": "event",
            "api_version": "2026-10-28.endive",
            "created": int(time.time()),
            "livemode": False,
            "pending_webhooks": 1,
            "request": {"id": None, "idempotency_key": None},
            "type": "customer.subscription.updated",
            "data": {
                "object": {
                    "id": "sub_bench",
                    "object": "subscription",
                    "customer": "cus_bench",
                    "status": "active",
                    "cancel_at": None,
                    "cancel_at_period_end": False,
                    "metadata": {},
                    "items": {
                        "object": "list",
                        "data": [{"id": "si_1", "current_period_end": 1766260790, "price": {"id": "price_1"}}],
                    },
                }
            },
        }
    )
    now = int(time.time())
    digest = hmac.digest(STRIPE_SECRET.encode(), f"{now}.".encode() + body, hashlib.sha256).hex()
    return {"Content-Type": "application/json", "Stripe-Signature": f"t={now},v1={digest}"}, body


def _identity(spec: dict[str, Any], key: str) -> Built:
    body = _dumps({"type": "user.updated", "object": "event", "data": {"id": f"user_{key}", "email_addresses": []}})
    return _standard(f"msg_{key}", body, "svix"), body


SCORE: dict[str, Any] = {
    "quiz_code": "BENCH1",
    "exam_id": "exam-1",
    "nickname": "Swift Otter",
    "score": 7,
    "max_score": 10,
    "submitted_at": "2026-01-02T03:04:05Z",
}


def _scores(spec: dict[str, Any], key: str) -> Built:
    body = _dumps({**SCORE, "submission_id": key})
    return _standard(f"msg_{key}", body, "webhook"), body


def score_request(port: int, fields: dict[str, Any]) -> bytes:
    """A push of these fields; a correction is another message than the score it corrects."""
    body = _dumps({**SCORE, **fields})
    key = str(fields.get("correction_id") or fields["submission_id"])
    return _laid_out({"port": port, "path": "/webhooks/scores"}, _standard(f"msg_{key}", body, "webhook"), body)


def _standard(name: str, body: bytes, prefix: str) -> dict[str, str]:
    now = int(time.time())
    digest = hmac.digest(STANDARD_KEY, f"{name}.{now}.".encode() + body, hashlib.sha256)
    return {
        "Content-Type": "application/json",
        f"{prefix}-id": name,
        f"{prefix}-timestamp": str(now),
        f"{prefix}-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def _dumps(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


BUILDERS: dict[str, Callable[[dict[str, Any], str], Built]] = {
    "kapso": _kapso,
    "twilio": _twilio,
    "stripe": _stripe,
    "identity": _identity,
    "scores": _scores,
}
