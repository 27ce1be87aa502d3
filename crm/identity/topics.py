"""The live topic of one's own notices."""

from uuid import UUID

from config.live.identity import Identity
from config.live.topics import register


def user(user_id: UUID) -> str:
    return f"user.{user_id}"


def register_topics() -> None:
    register("user", _is_own)


def _is_own(identity: Identity | None, key: str) -> bool:
    return identity is not None and identity.user_id is not None and key == str(identity.user_id)
