"""Answers of the simulated providers, and their ways of refusing: Graph's, Kapso's, Twilio's, Stripe's."""

import secrets
from dataclasses import dataclass, field
from typing import Any

from webhooks.simulator.state import JSON


@dataclass(frozen=True, slots=True)
class Reply:
    data: Any
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes | None = None  # instead of JSON


class Refused(Exception):
    def __init__(self, reply: Reply) -> None:
        super().__init__(str(reply.data))
        self.reply = reply


def graph_refusal(code: int, message: str, details: str = "", *, subcode: int = 0, status: int = 400) -> Refused:
    error: JSON = {"message": f"(#{code}) {message}", "type": "OAuthException", "code": code}
    if details:
        error["error_data"] = {"messaging_product": "whatsapp", "details": details}
    if subcode:
        error["error_subcode"] = subcode
    return Refused(Reply({"error": error | {"fbtrace_id": f"A{secrets.token_urlsafe(17)}"}}, status))


def kapso_refusal(status: int, error: str, message: str, headers: dict[str, str] | None = None) -> Refused:
    return Refused(Reply({"error": error, "message": message}, status, headers or {}))


def twilio_refusal(code: int, message: str, *, status: int = 400, headers: dict[str, str] | None = None) -> Refused:
    more = f"https://www.twilio.com/docs/errors/{code}"
    return Refused(
        Reply({"code": code, "message": message, "more_info": more, "status": status}, status, headers or {})
    )


def stripe_refusal(
    status: int, kind: str, message: str, *, code: str = "", param: str = "", headers: dict[str, str] | None = None
) -> Refused:
    error: JSON = {"type": kind, "message": message}
    error |= {name: value for name, value in (("code", code), ("param", param)) if value}
    return Refused(Reply({"error": error}, status, {"Request-Id": f"req_{secrets.token_hex(8)}"} | (headers or {})))
