"""Answers of the simulated provider, and its two ways of refusing: Graph's object and Kapso's sentence."""

import secrets
from dataclasses import dataclass, field

from webhooks.simulator.state import JSON


@dataclass(frozen=True, slots=True)
class Reply:
    data: JSON
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


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
