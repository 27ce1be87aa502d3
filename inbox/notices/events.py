"""What a member's open pages hear of their notices, on `user.<id>`."""

from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from config.live.events import Event, publish
from inbox import topics
from inbox.notices.payloads import NoticePayload


@dataclass(frozen=True)
class NoticeCreated(Event):
    """`replaces`: the unread one of the same conversation whose place it takes. `ways`: how the member wants it."""

    type: ClassVar[str] = "notice.created"
    notice: NoticePayload
    replaces: UUID | None
    ways: list[str]

    def data(self) -> dict[str, Any]:
        return {**self.notice, "replaces": self.replaces, "ways": self.ways}


@dataclass(frozen=True)
class NoticeRead(Event):
    """These of the workspace; without `ids` all that came before."""

    type: ClassVar[str] = "notice.read"
    workspace: str
    ids: list[UUID] | None


def announce_notice(user_id: UUID, notice: NoticePayload, *, replaces: UUID | None, ways: list[str]) -> None:
    publish(topics.user(user_id), NoticeCreated(notice, replaces, ways))


def announce_read(user_id: UUID, workspace: str, ids: list[UUID] | None) -> None:
    publish(topics.user(user_id), NoticeRead(workspace, ids))
