"""What the simulated provider knows: numbers, messages, states, and webhooks not yet delivered.

Everything is in memory and in an append-only file, written before an answer goes out: killed at any moment and started
again, it still knows what it accepted. A half-written last line was never answered for, and is dropped.
"""

import time
import uuid
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import orjson

JSON = dict[str, Any]
FILE_NAME = "simulator.jsonl"
# At a start, a file larger than this loses what is older than that.
COMPACT_BYTES = 16 * 1024 * 1024
KEEP_SECONDS = 2 * 86400.0


@dataclass(frozen=True, slots=True)
class Number:
    """A business number connected at the provider, and where its webhooks go."""

    phone_number_id: str
    phone: str
    channel: str
    secret: str
    api_key: str


@dataclass(frozen=True, slots=True)
class Peer:
    """The person at the other end."""

    wa_id: str = ""
    bsuid: str = ""
    username: str = ""
    name: str = ""

    @property
    def key(self) -> str:
        return self.wa_id or self.bsuid


@dataclass(frozen=True, slots=True)
class Message:
    id: str
    phone_number_id: str
    direction: str  # inbound or outbound
    peer: Peer
    content: JSON  # Meta's fields: type, the object of that name, context
    at: float
    origin: str = "cloud_api"
    to: str = ""  # as the sender of an outbound message wrote it
    callback_data: str = ""
    plan: str = "on"  # which statuses will be told of it, see behaviour.py
    code: int = 0  # the error when the plan is to fail

    @property
    def body(self) -> str:
        text = self.content.get("text")
        return str(text.get("body", "")) if isinstance(text, dict) else ""


@dataclass(frozen=True, slots=True)
class Hook:
    """A webhook on its way to the product."""

    key: str
    phone_number_id: str
    event: str
    body: str
    peer: str
    batch: int = 0
    form: str = "kapso"  # whose signature: kapso or meta
    singles: tuple[str, ...] = ()  # the bodies it falls back to when it is a batch that fails


@dataclass(slots=True)
class Ledger:
    """The one place that changes what is known. `path` None keeps nothing."""

    path: Path | None
    numbers: dict[str, Number] = field(default_factory=dict)
    messages: list[Message] = field(default_factory=list)
    states: dict[str, list[tuple[str, float]]] = field(default_factory=dict)
    hooks: dict[str, Hook] = field(default_factory=dict)  # not yet delivered
    _by_id: dict[str, Message] = field(default_factory=dict)
    _file: BinaryIO | None = None

    def open(self) -> None:
        if self.path is None:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if self.path.exists():
            for record in _read(self.path):
                self._apply(record)
            if self.path.stat().st_size > COMPACT_BYTES:
                self._compact(self.path)
        self._file = self.path.open("ab")
        _end_torn_line(self.path, self._file)

    def close(self) -> None:
        if self._file:
            self._file.close()

    def register(self, number: Number) -> None:
        self._write({"record": "number", **asdict(number)})

    def add(self, message: Message) -> None:
        self._write({"record": "message", **asdict(message)})

    def add_state(self, message: Message, status: str, at: float) -> None:
        self._write({"record": "state", "id": message.id, "status": status, "at": at})

    def owe(self, hook: Hook) -> None:
        """From now on this webhook is to be delivered, across restarts."""
        self._write({"record": "hook", **asdict(hook)})

    def settle(self, key: str) -> None:
        if key in self.hooks:
            self._write({"record": "settled", "key": key})

    def find(self, message_id: str) -> Message | None:
        return self._by_id.get(message_id)

    def states_of(self, message: Message) -> list[tuple[str, float]]:
        return self.states.get(message.id, [])

    def thread(self, phone_number_id: str, peer: Peer) -> list[Message]:
        return [
            message
            for message in self.messages
            if message.phone_number_id == phone_number_id and message.peer.key == peer.key
        ]

    def reset(self) -> None:
        """Forgets messages and webhooks; connected numbers stay connected."""
        numbers = list(self.numbers.values())
        self.messages, self.states, self.hooks, self._by_id = [], {}, {}, {}
        if self._file:
            self._file.truncate(0)
        for number in numbers:
            self.register(number)

    def _write(self, record: JSON) -> None:
        """On its way to the disk before it counts: the kernel keeps it when this process is killed."""
        if self._file:
            self._file.write(orjson.dumps(record) + b"\n")
            self._file.flush()
        self._apply(record)

    def _apply(self, record: JSON) -> None:
        kind, rest = record["record"], {name: value for name, value in record.items() if name != "record"}
        if kind == "number":
            self.numbers[rest["phone_number_id"]] = Number(**rest)
        elif kind == "message":
            message = Message(**rest | {"peer": Peer(**rest["peer"])})
            self.messages.append(message)
            self._by_id[message.id] = message
        elif kind == "state":
            self.states.setdefault(rest["id"], []).append((rest["status"], rest["at"]))
        elif kind == "hook":
            self.hooks[rest["key"]] = Hook(**rest | {"singles": tuple(rest["singles"])})
        elif kind == "settled":
            self.hooks.pop(rest["key"], None)

    def _compact(self, path: Path) -> None:
        since = time.time() - KEEP_SECONDS
        kept = [message for message in self.messages if message.at >= since]
        records: list[JSON] = [{"record": "number", **asdict(number)} for number in self.numbers.values()]
        for message in kept:
            records.append({"record": "message", **asdict(message)})
            states = self.states_of(message)
            records += [{"record": "state", "id": message.id, "status": name, "at": at} for name, at in states]
        records += [{"record": "hook", **asdict(hook)} for hook in self.hooks.values()]
        fresh = path.with_suffix(".new")
        fresh.write_bytes(b"".join(orjson.dumps(record) + b"\n" for record in records))
        fresh.replace(path)
        self.messages, self._by_id = kept, {message.id: message for message in kept}
        self.states = {message.id: self.states[message.id] for message in kept if message.id in self.states}


def conversation_id(phone_number_id: str, peer: Peer) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{phone_number_id}/{peer.key}"))


def _read(path: Path) -> Iterator[JSON]:
    with path.open("rb") as file:
        for line in file:
            try:
                record = orjson.loads(line)
            except orjson.JSONDecodeError:
                continue
            if isinstance(record, dict) and "record" in record:
                yield record


def _end_torn_line(path: Path, file: BinaryIO) -> None:
    """A kill in the middle of a write leaves half a line; the next record must not be glued to it."""
    with path.open("rb") as written:
        if written.seek(0, 2) and written.seek(-1, 2) >= 0 and written.read(1) != b"\n":
            file.write(b"\n")
            file.flush()
