"""A report as REST answers it. The page and the CSV are drawn from the same."""

from datetime import date, datetime
from typing import TypedDict
from uuid import UUID


class PeriodPayload(TypedDict):
    days: int
    begins: datetime
    ends: datetime
    before_begins: datetime
    before_ends: datetime
    timezone: str


class MedianPayload(TypedDict):
    median_seconds: float | None
    before_seconds: float | None
    count: int


class BegunPayload(TypedDict):
    count: int
    before: int


class WaitingPayload(TypedDict):
    count: int
    longest_since: datetime | None


class NotDeliveredPayload(TypedDict):
    count: int
    sent: int
    share: float | None
    before_share: float | None


class FiguresPayload(TypedDict):
    first_reply: MedianPayload
    resolved_in: MedianPayload
    conversations: BegunPayload
    waiting: WaitingPayload
    not_delivered: NotDeliveredPayload


DayPayload = TypedDict("DayPayload", {"date": date, "in": int, "out": int})


class BarPayload(TypedDict):
    from_seconds: int
    to_seconds: int | None
    count: int


class FailurePayload(TypedDict):
    code: str
    message: str
    count: int


class AgentPayload(TypedDict):
    id: UUID
    name: str
    has_left: bool
    resolved: int
    resolved_median_seconds: float | None
    replied: int
    first_reply_median_seconds: float | None
    within_goal: float | None
    rating: float | None
    ratings: int


class ReportPayload(TypedDict):
    counted_up_to: datetime
    period: PeriodPayload
    channel: str | None
    agent: UUID | None
    goal_seconds: int
    figures: FiguresPayload
    days: list[DayPayload]
    first_replies: list[BarPayload]
    hours: list[list[int]]
    failures: list[FailurePayload]
    agents: list[AgentPayload]
