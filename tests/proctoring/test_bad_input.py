"""What no client of ours sends, over real sockets and HTTP: each is told what was wrong with it, nothing of it is kept,
whoever sits beside goes on, and the server has nothing to explain in its log."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from django.test import override_settings
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from crm.models import User
from inbox.models import Message
from proctoring.models import Command, ConsentRecord, Exam, ExamSession, SessionDevice, SessionPulse, Violation
from tests.api import token_for
from tests.cast import unique
from tests.live.web import Web
from tests.proctoring.scene import Scene, enrol, item, make_scene, service_was_always_there, silent_for
from tests.proctoring.test_beats_live import PATIENCE, server

__all__ = ["server"]

# Stand for ids in what is sent: of one's own session, somebody else's, one's own that has ended
OWN, OTHERS, OVER = "<own>", "<others>", "<over>"
NOBODYS = str(uuid4())
DEEP = "[" * 15_000
LONG = "x" * 10_000
NUL = "a\x00b"
HUGE = "1" + "0" * 40


@dataclass
class Hall:
    scene: Scene
    ids: dict[str, str]
    http: httpx.Client

    def post(self, path: str, content: str | bytes, *, user: User | None = None) -> httpx.Response:
        """Sam, who is signed in, or somebody else."""
        token = token_for(user or self.scene.cast.sam)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        return self.http.post(f"/api/v1/sessions/{path}", content=content, headers=headers)

    def fill(self, text: str) -> str:
        for name, session in self.ids.items():
            text = text.replace(name, session)
        return text

    def kept(self) -> list[Any]:
        """All that stands of these sessions."""
        sessions = [UUID(session) for session in self.ids.values()]
        models = (SessionPulse, Violation, Command, SessionDevice, ConsentRecord)
        rows = [list(model.objects.filter(session__in=sessions).order_by("pk").values()) for model in models]
        said = Message.objects.filter(conversation__workspace=self.scene.cast.workspace).count()
        return [*rows, list(ExamSession.objects.filter(pk__in=sessions).order_by("pk").values()), said]


@pytest.fixture(scope="module")
def made(server: Web) -> Iterator[Hall]:
    with override_settings(SUPABASE_URL=""):
        service_was_always_there()
        scene = make_scene()
        exam = Exam.objects.create(workspace=scene.cast.workspace, slug=unique("exam"), title="Chemistry")
        earlier = replace(scene, exam=exam)
        enrol(earlier, scene.cast.sam)
        ids = {OWN: scene.start()["id"], OTHERS: scene.start(scene.sue)["id"], OVER: earlier.start()["id"]}
        assert scene.sam.post(f"/api/v1/sessions/{ids[OVER]}/end", {}).status_code == 200
        assert scene.beat(ids[OWN], seq=5, answered_count=4, device="first").status_code == 200
    with httpx.Client(base_url=f"http://127.0.0.1:{server.port}", trust_env=False, timeout=PATIENCE) as http:
        yield Hall(scene, ids, http)


@pytest.fixture
def hall(made: Hall, server: Web) -> Iterator[Hall]:
    for session in (made.ids[OWN], made.ids[OTHERS]):
        silent_for(session, 8)
    before, told = made.kept(), server.log.stat().st_size
    yield made
    assert made.kept() == before
    with socket_of(server, made.scene.sue) as beside:
        tell(beside, made.fill(json.dumps({"op": "beat", "session": OTHERS})))
        assert hear(beside)["op"] == "beat_ok"
    assert "Traceback" not in server.log.read_text()[told:]


@contextmanager
def socket_of(web: Web, user: User) -> Iterator[ClientConnection]:
    with connect(
        web.url, subprotocols=[Subprotocol("live.v1"), Subprotocol(f"bearer.{token_for(user)}")], proxy=None
    ) as socket:
        yield socket


def tell(socket: ClientConnection, frame: str | bytes) -> None:
    socket.send(frame)


def hear(socket: ClientConnection) -> dict[str, Any]:
    while (frame := json.loads(socket.recv(PATIENCE)))["op"] == "heads":
        pass
    return frame


# --- Beats, the same over both ------------------------------------------------------------------------------

NUMBERS = ("current_question", "answered_count", "timer_delay_ms", "idle_ms", "rtt_ms", "seq")
NO_NUMBERS = (
    "-1",
    "true",
    '"7"',
    "[]",
    "{}",
    "2147483648",
    "18446744073709551616",
    "-9223372036854775809",
    "1e308",
    HUGE,
)
FIELDS = {
    "question 1.5": ('"current_question":1.5', "invalid"),
    "question beyond": ('"current_question":41', "invalid"),
    "not a number": ('"rtt_ms":NaN', "invalid"),
    "half a character": ('"device":"\\ud800"', "invalid"),
    "deep": (f'"network":{DEEP}', "invalid"),
    "visibility": ('"visibility":"gone"', "invalid"),
    "visibility true": ('"visibility":true', "invalid"),
    "visibility list": ('"visibility":["hidden"]', "invalid"),
    "network number": ('"network":7', "invalid"),
    "network nested": ('"network":{"type":{"type":"wifi"}}', "invalid"),
    "network rtt": ('"network":{"type":"wifi","rtt_ms":-1}', "invalid"),
    "network null character": ('"network":"a\\u0000b"', "invalid"),
    "device number": ('"device":7', "invalid"),
    "device long": (f'"device":"{LONG}"', "invalid"),
    "device null character": ('"device":"a\\u0000b"', "invalid"),
    "seen word": ('"seen":"x"', "invalid"),
    "seen numbers": ('"seen":[7]', "invalid"),
    "seen nested": (f'"seen":[["{NOBODYS}"]]', "invalid"),
    "seen many": (f'"seen":{json.dumps([NOBODYS] * 51)}', "invalid"),
    "time word": ('"client_time":"yesterday"', "invalid"),
    "time number": ('"client_time":1800000000000', "invalid"),
    "time that is none": ('"client_time":"2026-13-45T99:00:00Z"', "invalid"),
    "time without zone": ('"client_time":"2026-11-22T12:00:00"', "invalid"),
    "from the future": ('"client_time":"2999-01-01T00:00:00Z"', "from_the_future"),
    "from the end of time": ('"client_time":"9999-12-31T23:59:59-23:59"', "from_the_future"),
    "out of order": ('"seq":4,"device":"first","answered_count":9', "beat_out_of_order"),
    "the same again": ('"seq":5,"device":"first","answered_count":9', "beat_out_of_order"),
}


@pytest.mark.parametrize("value", NO_NUMBERS)
def test_each_number_that_is_none_is_named(value: str, hall: Hall, server: Web):
    session, given = hall.ids[OWN], ",".join(f'"{name}":{value}' for name in NUMBERS)
    with socket_of(server, hall.scene.cast.sam) as socket:
        tell(socket, f'{{"op":"beat","session":"{session}",{given}}}')
        told = hear(socket)
    assert (told["code"], set(told["errors"])) == ("invalid", set(NUMBERS))
    answer = hall.post(f"{session}/heartbeat", f"{{{given}}}")
    assert (answer.status_code, set(answer.json()["errors"])) == (400, set(NUMBERS))


@pytest.mark.parametrize(("field", "code"), FIELDS.values(), ids=FIELDS)
def test_a_beat_that_is_not_right_is_refused_over_the_socket_and_http(field: str, code: str, hall: Hall, server: Web):
    sam, session = hall.scene.cast.sam, hall.ids[OWN]
    with socket_of(server, sam) as socket:
        tell(socket, f'{{"op":"beat","session":"{session}",{field}}}')
        told = hear(socket)
    assert (told["op"], told["code"]) == ("error", code), told
    answer = hall.post(f"{session}/heartbeat", f"{{{field}}}")
    assert (answer.json()["code"], answer.headers["content-type"]) == (code, "application/problem+json")
    assert answer.status_code in {400, 409}


SESSIONS = {
    "somebody else's": (OTHERS, "not_found"),
    "nobody's": (NOBODYS, "not_found"),
    "spelt otherwise": (NOBODYS.upper(), "not_found"),
    "without dashes": (NOBODYS.replace("-", ""), "not_found"),
    "a word": ("nonsense", "not_found"),
    "a long word": (LONG[:2_000], "not_found"),
    "after its end": (OVER, "session_ended"),
}


@pytest.mark.parametrize(("session", "code"), SESSIONS.values(), ids=SESSIONS)
def test_a_beat_for_what_is_not_ones_own_or_over_is_refused(session: str, code: str, hall: Hall, server: Web):
    sam, session = hall.scene.cast.sam, hall.fill(session)
    with socket_of(server, sam) as socket:
        tell(socket, json.dumps({"op": "beat", "session": session, "answered_count": 9}))
        assert hear(socket)["code"] == code
    answer = hall.post(f"{session}/heartbeat", '{"answered_count":9}')
    assert answer.json()["code"] == code


# --- What else comes up the socket ----------------------------------------------------------------------------

FRAMES: dict[str, tuple[str | bytes, str]] = {
    "nothing": ("", "invalid"),
    "half an object": ('{"op":', "invalid"),
    "a list": ("[]", "invalid"),
    "a word": ('"beat"', "invalid"),
    "null": ("null", "invalid"),
    "two at once": ('{"op":"ping"}{"op":"ping"}', "invalid"),
    "a null character": ("\x00", "invalid"),
    "bytes": (b"\x00\xff", "invalid"),
    "no op": ('{"session":"<own>"}', "invalid"),
    "an op that is a number": ('{"op":7}', "invalid"),
    "an op that is nested": ('{"op":{"op":"beat"}}', "invalid"),
    "an unknown op": ('{"op":"explode"}', "unknown_op"),
    "an op in capitals": ('{"op":"BEAT","session":"<own>"}', "unknown_op"),
    "an op with a null character": ('{"op":"beat\\u0000","session":"<own>"}', "unknown_op"),
    "a long op": (f'{{"op":"{LONG}"}}', "unknown_op"),
    "brackets": (DEEP, "invalid"),
    "brackets within": (f'{{"op":"beat","session":{DEEP}', "invalid"),
    "a beat without a session": ('{"op":"beat"}', "not_found"),
    "a beat for a number": ('{"op":"beat","session":7}', "not_found"),
    "a beat for a list": ('{"op":"beat","session":["<own>"]}', "not_found"),
    "a beat for a null character": ('{"op":"beat","session":"<own>\\u0000"}', "not_found"),
    "a beat for half a character": ('{"op":"beat","session":"\\ud800"}', "invalid"),
    "a topic that is a number": ('{"op":"subscribe","topic":7}', "invalid"),
    "a topic that is nested": ('{"op":"subscribe","topic":{"session":"<own>"}}', "invalid"),
    "no topic": ('{"op":"subscribe"}', "invalid"),
    "somebody else's session": ('{"op":"subscribe","topic":"session.<others>"}', "not_found"),
    "a session in capitals": (f'{{"op":"subscribe","topic":"session.{NOBODYS.upper()}"}}', "not_found"),
    "a topic with a null character": ('{"op":"subscribe","topic":"session.<own>\\u0000"}', "not_found"),
    "a long topic": (f'{{"op":"subscribe","topic":"session.{LONG}"}}', "not_found"),
    "an exam that is a statement": ('{"op":"subscribe","topic":"exam.\' or true --"}', "not_found"),
    "after minus one": ('{"op":"subscribe","topic":"session.<own>","after":-1}', "invalid"),
    "after a half": ('{"op":"subscribe","topic":"session.<own>","after":0.5}', "invalid"),
    "after a word": ('{"op":"subscribe","topic":"session.<own>","after":"7"}', "invalid"),
    "after true": ('{"op":"subscribe","topic":"session.<own>","after":true}', "invalid"),
    "after what no number is": (f'{{"op":"subscribe","topic":"session.<own>","after":{HUGE}}}', "invalid"),
    "leaving nothing": ('{"op":"unsubscribe","topic":[]}', "invalid"),
    "a token that is wrong": ('{"op":"token","token":"a.b.c"}', "token_invalid"),
    "a token of null characters": ('{"op":"token","token":"\\u0000"}', "token_invalid"),
    "a token that is a number": ('{"op":"token","token":7}', "invalid"),
    "a signal where one does not listen": ('{"op":"signal","topic":"session.<others>","type":"typing"}', "not_found"),
    "a signal without a topic": ('{"op":"signal","type":"typing"}', "invalid"),
}


@pytest.mark.parametrize(("frame", "code"), FRAMES.values(), ids=FRAMES)
def test_a_frame_that_is_not_right_is_refused_and_leaves_the_socket_open(
    frame: str | bytes, code: str, hall: Hall, server: Web
):
    with socket_of(server, hall.scene.cast.sam) as socket:
        tell(socket, hall.fill(frame) if isinstance(frame, str) else frame)
        told = hear(socket)
        assert (told["op"], told.get("code")) == ("error", code), told
        tell(socket, '{"op":"ping"}')
        assert hear(socket)["op"] == "pong"


def test_a_number_beyond_all_is_answered_by_a_reset(hall: Hall, server: Web):
    with socket_of(server, hall.scene.cast.sam) as socket:
        for after in (10**9, 2**63 - 1, 2**63, 2**64 - 1):
            tell(socket, hall.fill(f'{{"op":"subscribe","topic":"session.{OWN}","after":{after}}}'))
            assert hear(socket)["op"] == "reset", after


SHUT = {
    "too long a frame": (["x" * 70_000], 1009),
    "text that is none": ([b"\xff\xfe{}"], 1007),
    "a flood of beats": (['{"op":"beat","session":"nobody"}'] * 2_000, 4429),
    "a flood of nonsense": (["{"] * 2_000, 4429),
}


@pytest.mark.parametrize(("frames", "code"), SHUT.values(), ids=SHUT)
def test_who_goes_on_for_too_long_is_shut_out_with_a_code(frames: list[Any], code: int, hall: Hall, server: Web):
    with socket_of(server, hall.scene.cast.sam) as socket:
        with suppress(ConnectionClosed):
            for frame in frames:
                socket.send(hall.fill(frame) if isinstance(frame, str) else frame, text=True)
            while True:
                hear(socket)
        assert socket.close_code == code


# --- What else comes over HTTP --------------------------------------------------------------------------------

BODIES = {
    "half an object": '{"a":',
    "a word": '"x"',
    "a number": "7",
    "bytes": b"\x00\xff",
    "brackets": DEEP,
    "nested": "[" * 100 + "]" * 100,
    "not a number": '{"x":NaN}',
    "half a character": '{"note":"\\ud800","body":"\\ud800"}',
}
OF_ONE = ("heartbeat", "violations", "end", "hand", "consent", "commands", "chat", f"violations/{NOBODYS}/explanation")
WRONG = {
    "end: huge": ("end", f'{{"answered_count":{HUGE}}}'),
    "end: a word": ("end", '{"answered_count":"many"}'),
    "end: beyond an integer": ("end", '{"current_question":2147483648}'),
    "hand: null character": ("hand", '{"note":"a\\u0000b"}'),
    "hand: long": ("hand", f'{{"note":"{LONG}"}}'),
    "hand: nested": ("hand", '{"raised":{"raised":true}}'),
    "consent: nothing": ("consent", "{}"),
    "consent: null character": ("consent", '{"policy_version":"a\\u0000b"}'),
    "consent: list": ("consent", '{"policy_version":["1"]}'),
    "commands: none": ("commands", '{"commands":[]}'),
    "commands: words": ("commands", '{"commands":["x"]}'),
    "commands: state": ("commands", f'{{"commands":["{NOBODYS}"],"state":"expired"}}'),
    "commands: many": ("commands", json.dumps({"commands": [NOBODYS] * 101})),
    "chat: no id": ("chat", '{"body":"x"}'),
    "chat: null character": ("chat", f'{{"client_id":"{NOBODYS}","body":"a\\u0000b"}}'),
    "chat: list": ("chat", f'{{"client_id":"{NOBODYS}","body":["x"]}}'),
    "chat: nothing said": ("chat", f'{{"client_id":"{NOBODYS}","body":" "}}'),
    "violations: none": ("violations", '{"violations":[]}'),
    "violations: an object": ("violations", '{"violations":{"type":"paste"}}'),
    "violations: many": ("violations", json.dumps({"violations": [{}] * 101})),
    "violations: sent at no time": ("violations", json.dumps({"violations": [item()], "sent_at": "x"})),
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_body_that_cannot_be_read_is_refused_everywhere(body: str | bytes, hall: Hall):
    for path in OF_ONE:
        answer = hall.post(f"{hall.ids[OWN]}/{path}", body)
        assert answer.status_code in {400, 413}, (path, answer.text)
        assert answer.json()["code"] in {"invalid", "malformed", "too_large"}, (path, answer.text)


@pytest.mark.parametrize(("path", "body"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_in_a_body_is_said(path: str, body: str, hall: Hall):
    answer = hall.post(f"{hall.ids[OWN]}/{path}", body)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid"), answer.text


def test_what_is_somebody_elses_is_not_there(hall: Hall):
    """Neither for another student, nor for a tutor, a member or a stranger."""
    good = {"heartbeat": "{}", "violations": json.dumps({"violations": [item()]}), "end": "{}", "hand": "{}"}
    good |= {"chat": f'{{"client_id":"{NOBODYS}","body":"x"}}', "commands": f'{{"commands":["{NOBODYS}"]}}'}
    cast = hall.scene.cast
    for user in (hall.scene.sue, cast.tia, cast.ada, cast.cleo):
        for path, body in good.items():
            answer = hall.post(f"{hall.ids[OWN]}/{path}", body, user=user)
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), (path, answer.text)


# --- Entries of a batch: each gets an answer of its own -------------------------------------------------------

FAR = datetime.now(UTC) + timedelta(days=2)
ENTRIES: dict[str, tuple[Any, str]] = {
    "a number": (7, "invalid"),
    "null": (None, "invalid"),
    "a list": ([item()], "invalid"),
    "empty": ({}, "invalid"),
    "an id that is none": (item(client_id="x"), "invalid"),
    "a number below zero": (item(seq=-1), "invalid"),
    "a huge number": (item(seq=2**63), "invalid"),
    "a number that is a word": (item(seq="first"), "invalid"),
    "a type that is a number": ({**item(), "type": 7}, "unknown_type"),
    "a type that is not known": (item("explode"), "unknown_type"),
    "a type that is ours": (item("connection_lost"), "unknown_type"),
    "a type that is long": (item(LONG), "invalid"),
    "no time": (item(occurred_at="x"), "invalid"),
    "the end of time": (item(occurred_at="9999-12-31T23:59:59-23:59"), "invalid"),
    "the beginning of time": (item(occurred_at="0001-01-01T00:00:00+23:59"), "invalid"),
    "long before": (item(occurred_at="1970-01-01T00:00:00Z"), "before_the_session"),
    "from the future": (item(occurred_at=FAR.isoformat()), "from_the_future"),
    "a detail that is a list": (item(detail=[1]), "invalid"),
    "a detail that is long": (item(detail={"words": LONG}), "detail_too_long"),
    "a detail with a null character": (item(detail={"words": NUL}), "invalid"),
    "a name with a null character": (item(detail={NUL: 1}), "invalid"),
}


@pytest.mark.parametrize(("entry", "code"), ENTRIES.values(), ids=ENTRIES)
def test_a_broken_entry_is_answered_for_itself(entry: Any, code: str, hall: Hall):
    answer = hall.post(f"{hall.ids[OWN]}/violations", json.dumps({"violations": [entry]}))
    assert answer.status_code == 200, answer.text
    assert [(one["status"], one["code"]) for one in answer.json()["results"]] == [("rejected", code)]
