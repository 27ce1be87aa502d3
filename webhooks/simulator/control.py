"""How tests and curious people steer the simulator: JSON under /_control/, from this machine only."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import orjson

from webhooks.simulator.behaviour import Wrong
from webhooks.simulator.customers import known, text
from webhooks.simulator.options import DEMO_API_KEY, DEMO_PHONE_NUMBER_ID
from webhooks.simulator.people import PEOPLE
from webhooks.simulator.replies import Reply
from webhooks.simulator.state import JSON, Message, Number, Peer
from webhooks.simulator.world import World

COUNT_LIMIT = 1000
WAIT_SECONDS = 30.0
_WRITE_FIELDS = {
    "from",
    "user_id",
    "username",
    "name",
    "text",
    "type",
    "content",
    "context",
    "count",
    "batch",
    "form",
    "origin",
    "timestamp",
    "ids",
    "phone_number_id",
    "wait",
}


async def answer(world: World, method: str, path: str, query: Mapping[str, str], raw: bytes) -> Reply:
    """Raises Wrong with a sentence about what cannot be done."""
    match method, path:
        case "GET", "health":
            return Reply({"ok": True})
        case "GET", "behaviour":
            return Reply(asdict(world.behaviour))
        case "POST", "behaviour":
            world.behaviour = world.behaviour.told(_object(raw))
            return Reply(asdict(world.behaviour))
        case "POST", "customer":
            return await _write(world, _object(raw))
        case "POST", "numbers":
            return _register(world, _object(raw))
        case "POST", "reset":
            await world.reset()
            return Reply({"ok": True})
        case "GET", "log":
            return _log(world, query)
        case "GET", "deliveries":
            attempts = [asdict(attempt) for attempt in world.courier.attempts]
            return Reply({"deliveries": attempts, "owed": len(world.ledger.hooks)})
    return Reply({"error": "There is no such control. docs/simulator.md lists them."}, 404)


def _object(raw: bytes) -> JSON:
    try:
        data = orjson.loads(raw or b"{}")
    except orjson.JSONDecodeError:
        data = None
    if not isinstance(data, dict):
        raise Wrong("Send a JSON object.")
    return data


def _register(world: World, data: JSON) -> Reply:
    fields = {"phone_number_id", "phone", "channel", "secret"}
    if not fields <= set(data) <= fields | {"api_key"} or not all(isinstance(value, str) for value in data.values()):
        raise Wrong("A number has phone_number_id, phone, channel, secret and perhaps api_key, all of them texts.")
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,60}", data["channel"]):
        raise Wrong("channel is the slug of a channel of the product.")
    world.ledger.register(Number(**{"api_key": DEMO_API_KEY} | data))
    return Reply({"ok": True})


def _log(world: World, query: Mapping[str, str]) -> Reply:
    """What was accepted, oldest first. Any field filters: ?callback_data=, ?to=, ?phone_number_id=…"""
    rows = [
        _row(world, message)
        for message in world.ledger.messages
        if message.direction == "outbound" and message.origin == "cloud_api"
    ]
    rows = [row for row in rows if all(str(row.get(name)) == value for name, value in query.items())]
    return Reply({"accepted": rows, "count": len(rows)})


def _row(world: World, message: Message) -> JSON:
    return {
        "id": message.id,
        "phone_number_id": message.phone_number_id,
        "to": message.to,
        "wa_id": message.peer.wa_id,
        "type": message.content["type"],
        "body": message.body,
        "reply_to": message.content.get("context", {}).get("id"),
        "callback_data": message.callback_data,
        "at": message.at,
        "states": [name for name, _ in world.ledger.states_of(message)],
    }


async def _write(world: World, data: JSON) -> Reply:
    unknown = set(data) - _WRITE_FIELDS
    if unknown:
        raise Wrong(f"There is no {', '.join(sorted(unknown))} to give.")
    number = _word(data, "phone_number_id") or DEMO_PHONE_NUMBER_ID
    if number not in world.ledger.numbers:
        raise Wrong(f"The number {number} is not connected here.")
    contents = _contents(data)
    messages, tasks = world.write(
        _peer(world, data),
        contents,
        phone_number_id=number,
        origin=_choice(data, "origin", ("cloud_api", "history_sync", "business_app")),
        at=_timestamp(data),
        batch=bool(data.get("batch")),
        form=_choice(data, "form", ("kapso", "meta")),
        ids=_ids(data, len(contents)),
    )
    return Reply(
        {"ids": [message.id for message in messages], "arrived": await _arrived(tasks, bool(data.get("wait")))}
    )


async def _arrived(tasks: "list[asyncio.Task[bool]]", wait: bool) -> bool | None:
    """Whether the product answered 200 to all of it; None when nobody waited for that."""
    if not wait:
        return None
    done, late = await asyncio.wait(tasks, timeout=WAIT_SECONDS)
    return not late and all(not task.cancelled() and task.result() for task in done)


def _peer(world: World, data: JSON) -> Peer:
    """Nobody named: somebody of the cast. `"from": null` with a `user_id` is a person without a number."""
    if "from" not in data and "user_id" not in data:
        return world.chance.choice(PEOPLE).peer
    digits = re.sub(r"[^0-9]", "", _word(data, "from"))
    user_id = _word(data, "user_id")
    if not digits and not user_id:
        raise Wrong("Say from which number, or with which user_id.")
    member = known(digits, user_id) or Peer()
    return Peer(
        wa_id=digits,
        bsuid=user_id or member.bsuid,
        username=_word(data, "username") or member.username,
        name=_word(data, "name") or member.name,
    )


def _contents(data: JSON) -> list[JSON]:
    count = data.get("count", 1)
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= COUNT_LIMIT:
        raise Wrong(f"count is a whole number from 1 to {COUNT_LIMIT}.")
    kind = _word(data, "type") or "text"
    extra = {"context": data["context"]} if isinstance(data.get("context"), dict) else {}
    if kind != "text":
        content = data.get("content")
        if not isinstance(content, dict | list):
            raise Wrong(f"For the type {kind}, content is the object that WhatsApp puts under that name.")
        return [{"type": kind, kind: content, **extra} for _ in range(count)]
    body = _word(data, "text") or "Hello"
    lines = [body] if count == 1 else [f"{body} {place}" for place in range(1, count + 1)]
    return [{**text(line), **extra} for line in lines]


def _ids(data: JSON, count: int) -> list[str] | None:
    """Chosen ids, to send the same message twice."""
    ids = data.get("ids")
    if ids is None:
        return None
    if not isinstance(ids, list) or len(ids) != count or not all(isinstance(one, str) and one for one in ids):
        raise Wrong(f"ids is a list of {count} texts.")
    return ids


def _timestamp(data: JSON) -> float | None:
    at = data.get("timestamp")
    if at is not None and (isinstance(at, bool) or not isinstance(at, int | float)):
        raise Wrong("timestamp is in seconds since 1970.")
    return at


def _word(data: JSON, name: str) -> str:
    value: Any = data.get(name)
    if value is not None and not isinstance(value, str):
        raise Wrong(f"{name} is a text.")
    return value or ""


def _choice(data: JSON, name: str, among: tuple[str, ...]) -> str:
    value = _word(data, name) or among[0]
    if value not in among:
        raise Wrong(f"{name} is one of {', '.join(among)}.")
    return value
