"""How tests and curious people steer the simulator: JSON under /_control/, from this machine only."""

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

import orjson

from webhooks.simulator.behaviour import Wrong
from webhooks.simulator.customers import known, text
from webhooks.simulator.emitters import Posted
from webhooks.simulator.options import DEMO_ACCOUNT_SID, DEMO_API_KEY, DEMO_PHONE_NUMBER_ID
from webhooks.simulator.people import NUMBERED, PEOPLE
from webhooks.simulator.pictures import SAMPLES
from webhooks.simulator.replies import Reply
from webhooks.simulator.state import JSON, Account, File, Message, Number, Peer, Text
from webhooks.simulator.twilio import new_sid
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
    "sample",
    "caption",
    "react",
    "emoji",
    "edit",
    "revoke",
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
        case "POST", "texts":
            return await _write_texts(world, _object(raw))
        case "POST", "numbers":
            return _register(world, _object(raw))
        case "POST", "accounts":
            return _connect(world, _object(raw))
        case "POST", "stripe":
            return await _emit(world.emitters.stripe, _object(raw))
        case "POST", "identity":
            return await _emit(world.emitters.identity, _object(raw))
        case "POST", "scores":
            return await _emit(world.emitters.scores, _object(raw))
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


def _connect(world: World, data: JSON) -> Reply:
    fields = {"sid", "auth_token", "phone", "channel"}
    if set(data) != fields or not all(isinstance(value, str) for value in data.values()):
        raise Wrong("An account has sid, auth_token, phone and channel, all of them texts.")
    if not re.fullmatch(r"AC[0-9a-f]{32}", data["sid"]) or not re.fullmatch(r"[A-Za-z0-9_-]{1,60}", data["channel"]):
        raise Wrong("sid is AC and 32 hex digits, channel the slug of a channel of the product.")
    world.ledger.connect(Account(**data))
    return Reply({"ok": True})


async def _emit(emit: Callable[[JSON], Posted], data: JSON) -> Reply:
    told, tasks = emit({name: value for name, value in data.items() if name != "wait"})
    return Reply({**told, "arrived": await _arrived(tasks, bool(data.get("wait")))})


def _log(world: World, query: Mapping[str, str]) -> Reply:
    """What was accepted, oldest first. Any field filters: ?callback_data=, ?to=, ?phone_number_id=, ?provider=…"""
    rows = [
        _row(world, message)
        for message in world.ledger.messages
        if message.direction == "outbound" and message.origin == "cloud_api"
    ]
    rows += [_text_row(world, text) for text in world.ledger.texts.values() if text.direction == "outbound-api"]
    rows.sort(key=lambda row: float(row["at"]))
    rows = [row for row in rows if all(str(row.get(name)) == value for name, value in query.items())]
    return Reply({"accepted": rows, "count": len(rows)})


def _row(world: World, message: Message) -> JSON:
    return {
        "id": message.id,
        "provider": "kapso",
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


def _text_row(world: World, text: Text) -> JSON:
    return {
        "id": text.id,
        "provider": "twilio",
        "account": text.account,
        "to": text.to,
        "from": text.from_,
        "type": "text",
        "body": text.body,
        "media": [text.more["MediaUrl"]] if "MediaUrl" in text.more else [],
        "status_callback": text.callback,
        "at": text.at,
        "states": [name for name, _ in world.ledger.states_of(text)],
    }


async def _write(world: World, data: JSON) -> Reply:
    unknown = set(data) - _WRITE_FIELDS
    if unknown:
        raise Wrong(f"There is no {', '.join(sorted(unknown))} to give.")
    number = _word(data, "phone_number_id") or DEMO_PHONE_NUMBER_ID
    if number not in world.ledger.numbers:
        raise Wrong(f"The number {number} is not connected here.")
    contents = _special(world, data) or _contents(data)
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


def _special(world: World, data: JSON) -> list[JSON]:
    """A file made in code, a reaction, or an earlier message changed or taken back; none of these: nothing."""
    kind = _word(data, "sample")
    if kind:
        if kind not in SAMPLES:
            raise Wrong(f"sample is one of {', '.join(SAMPLES)}.")
        content, _ = world.sample(kind)
        if _word(data, "caption"):
            content[kind]["caption"] = _word(data, "caption")
        return [content]
    if _word(data, "react"):
        reaction = {"message_id": _word(data, "react")} | ({"emoji": data["emoji"]} if _word(data, "emoji") else {})
        return [{"type": "reaction", "reaction": reaction}]
    if _word(data, "edit"):
        edited = {"original_message_id": _word(data, "edit"), "message": text(_word(data, "text") or "Changed")}
        return [{"type": "edit", "edit": edited}]
    if _word(data, "revoke"):
        return [{"type": "revoke", "revoke": {"original_message_id": _word(data, "revoke")}}]
    return []


async def _write_texts(world: World, data: JSON) -> Reply:
    """Somebody writes to the number at Twilio: by SMS, or on WhatsApp where `from` says so."""
    known_fields = {"account", "from", "name", "text", "count", "sample", "params", "timestamp", "ids", "wait"}
    unknown = set(data) - known_fields
    if unknown:
        raise Wrong(f"There is no {', '.join(sorted(unknown))} to give.")
    account = world.ledger.accounts.get(_word(data, "account") or DEMO_ACCOUNT_SID)
    if account is None:
        raise Wrong("That account is not connected here.")
    from_ = _word(data, "from") or f"+{world.chance.choice(NUMBERED).peer.wa_id}"
    if not re.fullmatch(r"(whatsapp:)?\+?[0-9]{3,15}", from_):
        raise Wrong("from is a number, perhaps with whatsapp: before it.")
    params = data.get("params", {})
    if not isinstance(params, dict) or not all(isinstance(value, str) for value in params.values()):
        raise Wrong("params are further parameters of the webhook, all of them texts.")
    contents = _contents({"text": _word(data, "text"), "count": data.get("count", 1)})
    bodies = [content["text"]["body"] for content in contents]
    files: tuple[File, ...] = ()
    if _word(data, "sample"):
        files, bodies = (_text_sample(world, _word(data, "sample")),), [_word(data, "text")]
    name = {"ProfileName": _word(data, "name")} if _word(data, "name") else {}
    texts, tasks = world.twilio.write(
        account, from_, bodies, files=files, more=name | params, at=_timestamp(data), ids=_ids(data, len(bodies))
    )
    return Reply({"ids": [one.id for one in texts], "arrived": await _arrived(tasks, bool(data.get("wait")))})


def _text_sample(world: World, kind: str) -> File:
    if kind not in SAMPLES:
        raise Wrong(f"sample is one of {', '.join(SAMPLES)}.")
    name, content_type, content = SAMPLES[kind](world.chance)
    return world.files.add(content, id_=new_sid("ME"), name=name, content_type=content_type)


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
