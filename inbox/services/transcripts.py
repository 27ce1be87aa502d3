"""A conversation as a file to hand on: plain text, or paper."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from crm.actors import Caller
from crm.models import Workspace
from crm.paper import Paper
from inbox.access import conversation_for, visible_messages
from inbox.models import Conversation, Message
from inbox.payloads import sender_payload
from inbox.queries import with_parts
from inbox.services.snoozing import zone_of
from inbox.states import Direction

MOST = 5_000  # messages, the newest
SHOWN = (Direction.IN, Direction.OUT)


@dataclass(frozen=True, slots=True)
class Line:
    at: datetime
    who: str
    words: str
    is_note: bool


@dataclass(frozen=True, slots=True)
class Transcript:
    title: str
    about: str
    lines: list[Line]


def transcript_of(actor: Caller, conversation_id: UUID, *, notes: bool = False) -> Transcript:
    """Times by the workspace's clock. Private notes only when they are asked for."""
    conversation = conversation_for(actor, conversation_id)
    workspace = conversation.channel.workspace
    zone = zone_of(workspace)
    directions = [*SHOWN, Direction.NOTE] if notes else list(SHOWN)
    rows = with_parts(visible_messages(actor, conversation).filter(direction__in=directions)).order_by("-pk")[:MOST]
    lines = [_line(row, conversation, zone) for row in reversed(list(rows))]
    title = _("Conversation with %(name)s") % {"name": conversation.contact.display_name}
    return Transcript(title, _about(conversation, workspace, zone), lines)


def _about(conversation: Conversation, workspace: Workspace, zone: ZoneInfo) -> str:
    began = conversation.created_at.astimezone(zone)
    parts = [workspace.name, conversation.channel.name, f"{began:%Y-%m-%d %H:%M}", zone.key]
    return " · ".join(part for part in parts if part)


def _line(message: Message, conversation: Conversation, zone: ZoneInfo) -> Line:
    who = sender_payload(message, conversation.contact.display_name, None)["name"] or conversation.channel.name
    files = [_("[file: %(name)s]") % {"name": one.name or one.kind} for one in message.attachments.all()]
    words = "\n".join(filter(None, [message.body, *files])) or f"[{message.type}]"
    return Line(message.created_at.astimezone(zone), who, words, message.direction == Direction.NOTE)


def _head(line: Line) -> str:
    private = f" ({_('private note')})" if line.is_note else ""
    return f"{line.at:%Y-%m-%d %H:%M} {' '.join(line.who.split())}{private}"


def as_text(transcript: Transcript) -> Iterator[str]:
    yield f"{transcript.title}\n{transcript.about}\n"
    for line in transcript.lines:
        yield f"\n{_head(line)}\n{line.words}\n"


def as_pdf(transcript: Transcript) -> bytes:
    paper = Paper(transcript.title)
    _put(paper, transcript.title, size=15, height=8)
    _put(paper, transcript.about)
    for line in transcript.lines:
        paper.ln(2)
        _put(paper, _head(line), grey=110)
        _put(paper, line.words)
    return paper.whole()


def _put(paper: Paper, text: str, *, size: int = 9, height: int = 5, grey: int = 0) -> None:
    paper.set_font(paper.family, size=size)
    paper.set_text_color(grey)
    paper.multi_cell(0, height, paper.printable(text), new_x="LMARGIN", new_y="NEXT")
