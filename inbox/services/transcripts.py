"""A conversation as a file to hand on: plain text, or paper."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from fpdf import FPDF

from crm.actors import Caller
from crm.models import Workspace
from crm.paper import family_of, printable
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
    paper = FPDF(format="A4")
    family = family_of(paper)
    paper.add_page()
    paper.set_font(family, size=15)
    paper.multi_cell(0, 8, printable(transcript.title, family), new_x="LMARGIN", new_y="NEXT")
    paper.set_font(family, size=9)
    paper.multi_cell(0, 5, printable(transcript.about, family), new_x="LMARGIN", new_y="NEXT")
    for line in transcript.lines:
        paper.ln(2)
        paper.set_text_color(110)
        paper.multi_cell(0, 5, printable(_head(line), family), new_x="LMARGIN", new_y="NEXT")
        paper.set_text_color(0)
        paper.multi_cell(0, 5, printable(line.words, family), new_x="LMARGIN", new_y="NEXT")
    return bytes(paper.output())
