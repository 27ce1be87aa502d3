"""The outbox page. It works by its address alone; the browser's module fetches the same parts again when told to."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.translation import gettext_lazy as lazy

from config.errors import DomainError
from crm.actors import Member
from crm.models import Workspace
from crm.pages import signed_in, user_of, who_looks
from webhooks.models import CallState, DeliveryState, Provider
from webhooks.outbox import figures, queries, rows, words
from webhooks.outbox.access import Manager, manager_on_page
from webhooks.outbox.topics import outbox as topic

# What is not over: what one comes here for.
OPEN = ("failed", "retrying", "waiting", "processing")
JOB_CHIPS = (
    ("failed", lazy("Failed")),
    ("retrying", lazy("Retrying")),
    ("waiting", lazy("Pending")),
    ("processing", lazy("Processing")),
    ("completed", lazy("Completed")),
    ("dismissed", lazy("Dismissed")),
)
DELIVERY_CHIPS = (
    (DeliveryState.FAILED.value, lazy("Failed")),
    (DeliveryState.UNHANDLED.value, lazy("Not handled")),
    (DeliveryState.KEPT.value, lazy("Waiting")),
    (DeliveryState.APPLIED.value, lazy("Applied")),
)
CALL_CHIPS = (
    (CallState.FAILED.value, lazy("Failed")),
    (CallState.PENDING.value, lazy("Pending")),
    (CallState.DELIVERED.value, lazy("Delivered")),
)
LONGEST_WORD = 200
LONGEST_ID = 18  # digits


@dataclass(frozen=True, slots=True)
class Part:
    """One tab's table."""

    rows: list[rows.Row]
    next: str | None = None
    previous: str | None = None


@signed_in
def outbox(request: HttpRequest) -> HttpResponse:
    user = user_of(request)
    who = manager_on_page(user.pk, request.GET.get("workspace", ""), platform=user.is_platform_admin)
    tab = request.GET.get("tab", "")
    tab = tab if tab in _PARTS else "jobs"
    asked = _Asked(request.GET, who, tab)
    context = {
        "tab": tab,
        "figures": figures.get_figures(who),
        "part": _PARTS[tab](who, asked),
        "asked": asked,
        "columns": COLUMNS[tab],
        "platform": who.platform,
    }
    if request.GET.get("part") == "body":
        return render(request, "outbox/body.html", context)
    return render(request, "outbox/outbox.html", {**context, "state": _state(request, who)})


COLUMNS = {
    "jobs": (lazy("Job"), lazy("Why"), lazy("Attempts"), lazy("Next"), lazy("Created")),
    "deliveries": (lazy("Delivery"), lazy("What it became"), lazy("Size"), lazy("Channel"), lazy("Received")),
    "calls": (lazy("Call"), lazy("Why"), lazy("Attempts"), lazy("Next or took"), lazy("Created")),
    "crons": (lazy("Cron"), lazy("Result"), lazy("How often"), lazy("Took"), lazy("Last run")),
}


def _state(request: HttpRequest, who: Manager) -> dict[str, Any]:
    actor = who.member
    assert isinstance(actor, Member)  # noqa: S101 - a page is looked at by a person
    return {
        **who_looks(request, actor, Workspace.objects.values_list("name", flat=True).get(pk=actor.workspace_id)),
        "topic": topic(actor.workspace_slug),
    }


class _Asked:
    """What the address asks for. A word in it that means nothing is as if it were not there."""

    def __init__(self, query: QueryDict, who: Manager, tab: str) -> None:
        self.tab = tab
        self.search = query.get("search", "").strip()[:LONGEST_WORD]
        self.scope = "platform" if query.get("scope") == "platform" and who.platform else ""
        self.type = query.get("type", "")[:LONGEST_WORD] if tab == "jobs" else ""
        self.provider = _among(query.get("provider", ""), Provider.values) if tab == "deliveries" else ""
        self.open = query.get("open", "")[:LONGEST_WORD]
        self.cursor = query.get("cursor", "")[:LONGEST_WORD]
        self.workspace = query.get("workspace", "")
        given = query.get("status")
        known = {"jobs": queries.JOB_STATUSES, "deliveries": DeliveryState.values, "calls": CallState.values}
        words_given = [word for word in (given or "").split(",") if word in known.get(tab, ())]
        self.statuses = OPEN if tab == "jobs" and given is None else tuple(words_given)
        self.given_status = given

    def address(self, **changes: str | None) -> str:
        """This page with something else; what is not asked for is left out, and a new filter begins at its start."""
        now: dict[str, str | None] = {
            "tab": self.tab,
            "status": None if self.given_status is None else ",".join(self.statuses),
            "type": self.type or None,
            "provider": self.provider or None,
            "search": self.search or None,
            "scope": self.scope or None,
            "workspace": self.workspace or None,
        }
        return "?" + urlencode({name: value for name, value in {**now, **changes}.items() if value is not None})

    @property
    def here(self) -> str:
        return self.address(cursor=self.cursor or None)

    @property
    def chips(self) -> list[dict[str, Any]]:
        if self.tab == "jobs":
            return [self._chip(name, word, self._toggled(name)) for name, word in JOB_CHIPS]
        single = {"deliveries": DELIVERY_CHIPS, "calls": CALL_CHIPS}.get(self.tab, ())
        return [self._chip(name, word, None if name in self.statuses else name) for name, word in single]

    def _chip(self, name: str, word: Any, status: str | None) -> dict[str, Any]:
        return {
            "name": name,
            "word": word,
            "pressed": name in self.statuses,
            "href": self.address(status=status),
        }

    def _toggled(self, name: str) -> str:
        wanted = set(self.statuses) ^ {name}
        return ",".join(one for one, _word in JOB_CHIPS if one in wanted)

    @property
    def all_statuses(self) -> str:
        return self.address(status=",".join(name for name, _word in JOB_CHIPS) if self.tab == "jobs" else None)

    @property
    def is_narrowed(self) -> bool:
        return bool(self.search or self.type or self.provider or self.given_status or self.cursor)

    @property
    def tabs(self) -> dict[str, str]:
        keep = {"workspace": self.workspace} if self.workspace else {}
        return {tab: "?" + urlencode({"tab": tab, **keep}) for tab in _PARTS}

    @property
    def choices(self) -> list[dict[str, Any]]:
        """The menu of types or providers."""
        if self.tab == "jobs":
            found = [(name, title, self.type) for name, title in queries.job_types()]
        elif self.tab == "deliveries":
            found = [(name, words.provider_name(name), self.provider) for name in Provider.values]
        else:
            return []
        name_of = "type" if self.tab == "jobs" else "provider"
        return [
            {"title": title, "chosen": name == now, "href": self.address(**{name_of: name})}
            for name, title, now in found
        ]

    @property
    def any_choice(self) -> str:
        return self.address(type=None, provider=None)

    @property
    def choice(self) -> str:
        return words.job_title(self.type) if self.type else words.provider_name(self.provider)

    @property
    def toggled_scope(self) -> str:
        return self.address(scope=None if self.scope else "platform")


