"""What is counted: which days, which channel, whose work."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

PERIODS = {"7": 7, "28": 28, "90": 90}  # days, today among them
USUAL = "28"
# A message's id tells when it was written; a day is more than any clock is off.
SLACK = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Asked:
    period: str = USUAL
    channel_id: UUID | None = None
    agent_id: UUID | None = None

    @property
    def days(self) -> int:
        return PERIODS[self.period]


@dataclass(frozen=True, slots=True)
class Span:
    """Whole days of the workspace's zone up to now, and the same stretch of the period before: with a day that is half
    over at the end of both, so that one is not compared with more hours than it had."""

    zone: ZoneInfo
    first_day: date
    days: int
    before: datetime
    before_ends: datetime
    begins: datetime
    ends: datetime

    @property
    def dates(self) -> list[date]:
        return [self.first_day + timedelta(days=number) for number in range(self.days)]

    @property
    def first_id(self) -> UUID:
        return id_from(self.before - SLACK)

    @property
    def last_id(self) -> UUID:
        return id_from(self.ends + SLACK)


def span_of(days: int, zone: ZoneInfo, now: datetime) -> Span:
    here = now.astimezone(zone)
    first = here.date() - timedelta(days=days - 1)
    earlier = here.replace(tzinfo=None) - timedelta(days=days)
    return Span(
        zone=zone,
        first_day=first,
        days=days,
        before=_midnight(first - timedelta(days=days), zone),
        before_ends=earlier.replace(tzinfo=zone),
        begins=_midnight(first, zone),
        ends=now,
    )


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.min, zone)


def id_from(moment: datetime) -> UUID:
    """The lowest id that can have been made at that moment."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)
