"""Who may listen to a chat from outside, and how typing gets across."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from config.live.identity import Identity
from config.live.topics import register
from crm.actors import Customer, Guest, Visitor
from inbox.chats.access import visible_chats


def guest_of(identity: Identity | None) -> Guest | None:
    if identity is None:
        return None
    if isinstance(identity.actor, Visitor):
        return identity.actor
    return Customer(identity.user_id) if identity.user_id is not None else None


def _may_hear(identity: Identity | None, key: str) -> bool:
    guest = guest_of(identity)
    try:
        chat_id = UUID(key)
    except ValueError:
        return False
    return guest is not None and key == str(chat_id) and visible_chats(guest).filter(pk=chat_id).exists()


def _to_agents(identity: Identity, key: str, type_: str, data: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    return f"conversation.{key}", {"typing": bool(data.get("typing")), "user": data["user"]}


def register_topics() -> None:
    register("chat", _may_hear, signals=("typing",), relay=_to_agents)
