"""The page /reports. It works by its address alone; the browser's module fetches the same parts again."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _

from crm import features
from crm.access import check, member_on_page
from crm.features import Feature
from crm.pages import signed_in, user_of, who_looks
from crm.roles import Action
from inbox.reports import plots, words
from inbox.reports.asked import PERIODS, USUAL, Asked
from inbox.reports.payloads import FiguresPayload, ReportPayload
from inbox.reports.queries import Choices, ReportTooSlow, get_choices, get_report


class Address:
    """What the page's address asks for. A word in it that means nothing is as if it were not there."""

    def __init__(self, query: Mapping[str, str], choices: Choices) -> None:
        self.workspace = query.get("workspace", "")
        self.period = query.get("period", "") if query.get("period", "") in PERIODS else USUAL
        self.channel = choices.channel(query.get("channel", ""))
        self.agent = _uuid(query.get("agent", ""))

    @property
    def asked(self) -> Asked:
        return Asked(self.period, self.channel.pk if self.channel else None, self.agent)

    @property
    def is_narrowed(self) -> bool:
        return self.channel is not None or self.agent is not None

    def link(self, **changes: str | None) -> str:
        now: dict[str, str | None] = {
            "workspace": self.workspace or None,
            "period": None if self.period == USUAL else self.period,
            "channel": self.channel.slug if self.channel else None,
            "agent": str(self.agent) if self.agent else None,
            **changes,
        }
        return "?" + urlencode({name: value for name, value in now.items() if value is not None})


@signed_in
def reports(request: HttpRequest) -> HttpResponse:
    actor = member_on_page(user_of(request).pk, Action.READ_INBOX, request.GET.get("workspace", ""))
    check(actor, Action.READ_INBOX)
    choices = get_choices(actor, agents=True)
    features.check(choices.workspace, Feature.INBOX)
    address = Address(request.GET, choices)
    report, problem = None, ""
    try:
        report = get_report(actor, address.asked, choices)
    except ReportTooSlow as slow:
        problem = str(slow)
    context = {
        "address": address,
        "menus": _menus(address, choices, report),
        "periods": _periods(address),
        "report": _drawn(report) if report else None,
        "problem": problem,
        "bare": address.link(channel=None, agent=None),
        "export": f"/api/v1/workspaces/{actor.workspace_slug}/reports/report.csv{address.link(workspace=None)}",
        "may_manage": actor.may(Action.MANAGE),
    }
    if request.GET.get("part") == "body":
        return render(request, "reports/body.html", context)
    return render(
        request, "reports/reports.html", {**context, "state": who_looks(request, actor, choices.workspace.name)}
    )


# --- The head -------------------------------------------------------------------------------------------------------


def _menus(address: Address, choices: Choices, report: ReportPayload | None) -> list[dict[str, Any]]:
    people = {one["id"]: one["name"] for one in choices.agents}
    for row in report["agents"] if report else ():  # who has left is not to be chosen, but to be seen when chosen
        if row["id"] == address.agent:
            people.setdefault(row["id"], row["name"])
    channels = [(one.slug, one.name) for one in choices.channels]
    chosen = address.channel.slug if address.channel else ""
    agents = [(str(who), name) for who, name in people.items()]
    return [
        _menu("channel", _("Channel"), _("All channels"), channels, chosen, address),
        _menu("agent", _("Agent"), _("Everyone"), agents, str(address.agent or ""), address),
    ]


def _menu(
    name: str, title: str, anything: str, entries: list[tuple[str, str]], chosen: str, address: Address
) -> dict[str, Any]:
    known = dict(entries)
    return {
        "name": name,
        "title": title,
        "chosen": known.get(chosen, chosen),
        "any": {"title": anything, "href": address.link(**{name: None}), "chosen": not chosen},
        "entries": [
            {"title": word, "href": address.link(**{name: value}), "chosen": value == chosen} for value, word in entries
        ],
    }


def _periods(address: Address) -> list[dict[str, Any]]:
    titles = {"7": _("7 days"), "28": _("28 days"), "90": _("Quarter")}
    return [
        {
            "name": name,
            "title": titles[name],
            "chosen": name == address.period,
            "href": address.link(period=None if name == USUAL else name),
        }
        for name in PERIODS
    ]


# --- The body -------------------------------------------------------------------------------------------------------


def _drawn(report: ReportPayload) -> dict[str, Any]:
    most = max((one["count"] for one in report["failures"]), default=1)
    return {
        "at": report["counted_up_to"],
        "zone": report["period"]["timezone"].replace("_", " "),
        "figures": _figures(report["figures"], report),
        "days": report["days"],
        "lines": plots.lines(report["days"]),
        "bars": plots.bars(report["first_replies"]),
        "heat": plots.heat(report["hours"]),
        "weekdays": list(WEEKDAYS.values()),
        "by_hour": [(f"{hour:02}:00", [day[hour] for day in report["hours"]]) for hour in range(24)],
        "failures": [
            {**one, "shown": words.number(one["count"]), "width": f"{400 * one['count'] / most:.1f}"}
            for one in report["failures"]
        ],
        "agents": [_agent(row) for row in report["agents"]],
    }


def _figures(figures: FiguresPayload, report: ReportPayload) -> list[dict[str, str]]:
    first, resolved = figures["first_reply"], figures["resolved_in"]
    waiting, lost, begun = figures["waiting"], figures["not_delivered"], figures["conversations"]
    longest = waiting["longest_since"]
    return [
        {
            "name": "first-reply",
            "title": _("First reply, median"),
            "value": words.span(first["median_seconds"]),
            "more": words.faster(first["median_seconds"], first["before_seconds"]),
        },
        {
            "name": "resolved-in",
            "title": _("Resolved in, median"),
            "value": words.span(resolved["median_seconds"]),
            "more": words.faster(resolved["median_seconds"], resolved["before_seconds"]),
        },
        {
            "name": "conversations",
            "title": _("Conversations"),
            "value": words.number(begun["count"]),
            "more": words.more(begun["count"], begun["before"]),
        },
        {
            "name": "waiting",
            "title": _("Waiting now"),
            "value": words.number(waiting["count"]),
            "more": _("longest %(span)s") % {"span": words.since(report["counted_up_to"] - longest)} if longest else "",
        },
        {
            "name": "not-delivered",
            "title": _("Not delivered"),
            "value": words.percent(lost["share"]),
            "more": words.messages(lost["count"]) if lost["sent"] else "",
        },
    ]


def _agent(row: Any) -> dict[str, Any]:
    within = row["within_goal"]
    return {
        **row,
        "first_reply": words.span(row["first_reply_median_seconds"]),
        "resolved_in": words.span(row["resolved_median_seconds"]),
        "resolved": words.number(row["resolved"]),
        "within": None if within is None else round(within * 100),
        "within_words": words.percent(within),
        "tone": "success" if within is not None and within >= 0.9 else "warning",
        "rating": "–" if row["rating"] is None else words.number(row["rating"], 1),
    }


def _uuid(value: str) -> UUID | None:
    try:
        return UUID(value)
    except ValueError:
        return None
