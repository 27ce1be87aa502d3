"""What is sent: the event as REST, the socket and the pull feed show it, in the envelope of Standard Webhooks."""

from datetime import datetime
from typing import Any

import orjson

from config.live.log import Logged

TEST_TYPE = "test.ping"
NOTES = "note."


def wants(event_types: list[str], event_type: str) -> bool:
    """No types named means all but private notes: those only by name."""
    if event_types:
        return event_type in event_types
    return not event_type.startswith(NOTES)


def of_event(event: Logged, workspace_slug: str) -> str:
    return _written(event.type, event.at, orjson.Fragment(event.json), event.seq, workspace_slug)


def of_test(subscription_id: object, at: datetime, workspace_slug: str) -> str:
    return _written(TEST_TYPE, at, {"subscription": str(subscription_id)}, None, workspace_slug)


def _written(type_: str, at: datetime, data: Any, seq: int | None, workspace_slug: str) -> str:
    body = {"type": type_, "timestamp": at, "data": data, "seq": seq, "workspace": workspace_slug}
    return orjson.dumps(body, option=orjson.OPT_UTC_Z).decode()
