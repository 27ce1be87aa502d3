"""Plots as lines and boxes with their places worked out: a template only writes them down. Each says in words what it
shows, since not everybody sees it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.utils.dates import WEEKDAYS, WEEKDAYS_ABBR
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from inbox.reports.words import number

WIDE, HIGH = 860, 250
LEFT, TOP, BOTTOM, RIGHT = 34, 10, 226, 852  # where lines are drawn
LABELS = 4  # dates under the axis before "today so far"
BARS_WIDE, BAR, GAP, FLOOR, ROOM = 400, 54, 66, 224, 183
HEAT_LEFT, HEAT_STEP, HEAT_ROW = 36.0, 34.4, 24
FAINTEST = 0.06


@dataclass(frozen=True, slots=True)
class Label:
    x: str
    y: str
    text: str
    anchor: str = "middle"


@dataclass(slots=True)
class Lines:
    """Messages in and out by day."""

    says: str
    grid: list[Label] = field(default_factory=list)
    dates: list[Label] = field(default_factory=list)
    incoming: str = ""
    outgoing: str = ""
    area: str = ""
    top: Label | None = None
    dot: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Bar:
    x: str
    y: str
    height: str
    middle: str
    above: str
    count: str
    name: str
    is_late: bool


@dataclass(frozen=True, slots=True)
class Bars:
    says: str
    bars: list[Bar]


@dataclass(frozen=True, slots=True)
class Cell:
    x: str
    y: str
    opacity: str


@dataclass(frozen=True, slots=True)
class Heat:
    says: str
    cells: list[Cell]
    days: list[Label]
    hours: list[Label]


def lines(days: Sequence[Any]) -> Lines:
    most = max((max(day["in"], day["out"]) for day in days), default=0)
    step = _step(most)
    top = step * max(1, -(-most // step))
    places = [LEFT + (RIGHT - LEFT) * index / max(len(days) - 1, 1) for index in range(len(days))]

    def y(value: float) -> float:
        return BOTTOM - (BOTTOM - TOP) * value / top

    def points(way: str) -> str:
        return " ".join(f"{x:.1f},{y(day[way]):.1f}" for x, day in zip(places, days, strict=True))

    plot = Lines(says=_said_of_days(days))
    plot.grid = [Label("28", f"{y(value):.1f}", number(value), "end") for value in range(0, top + 1, step)]
    plot.dates = _dates([day["date"] for day in days], places)
    plot.incoming, plot.outgoing = points("in"), points("out")
    plot.area = f"{places[0]:.1f},{BOTTOM} {plot.incoming} {places[-1]:.1f},{BOTTOM}"
    if most:
        _mark_busiest(plot, days, places, y)
    return plot


def _mark_busiest(plot: Lines, days: Sequence[Any], places: Sequence[float], y: Any) -> None:
    at = max(range(len(days)), key=lambda index: days[index]["in"])
    busiest = days[at]
    if not busiest["in"]:
        return
    before = places[at] > WIDE / 4
    x, height = places[at] + (-8 if before else 8), y(busiest["in"])
    plot.dot = f"{places[at]:.1f}", f"{height:.1f}"
    plot.top = Label(
        f"{x:.1f}", f"{max(height - 8, 10):.1f}", _on_day(busiest, len(days)), "end" if before else "start"
    )


def _on_day(day: Any, length: int) -> str:
    when = WEEKDAYS[day["date"].weekday()] if length <= 7 else _day(day["date"])
    return _("%(n)s on %(day)s") % {"n": number(day["in"]), "day": when}


def _day(day: date) -> str:
    """As short as the language has it."""
    return _("%(day)s %(month)s") % {"day": day.day, "month": date_format(day, "M")}


def _dates(days: Sequence[date], places: Sequence[float]) -> list[Label]:
    """Evenly, and the last one by its name: it is not over."""
    every = max(1, round(len(days) / LABELS)) if len(days) > 7 else 1
    found = [
        Label(f"{places[index]:.1f}", "244", _day(days[index]))
        for index in range(0, len(days), every)
        if places[index] < RIGHT - 90
    ]
    return [*found, Label(f"{RIGHT:.1f}", "244", _("today so far"), "end")]


def _step(most: int) -> int:
    """Lines of the grid at round numbers, five of them or so."""
    size = 1
    while True:
        for factor in (1, 2, 5):
            if most <= size * factor * 5:
                return size * factor
        size *= 10


def _said_of_days(days: Sequence[Any]) -> str:
    received, sent = sum(day["in"] for day in days), sum(day["out"] for day in days)
    if not received and not sent:
        return _("Messages a day: none in these days")
    busiest = max(days, key=lambda day: day["in"])
    return _("Messages a day: %(received)s in and %(sent)s out, most came in on %(day)s: %(most)s") % {
        "received": number(received),
        "sent": number(sent),
        "day": date_format(busiest["date"], "l j F"),
        "most": number(busiest["in"]),
    }


def bars(found: Sequence[Any]) -> Bars:
    names = bar_names()
    most = max((one["count"] for one in found), default=0) or 1
    made = []
    for index, (one, name) in enumerate(zip(found, names, strict=True)):
        height = max(ROOM * one["count"] / most, 1 if one["count"] else 0)
        x, y = 4 + GAP * index, FLOOR - height
        made.append(
            Bar(
                x=str(x),
                y=f"{y:.1f}",
                height=f"{height:.1f}",
                middle=str(x + BAR // 2),
                above=f"{y - 6:.1f}",
                count=number(one["count"]),
                name=name,
                is_late=one["to_seconds"] is None,
            )
        )
    told = "; ".join(f"{name}: {number(one['count'])}" for one, name in zip(found, names, strict=True))
    return Bars(says=_("First reply, conversations: %(told)s") % {"told": told}, bars=made)


def bar_names() -> list[str]:
    return [_("under 1 m"), _("1–3 m"), _("3–10 m"), _("10–30 m"), _("30–60 m"), _("over 1 h")]


def heat(hours: Sequence[Sequence[int]]) -> Heat:
    most = max(max(row) for row in hours) or 1
    return Heat(
        says=_said_of_hours(hours),
        cells=[
            Cell(
                f"{HEAT_LEFT + HEAT_STEP * hour:.1f}",
                str(2 + HEAT_ROW * weekday),
                f"{max(FAINTEST, count / most):.2f}",
            )
            for weekday, row in enumerate(hours)
            for hour, count in enumerate(row)
        ],
        days=[Label("0", str(16 + HEAT_ROW * weekday), str(WEEKDAYS_ABBR[weekday])) for weekday in range(7)],
        hours=[Label(f"{52 + HEAT_STEP * hour:.0f}", "190", f"{hour:02}") for hour in range(0, 24, 3)],
    )


def _said_of_hours(hours: Sequence[Sequence[int]]) -> str:
    whole = sum(map(sum, hours))
    if not whole:
        return _("When customers write: nobody wrote in these days")
    weekday, hour = max(((day, hour) for day in range(7) for hour in range(24)), key=lambda at: hours[at[0]][at[1]])
    return ngettext(
        "When customers write: most on %(day)s from %(hour)s, with %(n)s message",
        "When customers write: most on %(day)s from %(hour)s, with %(n)s messages",
        hours[weekday][hour],
    ) % {"day": WEEKDAYS[weekday], "hour": f"{hour:02}:00", "n": number(hours[weekday][hour])}
