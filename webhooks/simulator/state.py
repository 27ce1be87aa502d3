"""What the simulated providers know: numbers, accounts, messages, states, files, and webhooks not yet delivered.

Everything is in memory and in an append-only file, written before an answer goes out: killed at any moment and started
again, it still knows what it accepted. A half-written last line was never answered for, and is dropped.
"""

import time
import uuid
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
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
class Account:
    """A Twilio account with its one number, and where its webhooks go."""

    sid: str
    auth_token: str
    phone: str
    channel: str


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
class Text:
    """A message at Twilio: SMS, or WhatsApp where the addresses say so."""

    id: str  # the MessageSid
    account: str
    direction: str  # inbound, outbound-api or outbound-reply
    from_: str
    to: str
    body: str
    at: float
    media: tuple[str, ...] = ()  # ids of files
    service: str = ""
    callback: str = ""  # where statuses go, as the sender wrote it
    more: dict[str, str] = field(default_factory=dict)  # further parameters of an inbound one
    plan: str = "on"
    code: int = 0

    @property
    def is_whatsapp(self) -> bool:
        return self.to.startswith("whatsapp:")

    @property
    def peer(self) -> str:
        return self.from_ if self.direction == "inbound" else self.to


@dataclass(frozen=True, slots=True)
class File:
    """What was uploaded here or made up here; its bytes lie beside the ledger."""

    id: str
    token: str  # opens it without any key, as the storage addresses of the real ones do
    name: str
    content_type: str
    size: int
    sha256: str
    owner: str = ""  # the number or account


@dataclass(frozen=True, slots=True)
class Hook:
    """A webhook on its way to the product."""

    key: str
    phone_number_id: str
    event: str
    body: str
    peer: str
    batch: int = 0
    form: str = "kapso"  # whose signature: kapso, meta, twilio, stripe, svix or standard
    singles: tuple[str, ...] = ()  # the bodies it falls back to when it is a batch that fails
    url: str = ""  # where the form alone does not say


