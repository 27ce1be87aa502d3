"""The text of every frame that goes down the socket. Frames of events are made once, by whoever publishes."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

OPTIONS = orjson.OPT_UTC_Z


def encode(value: Any) -> str:
    return orjson.dumps(value, option=OPTIONS).decode()


def event(topic: str, seq: int, type: str, version: int, at: datetime, data: str) -> str:  # noqa: A002
    """`data` is JSON already and is passed through unread."""
    return encode(
        {
            "op": "event",
            "topic": topic,
            "seq": seq,
            "type": type,
            "version": version,
            "at": at,
            "data": orjson.Fragment(data),
        }
    )


def together(topic: str, events: Sequence[str]) -> str:
    """Several events of one topic, in order, each as it would have come alone: for those who asked for it."""
    return encode({"op": "events", "topic": topic, "events": [orjson.Fragment(event) for event in events]})


def signal(topic: str, type: str, data: Mapping[str, Any]) -> str:  # noqa: A002
    return encode({"op": "signal", "topic": topic, "type": type, "data": data})


def subscribed(topic: str, seq: int) -> str:
    return encode({"op": "subscribed", "topic": topic, "seq": seq})


def reset(topic: str, seq: int, head: int) -> str:
    """`seq` is the number that cannot be resumed from, `head` the newest one."""
    return encode({"op": "reset", "topic": topic, "seq": seq, "head": head})


def heads(seqs: Mapping[str, int]) -> str:
    return encode({"op": "heads", "topics": dict(seqs)})


def renewed(expires_at: float | None) -> str:
    return encode({"op": "token_ok", "expires_at": expires_at})


def error(code: str, message: str, data: Mapping[str, Any] | None = None) -> str:
    """`topic` among the data says what was refused; what is None is left out."""
    named = {key: value for key, value in (data or {}).items() if value is not None}
    return encode({"op": "error", **named, "code": code, "message": message})


PONG = encode({"op": "pong"})