# --- The tables -----------------------------------------------------------------------------------------------


def _jobs(who: Manager, asked: _Asked) -> Part:
    wanted = queries.JobFilter(
        statuses=asked.statuses, type=asked.type, search=asked.search, of_platform=bool(asked.scope)
    )
    found, page = _page(lambda cursor: queries.list_jobs(who, wanted, cursor=cursor), asked)
    detail = _detail(lambda: queries.get_job(who, int(asked.open)), asked) if _is_number(asked.open) else None
    return _part(asked, [rows.of_job(job, _if_open(job, detail)) for job in _with(detail, found)], page)


def _deliveries(who: Manager, asked: _Asked) -> Part:
    wanted = queries.DeliveryFilter(
        state=asked.statuses[0] if asked.statuses else "",
        provider=asked.provider,
        search=asked.search,
        of_platform=bool(asked.scope),
    )
    found, page = _page(lambda cursor: queries.list_deliveries(who, wanted, cursor=cursor), asked)
    detail = _detail(lambda: queries.get_delivery(who, int(asked.open)), asked) if _is_number(asked.open) else None
    return _part(asked, [rows.of_delivery(one, _if_open(one, detail)) for one in _with(detail, found)], page)


def _calls(who: Manager, asked: _Asked) -> Part:
    wanted = queries.CallFilter(state=asked.statuses[0] if asked.statuses else "", search=asked.search)
    found, page = _page(lambda cursor: queries.list_calls(who, wanted, cursor=cursor), asked)
    detail = _detail(lambda: queries.get_call(who, UUID(asked.open)), asked) if _is_uuid(asked.open) else None
    return _part(asked, [rows.of_call(one, _if_open(one, detail)) for one in _with(detail, found)], page)


def _crons(who: Manager, asked: _Asked) -> Part:
    return Part([rows.of_cron(cron) for cron in queries.list_crons()])


_PARTS: dict[str, Callable[[Manager, _Asked], Part]] = {
    "jobs": _jobs,
    "deliveries": _deliveries,
    "calls": _calls,
    "crons": _crons,
}


def _page(read: Callable[[str | None], tuple[list[Any], Any]], asked: _Asked) -> tuple[list[Any], Any]:
    """A cursor that is none of ours, from an old bookmark say, shows the newest."""
    try:
        return read(asked.cursor or None)
    except DomainError:
        asked.cursor = ""
        return read(None)


def _part(asked: _Asked, found: list[rows.Row], page: Any) -> Part:
    return Part(
        found,
        next=asked.address(cursor=page.next) if page.next else None,
        previous=asked.address(cursor=page.previous) if page.previous else None,
    )


def _detail(read: Callable[[], Any], asked: _Asked) -> Any:
    try:
        return read()
    except DomainError:  # gone meanwhile
        return None


def _with(detail: Any, found: list[Any]) -> list[Any]:
    """One that was linked to shows, whatever the filter."""
    if detail is None or any(row["id"] == detail["id"] for row in found):
        return found
    return [detail, *found]


def _if_open(row: Any, detail: Any) -> Any:
    return detail if detail is not None and detail["id"] == row["id"] else None


def _is_number(value: str) -> bool:
    return value.isascii() and value.isdigit() and len(value) <= LONGEST_ID


def _is_uuid(value: str) -> bool:
    try:
        UUID(value)
    except ValueError:
        return False
    return True


def _among(value: str, known: list[str]) -> str:
    return value if value in known else ""
