"""Conversations of another scope belong to the app above that opened them: it says what may be written there, and to
whom it is told. It registers here, since nothing here knows of it."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from crm.actors import Customer
from inbox.models import Conversation, Message
from inbox.states import Scope


@dataclass(frozen=True, slots=True)
class Keeper:
    write: Callable[[Customer, Conversation, UUID, str], tuple[Message, bool]]
    read: Callable[[Customer, Conversation], object]
    typing: Callable[[Customer, Conversation], object]


_keepers: dict[str, Keeper] = {}


def register(scope: Scope, keeper: Keeper) -> None:
    """In AppConfig.ready()."""
    _keepers[scope.value] = keeper


def keeper_of(conversation: Conversation) -> Keeper | None:
    """None for what the inbox keeps itself."""
    return _keepers.get(conversation.scope)
