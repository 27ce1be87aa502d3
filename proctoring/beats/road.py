"""The hot road of beats over HTTP, and the socket's operation: both end in the same batch."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson

from config.errors import Invalid, NotFound, NotSignedIn
from config.hot import Answer, MethodNotAllowed, Request, road
from config.live.ops import Client, register_op
from proctoring.beats.callers import refuse_strangers, student_of
from proctoring.beats.taking import take_beat
from proctoring.guests import student_behind

PREFIX = "/api/v1/sessions/"
SUFFIX = "/heartbeat"
MOST = 16 * 1024


def is_heartbeat(path: str) -> bool:
    return path.startswith(PREFIX) and path.endswith(SUFFIX)


async def _handle(request: Request, rest: str) -> Answer:
    if request.method != "POST":
        raise MethodNotAllowed("POST")
    request.check_size(MOST)
    student = await student_of(request)
    session_id = _session_id(rest.removesuffix(SUFFIX))
    body = _object(await request.body(MOST))
    try:
        answer = await take_beat(body, session_id=session_id, student=student)
    except NotFound:
        await refuse_strangers(request)
        raise
    return Answer(200, orjson.dumps(answer, option=orjson.OPT_UTC_Z), headers=(("Cache-Control", "no-store"),))


def _session_id(text: object) -> UUID:
    try:
        found = UUID(text) if isinstance(text, str) else None
    except ValueError:
        found = None
    if found is None or str(found) != text:
        raise NotFound
    return found


def _object(raw: bytes) -> Mapping[str, Any]:
    try:
        body = orjson.loads(raw) if raw.strip() else {}
    except ValueError:
        raise Invalid("That is not JSON.") from None
    if not isinstance(body, dict):
        raise Invalid("A beat is an object.")
    return body


heartbeat = road(PREFIX, _handle)


async def beat_op(client: Client, frame: Mapping[str, Any]) -> Mapping[str, Any]:
    """`{"op":"beat","session":ID,…}`, answered by `beat_ok` after the commit."""
    student = student_behind(client.identity)
    if student is None:
        raise NotSignedIn
    session_id = _session_id(frame.get("session"))
    return {"op": "beat_ok", **await take_beat(frame, session_id=session_id, student=student)}


def register() -> None:
    register_op("beat", beat_op)
