"""A report as rows of a spreadsheet: what is measured, of what, how, and the number."""

from collections.abc import Iterator
from typing import Any

from inbox.reports.payloads import AgentPayload, ReportPayload

COLUMNS = ("part", "of", "measure", "value", "before")
_OF_AGENT = (
    *("resolved", "resolved_median_seconds", "replied", "first_reply_median_seconds"),
    *("within_goal", "rating", "ratings"),
)
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def rows_of(report: ReportPayload) -> Iterator[list[Any]]:
    yield from _about(report)
    yield from _figures(report)
    for day in report["days"]:
        yield ["messages", day["date"], "in", day["in"], None]
        yield ["messages", day["date"], "out", day["out"], None]
    for bar in report["first_replies"]:
        until = bar["to_seconds"]
        of = f"{bar['from_seconds']} to {until} s" if until else f"over {bar['from_seconds']} s"
        yield ["first_replies", of, "conversations", bar["count"], None]
    for weekday, hours in zip(_DAYS, report["hours"], strict=True):
        for hour, count in enumerate(hours):
            yield ["customers_write", f"{weekday} {hour:02}", "messages", count, None]
    for failure in report["failures"]:
        yield ["failures", failure["code"] or "unknown", failure["message"], failure["count"], None]
    for agent in report["agents"]:
        yield from _agent(agent)


def _about(report: ReportPayload) -> Iterator[list[Any]]:
    period = report["period"]
    yield ["report", "begins", period["timezone"], period["begins"], period["before_begins"]]
    yield ["report", "ends", period["timezone"], period["ends"], period["before_ends"]]


def _figures(report: ReportPayload) -> Iterator[list[Any]]:
    figures = report["figures"]
    for name, median in (("first_reply", figures["first_reply"]), ("resolved_in", figures["resolved_in"])):
        yield ["figures", name, "median_seconds", median["median_seconds"], median["before_seconds"]]
        yield ["figures", name, "count", median["count"], None]
    yield ["figures", "conversations", "count", figures["conversations"]["count"], figures["conversations"]["before"]]
    yield ["figures", "waiting", "count", figures["waiting"]["count"], None]
    yield ["figures", "waiting", "longest_since", figures["waiting"]["longest_since"], None]
    lost = figures["not_delivered"]
    yield ["figures", "not_delivered", "count", lost["count"], None]
    yield ["figures", "not_delivered", "sent", lost["sent"], None]
    yield ["figures", "not_delivered", "share", lost["share"], lost["before_share"]]


def _agent(agent: AgentPayload) -> Iterator[list[Any]]:
    for measure in _OF_AGENT:
        yield ["agents", agent["name"], measure, agent[measure], None]  # type: ignore[literal-required]
