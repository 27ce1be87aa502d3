"""Fills the blanks of saved texts: `{{contact.first_name}}`, `{{agent.name | there}}`. Looked up in a fixed table:
nothing that anybody wrote is ever executed, and what a value says is not read again."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from crm.actors import Actor, Member
from inbox.models import Conversation

_BLANK = re.compile(r"\{\{\s*([a-z_]+(?:\.[a-z0-9_]+)*)\s*(?:\|\s*([^{}|]{0,100}?)\s*)?\}\}")

Look = Callable[[Actor, Conversation], str]


@dataclass(frozen=True, slots=True)
class Filled:
    text: str
    missing: list[str]  # blanks without a value, and without a word instead


def _first_name(actor: Actor, conversation: Conversation) -> str:
    return conversation.contact.name.partition(" ")[0]


def _agent(actor: Actor) -> str:
    return actor.name if isinstance(actor, Member) else ""


KNOWN: Mapping[str, Look] = {
    "contact.name": lambda _, talk: talk.contact.name,
    "contact.first_name": _first_name,
    "contact.email": lambda _, talk: talk.contact.email,
    "contact.phone": lambda _, talk: talk.contact.phone_normalized or talk.contact.phone,
    "contact.lead_status": lambda _, talk: talk.contact.lead_status,
    "agent.name": lambda actor, _: _agent(actor),
    "agent.first_name": lambda actor, _: _agent(actor).partition(" ")[0],
    "conversation.id": lambda _, talk: str(talk.pk),
    "channel.name": lambda _, talk: talk.channel.name,
    "workspace.name": lambda _, talk: talk.channel.workspace.name,
}
ATTRIBUTE = "contact.attribute."


def fill(actor: Actor, conversation: Conversation, text: str) -> Filled:
    missing: list[str] = []

    def value(found: re.Match[str]) -> str:
        name, instead = found[1], found[2]
        known = _value(actor, conversation, name)
        if known:
            return known
        if instead is not None:
            return instead
        missing.append(name)
        return ""

    return Filled(_BLANK.sub(value, text), list(dict.fromkeys(missing)))


def _value(actor: Actor, conversation: Conversation, name: str) -> str:
    if name.startswith(ATTRIBUTE):
        held = conversation.contact.attributes.get(name.removeprefix(ATTRIBUTE))
        return str(held) if isinstance(held, str | int | float) and not isinstance(held, bool) else ""
    look = KNOWN.get(name)
    return look(actor, conversation) if look else ""


def unknown_in(text: str) -> list[str]:
    """Blanks that no conversation could ever fill."""
    names = [found[1] for found in _BLANK.finditer(text)]
    return [name for name in dict.fromkeys(names) if name not in KNOWN and not name.startswith(ATTRIBUTE)]
