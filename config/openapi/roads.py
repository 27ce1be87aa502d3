"""Roads that answer before Django, described by hand: providers' webhooks."""

from typing import Any

Json = dict[str, Any]
FIRST = (
    "Checked in this order: size, channel, signature, body. Once it is kept the answer goes out; the rest is a job's."
)


def _text(name: str, words: str) -> Json:
    return {"in": "header", "name": name, "required": True, "schema": {"type": "string"}, "description": words}


CHANNEL: Json = {
    "in": "path",
    "name": "channel",
    "required": True,
    "schema": {"type": "string"},
    "description": "The channel's slug, in any case.",
}
STANDARD = [
    _text("webhook-id", "The delivery's id; `svix-id` is read too."),
    _text("webhook-timestamp", "Seconds since 1970, at most five minutes off."),
    _text(
        "webhook-signature", "`v1,` and the base64 HMAC-SHA256 of id, timestamp and body; several with spaces between."
    ),
]
EVENT: Json = {"type": "object", "additionalProperties": True}
FORM: Json = {"type": "object", "additionalProperties": {"type": "string"}}
KEPT: Json = {"description": "Kept, or known already; also for a kind that is not acted on."}
TWIML: Json = {
    **KEPT,
    "content": {"text/xml": {"schema": {"type": "string"}, "example": "<Response/>"}},
}
SCORE: Json = {
    "type": "object",
    "properties": {
        "submission_id": {"type": "string"},
        "quiz_code": {"type": "string"},
        "exam_id": {"type": "string"},
        "nickname": {"type": "string"},
        "score": {"type": "number"},
        "max_score": {"type": "number"},
        "submitted_at": {"type": "string", "format": "date-time"},
        "correction_id": {"type": "string", "description": "Makes this a correction of a score pushed before."},
    },
    "required": ["submission_id", "quiz_code", "nickname", "score", "max_score", "submitted_at"],
}


def _post(name: str, words: str, schema: Json, parameters: list[Json], form: bool = False) -> Json:
    kind = "application/x-www-form-urlencoded" if form else "application/json"
    return {
        "post": {
            "operationId": name,
            "description": f"{words} {FIRST}",
            "parameters": parameters,
            "requestBody": {"required": True, "content": {kind: {"schema": schema}}},
            "responses": {"200": dict(TWIML if form else KEPT)},
        }
    }


def add(document: Json) -> None:
    """Only where the document is of the whole product."""
    paths = document["paths"]
    twilio = [CHANNEL, _text("X-Twilio-Signature", "HMAC-SHA1 over the address and the sorted fields.")]
    paths["/webhooks/kapso/{channel}"] = {
        **_post(
            "receive_kapso",
            "WhatsApp messages and what became of sent ones, one or a batch, from Kapso or straight from Meta.",
            EVENT,
            [
                CHANNEL,
                _text("X-Webhook-Signature", "Hexadecimal HMAC-SHA256 of the body; Meta's `X-Hub-Signature-256`."),
            ],
        ),
        "get": {
            "operationId": "verify_kapso",
            "description": "Meta asks whether this address is ours, and is given back its challenge.",
            "parameters": [
                CHANNEL,
                *(
                    {"in": "query", "name": f"hub.{name}", "required": True, "schema": {"type": "string"}}
                    for name in ("mode", "verify_token", "challenge")
                ),
            ],
            "responses": {
                "200": {
                    "description": "The challenge.",
                    "content": {"text/plain": {"schema": {"type": "string"}, "example": "1158201444"}},
                }
            },
        },
    }
    paths["/webhooks/twilio/{channel}"] = _post(
        "receive_twilio", "A message from a customer, SMS or WhatsApp.", FORM, twilio, form=True
    )
    paths["/webhooks/twilio/{channel}/status"] = _post(
        "receive_twilio_status", "What became of a message that was sent.", FORM, twilio, form=True
    )
    paths["/webhooks/stripe"] = _post(
        "receive_stripe",
        "Subscriptions, invoices and payments.",
        EVENT,
        [_text("Stripe-Signature", "`t=` and `v1=`, at most five minutes old.")],
    )
    paths["/webhooks/identity"] = _post(
        "receive_identity", "Users created, changed and deleted, and what they tried to pay.", EVENT, STANDARD
    )
    paths["/webhooks/scores"] = _post(
        "receive_score",
        "A score for a board. The same submission again changes nothing; another score for it needs `correction_id`.",
        SCORE,
        STANDARD,
    )