@dataclass(slots=True)
class Ledger:
    """The one place that changes what is known. `path` None keeps nothing."""

    path: Path | None
    numbers: dict[str, Number] = field(default_factory=dict)
    messages: list[Message] = field(default_factory=list)
    states: dict[str, list[tuple[str, float]]] = field(default_factory=dict)
    hooks: dict[str, Hook] = field(default_factory=dict)  # not yet delivered
    accounts: dict[str, Account] = field(default_factory=dict)
    texts: dict[str, Text] = field(default_factory=dict)
    opted_out: set[tuple[str, str]] = field(default_factory=set)  # our sender, their address
    files: dict[str, File] = field(default_factory=dict)
    objects: dict[str, JSON] = field(default_factory=dict)  # Stripe's, by id
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

    def connect(self, account: Account) -> None:
        self._write({"record": "account", **asdict(account)})

    def add_text(self, text: Text) -> None:
        self._write({"record": "text", **asdict(text)})

    def add_file(self, file: File) -> None:
        self._write({"record": "file", **asdict(file)})

    def put(self, thing: JSON) -> None:
        """One of Stripe's objects as it is from now on."""
        self._write({"record": "object", "data": thing})

    def opt(self, sender: str, address: str, *, out: bool) -> None:
        self._write({"record": "opt", "sender": sender, "address": address, "out": out})

    def planned(self, message: Message, plan: str, code: int) -> Message:
        """The same message with another outcome ahead. Not kept: after a restart it is found out again."""
        changed = replace(message, plan=plan, code=code)
        self.messages[self.messages.index(message)] = changed
        self._by_id[message.id] = changed
        return changed

    def add_state(self, message: Message | Text, status: str, at: float) -> None:
        self._write({"record": "state", "id": message.id, "status": status, "at": at})

    def owe(self, hook: Hook) -> None:
        """From now on this webhook is to be delivered, across restarts."""
        self._write({"record": "hook", **asdict(hook)})

    def settle(self, key: str) -> None:
        if key in self.hooks:
            self._write({"record": "settled", "key": key})

    def find(self, message_id: str) -> Message | None:
        return self._by_id.get(message_id)

    def states_of(self, message: Message | Text) -> list[tuple[str, float]]:
        return self.states.get(message.id, [])

    def thread(self, phone_number_id: str, peer: Peer) -> list[Message]:
        return [
            message
            for message in self.messages
            if message.phone_number_id == phone_number_id and message.peer.key == peer.key
        ]

    def reset(self) -> None:
        """Forgets messages and webhooks; connected numbers and accounts stay connected."""
        numbers, accounts = list(self.numbers.values()), list(self.accounts.values())
        self.messages, self.states, self.hooks, self._by_id = [], {}, {}, {}
        self.texts, self.opted_out, self.files, self.objects = {}, set(), {}, {}
        if self._file:
            self._file.truncate(0)
        for number in numbers:
            self.register(number)
        for account in accounts:
            self.connect(account)

    def _write(self, record: JSON) -> None:
        """On its way to the disk before it counts: the kernel keeps it when this process is killed."""
        if self._file:
            self._file.write(orjson.dumps(record) + b"\n")
            self._file.flush()
        self._apply(record)

    def _apply(self, record: JSON) -> None:
        """What an earlier release wrote is read too: fields that came later have defaults."""
        kind, rest = record["record"], {name: value for name, value in record.items() if name != "record"}
        match kind:
            case "number":
                self.numbers[rest["phone_number_id"]] = Number(**rest)
            case "message":
                message = Message(**rest | {"peer": Peer(**rest["peer"])})
                self.messages.append(message)
                self._by_id[message.id] = message
            case "state":
                self.states.setdefault(rest["id"], []).append((rest["status"], rest["at"]))
            case "hook":
                self.hooks[rest["key"]] = Hook(**rest | {"singles": tuple(rest["singles"])})
            case "settled":
                self.hooks.pop(rest["key"], None)
            case _:
                self._apply_other(kind, rest)

    def _apply_other(self, kind: str, rest: JSON) -> None:
        match kind:
            case "account":
                self.accounts[rest["sid"]] = Account(**rest)
            case "text":
                self.texts[rest["id"]] = Text(**rest | {"media": tuple(rest["media"])})
            case "file":
                self.files[rest["id"]] = File(**rest)
            case "object":
                self.objects[rest["data"]["id"]] = rest["data"]
            case "opt":
                change = self.opted_out.add if rest["out"] else self.opted_out.discard
                change((rest["sender"], rest["address"]))

    def _compact(self, path: Path) -> None:
        since = time.time() - KEEP_SECONDS
        kept = [message for message in self.messages if message.at >= since]
        texts = [text for text in self.texts.values() if text.at >= since]
        records: list[JSON] = [{"record": "number", **asdict(number)} for number in self.numbers.values()]
        records += [{"record": "account", **asdict(account)} for account in self.accounts.values()]
        records += [{"record": "file", **asdict(file)} for file in self.files.values()]
        for message in kept:
            records += [{"record": "message", **asdict(message)}, *self._states_as_records(message)]
        for text in texts:
            records += [{"record": "text", **asdict(text)}, *self._states_as_records(text)]
        for sender, address in sorted(self.opted_out):
            records.append({"record": "opt", "sender": sender, "address": address, "out": True})
        records += [{"record": "object", "data": thing} for thing in self.objects.values()]
        records += [{"record": "hook", **asdict(hook)} for hook in self.hooks.values()]
        fresh = path.with_suffix(".new")
        fresh.write_bytes(b"".join(orjson.dumps(record) + b"\n" for record in records))
        fresh.replace(path)
        self.messages, self._by_id = kept, {message.id: message for message in kept}
        self.texts = {text.id: text for text in texts}
        ids = {*self._by_id, *self.texts}
        self.states = {name: states for name, states in self.states.items() if name in ids}

    def _states_as_records(self, message: Message | Text) -> list[JSON]:
        return [{"record": "state", "id": message.id, "status": name, "at": at} for name, at in self.states_of(message)]


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
