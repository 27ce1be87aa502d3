"""The live topics of people: one's own notices, and who of a workspace is here."""

from uuid import UUID

from config.live.identity import Identity
from config.live.topics import register
from crm import presence


def user(user_id: UUID) -> str:
    return f"user.{user_id}"


def register_topics() -> None:
    register("user", _is_own)
    presence.register_topics()


def _is_own(identity: Identity | None, key: str) -> bool:
    return identity is not None and identity.user_id is not None and key == str(identity.user_id)
