"""Threads as rows, with every denormalised column as the services would have left it. Nothing is written here."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain
from random import Random
from uuid import UUID

from config.run.demo.files import DemoFile, KeptFile
from config.run.demo.people import USERS, DemoWorkspace
from config.run.demo.persons import Person
from config.run.demo.texts import Kind
from config.run.demo.threads import REOPENED, RESOLVED, Said, Thread
from crm.ids import uuid7_at
from crm.models import Contact, ContactIdentity
from crm.roles import Action, is_allowed
from crm.search import vector_of
from crm.services.contacts import Sender
from crm.services.contacts.words import index_words
from inbox.clients.kapso_errors import explain
from inbox.models import (
    Attachment,
    AttachmentState,
    Channel,
    Conversation,
    ConversationLabel,
    ConversationReader,
    Label,
    Message,
)
from inbox.states import ChannelKind, ConversationStatus, Direction, MessageStatus, Priority, SenderKind
from inbox.windows import WINDOW

DIRECTIONS = {
    Kind.IN: Direction.IN,
    Kind.OUT: Direction.OUT,
    Kind.BOT: Direction.OUT,
    Kind.NOTE: Direction.NOTE,
    Kind.ACTIVITY: Direction.ACTIVITY,
}
SENDERS = {
    Kind.IN: SenderKind.CONTACT,
    Kind.OUT: SenderKind.MEMBER,
    Kind.BOT: SenderKind.BOT,
    Kind.NOTE: SenderKind.MEMBER,
    Kind.ACTIVITY: SenderKind.SYSTEM,
}


RATINGS = (5, 4, 5, None, 5, 5, 3)


@dataclass
class Rows:
    contacts: list[Contact] = field(default_factory=list)
    identities: list[ContactIdentity] = field(default_factory=list)
    conversations: list[Conversation] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    readers: list[ConversationReader] = field(default_factory=list)
    labels: list[ConversationLabel] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)


class Maker:
    """Rows of one workspace."""

    def __init__(
        self,
        workspace: DemoWorkspace,
        channels: Mapping[str, Channel],
        labels: Mapping[str, Label],
        now: datetime,
        rng: Random,
        files: Mapping[str, KeptFile],
    ) -> None:
        self.rows = Rows()
        self._files = files
        self._workspace = workspace
        self._channels = channels
        self._labels = labels
        self._now = now
        self._rng = rng
        self._contacts: dict[int, Contact] = {}
        self._readers = [key for key, role in workspace.members.items() if is_allowed(role, Action.READ_INBOX)]

    def add(self, threads: Sequence[Thread]) -> None:
        """Oldest first: a person with two conversations is a contact since the first."""
        for thread in sorted(threads, key=lambda thread: thread.said[0].at):
            contact = self._contacts.get(id(thread.person)) or self._contact(thread)
            self._conversation(thread, contact)

    # --- People -----------------------------------------------------------------------------------------------

    def _contact(self, thread: Thread) -> Contact:
        person, since = thread.person, thread.said[0].at - timedelta(seconds=1)
        if thread.channel == "demo-widget":  # on the website nobody is asked for a number
            person.digits = person.whatsapp = person.typed = ""
        contact = Contact(
            id=uuid7_at(since),
            workspace_id=self._workspace.id,
            phone=person.typed,
            phone_normalized=person.phone.e164 if person.phone else "",
            name=person.name,
            email=person.email,
            tags=person.tags,
            metadata={"Language": person.language, "Town": person.town, "Source": person.source},
            owner_id=USERS[thread.assignee].id if thread.assignee else None,
            created_at=since,
            updated_at=thread.said[-1].at,
        )
        contact.lead_status, contact.lead_score = self._lead(thread)
        index_words(contact)
        self._contacts[id(person)] = contact
        self.rows.contacts.append(contact)
        self.rows.identities += self._identities(person, contact)
        return contact

    def _identities(self, person: Person, contact: Contact) -> list[ContactIdentity]:
        keys = set(chain.from_iterable(map(Sender.known_as, person.senders())))
        return [
            ContactIdentity(
                workspace_id=contact.workspace_id,
                contact_id=contact.pk,
                kind=kind,
                value=value,
                created_at=contact.created_at,
            )
            for kind, value in sorted(keys)
        ]

    def _lead(self, thread: Thread) -> tuple[str, int]:
        chance = self._rng.random()
        if "Refund" in thread.labels:
            return "lost", self._rng.randrange(5, 25)
        if "Lead" in thread.labels or not thread.labels:
            return ("new", self._rng.randrange(20, 55)) if chance < 0.5 else ("contacted", self._rng.randrange(35, 70))
        return (
            ("qualified", self._rng.randrange(60, 90)) if chance < 0.3 else ("customer", self._rng.randrange(70, 100))
        )

    # --- Conversations --------------------------------------------------------------------------------------

    def _conversation(self, thread: Thread, contact: Contact) -> None:
        channel = self._channels[thread.channel]
        began = thread.said[0].at
        conversation = Conversation(
            id=uuid7_at(began),
            workspace_id=self._workspace.id,
            contact_id=contact.pk,
            channel_id=channel.pk,
            status=thread.status,
            assignee_id=USERS[thread.assignee].id if thread.assignee else None,
            priority=Priority(thread.priority),
            peer_address=_peer_address(channel.kind, thread.person),
            rating=self._rating(thread),
            created_at=began,
        )
        messages = self._messages(thread, conversation, channel)
        _sum_up(conversation, messages)
        self.rows.conversations.append(conversation)
        self.rows.messages += messages
        self.rows.readers += self._reader_rows(thread, conversation, messages)
        self.rows.labels += [
            ConversationLabel(
                workspace_id=self._workspace.id, conversation_id=conversation.pk, label_id=self._labels[name].pk
            )
            for name in thread.labels
        ]

    def _rating(self, thread: Thread) -> int | None:
        """Of chats that are over; not everybody says how it was."""
        is_over = thread.channel == "demo-widget" and thread.status == ConversationStatus.RESOLVED
        return RATINGS[len(self.rows.conversations) % len(RATINGS)] if is_over else None

    def _reader_rows(
        self, thread: Thread, conversation: Conversation, messages: Sequence[Message]
    ) -> list[ConversationReader]:
        """Whoever has not read it has read up to the last answer."""
        unread = 0
        for message in reversed(messages):
            if message.direction == Direction.OUT:
                break
            unread += message.direction == Direction.IN
        return [
            ConversationReader(
                workspace_id=self._workspace.id,
                conversation_id=conversation.pk,
                user_id=USERS[key].id,
                seen_count=conversation.inbound_count - (unread if key in thread.unread_by else 0),
                updated_at=conversation.last_activity_at,
            )
            for key in self._readers
        ]

    # --- Messages -------------------------------------------------------------------------------------------

    def _messages(self, thread: Thread, conversation: Conversation, channel: Channel) -> list[Message]:
        messages = []
        answered_at: datetime | None = None  # when the customer next wrote, seen from the end
        for said in reversed(self._with_standing(thread)):
            message = self._message(said, conversation, channel)
            if said.file:
                self._attach(message, said.file)
            if message.direction == Direction.OUT:
                self._climb(message, channel.kind, answered_at)
            elif message.direction == Direction.IN:
                answered_at = said.at
            messages.append(message)
        messages.reverse()
        _mark_templates(messages, channel.kind)
        if thread.failure:
            _fail(next(m for m in reversed(messages) if m.direction == Direction.OUT), thread.failure)
        return messages

    def _with_standing(self, thread: Thread) -> list[Said]:
        """What was resolved is open again with the next word; a resolved one ends with that."""
        told: list[Said] = []
        for said in thread.said:
            if told and told[-1].type == RESOLVED:
                at = said.at - timedelta(milliseconds=5)
                told.append(Said(Kind.ACTIVITY, "Reopened by the customer", at, type=REOPENED))
            told.append(said)
        if thread.status == ConversationStatus.RESOLVED:
            by = next((said.by for said in reversed(told) if said.kind is Kind.OUT), "") or thread.assignee or "ada"
            pause = timedelta(minutes=3 + len(self.rows.conversations) * 7 % 40)
            told.append(Said(Kind.ACTIVITY, "Resolved", told[-1].at + pause, by, type=RESOLVED))
        return told

    def _message(self, said: Said, conversation: Conversation, channel: Channel) -> Message:
        incoming = said.kind is Kind.IN
        with_provider = said.kind in (Kind.IN, Kind.OUT, Kind.BOT)
        return Message(
            id=uuid7_at(said.at),
            workspace_id=conversation.workspace_id,
            conversation_id=conversation.pk,
            channel_id=channel.pk,
            direction=DIRECTIONS[said.kind],
            sender_kind=SenderKind.MEMBER if said.type and said.by else SENDERS[said.kind],
            sender_user_id=USERS[said.by].id if said.by else None,
            type=said.type or "text",
            body=said.text,
            detail=_standing(said),
            search=vector_of(said.text),
            client_id=UUID(int=self._rng.getrandbits(128), version=4) if said.by and not said.type else None,
            provider_id=self._provider_id(channel.kind) if with_provider else "",
            # Providers tell whole seconds, and it took a moment to reach us
            provider_time=(said.at - timedelta(seconds=0.6)).replace(microsecond=0) if incoming else None,
            status=MessageStatus.RECEIVED,
            created_at=said.at,
            updated_at=said.at,
        )

    def _attach(self, message: Message, file: DemoFile) -> None:
        kept = self._files[file.name]
        message.type = file.kind
        self.rows.attachments.append(
            Attachment(
                id=uuid7_at(message.created_at),
                workspace_id=message.workspace_id,
                message_id=message.pk,
                uploaded_by_id=message.sender_user_id,
                kind=file.kind,
                name=file.name,
                content_type=file.content_type,
                size=kept.size,
                sha256=kept.sha256,
                storage_name=kept.storage_name,
                state=AttachmentState.STORED,
                fetch_attempt=0,
                error_code="",
                error_message="",
                created_at=message.created_at,
            )
        )

    def _provider_id(self, kind: str) -> str:
        raw = self._rng.randbytes(21)
        if kind == ChannelKind.KAPSO:
            return "wamid.HBgN" + base64.b64encode(raw).decode()
        return f"SM{raw[:16].hex()}" if kind == ChannelKind.TWILIO else ""

    def _climb(self, message: Message, kind: str, answered_at: datetime | None) -> None:
        """As far up the ladder as time and channel allow: SMS tells no reading, and some people switch it off."""
        uniform = self._rng.uniform
        message.sending_since = message.created_at + timedelta(seconds=0.1)
        message.sent_at = message.created_at + timedelta(seconds=uniform(0.4, 1.2))
        message.status = MessageStatus.SENT
        delivered = message.sent_at + timedelta(seconds=uniform(0.5, 4))
        if answered_at is None and self._rng.random() < 0.08:
            return  # a telephone that is switched off
        message.delivered_at, message.status = delivered, MessageStatus.DELIVERED
        read = delivered + timedelta(seconds=uniform(3, 20 * 60))
        if answered_at is not None:
            read = min(read, answered_at - timedelta(seconds=2))
        if kind != ChannelKind.TWILIO and delivered < read < self._now and self._rng.random() < 0.88:
            message.read_at, message.status = read, MessageStatus.READ


def _standing(said: Said) -> dict[str, object]:
    """How the line says it to programs."""
    if not said.type:
        return {}
    ways = {RESOLVED: ("resolved", "open"), REOPENED: ("open", "resolved")}
    status, before = ways[said.type]
    line = {"sentence": said.text, "values": {}}
    return {"activity": {"status": status, "before": before, "until": None, "said": line}}


def _mark_templates(messages: Sequence[Message], kind: str) -> None:
    """With the window shut only a template can have gone out."""
    if kind != ChannelKind.KAPSO:
        return
    last_inbound: datetime | None = None
    for message in messages:
        if message.direction == Direction.IN:
            last_inbound = message.provider_time
        elif message.direction == Direction.OUT and (
            last_inbound is None or message.created_at - last_inbound > WINDOW
        ):
            message.type = "template"


def _fail(message: Message, code: str) -> None:
    message.type = "text"
    message.status = MessageStatus.FAILED
    message.failed_at = (message.sent_at or message.created_at) + timedelta(seconds=2)
    message.delivered_at = message.read_at = None
    message.error_code, message.error_message = code, explain(code)


def _peer_address(kind: str, person: Person) -> str:
    """The id the customer wrote from, as its provider spells it."""
    if kind == ChannelKind.KAPSO:
        return person.whatsapp
    return f"+{person.digits}" if kind == ChannelKind.TWILIO and person.digits else ""


def _sum_up(conversation: Conversation, messages: Sequence[Message]) -> None:
    """What the list shows without reading the thread."""
    for message in messages:
        if message.direction == Direction.IN:
            conversation.inbound_count += 1
            conversation.last_inbound_at = message.provider_time
            conversation.waiting_since = conversation.waiting_since or message.created_at
        elif message.sender_kind == SenderKind.MEMBER and message.direction == Direction.OUT:
            conversation.waiting_since = None
        if message.direction in (Direction.IN, Direction.OUT):
            conversation.last_message_id = message.pk
        if message.direction != Direction.ACTIVITY:
            conversation.last_activity_at = message.created_at
    conversation.updated_at = conversation.last_activity_at
    if conversation.status == ConversationStatus.RESOLVED:
        conversation.waiting_since = None
        conversation.resolved_at = messages[-1].created_at
