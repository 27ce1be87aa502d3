"""/contacts: the table and the board."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from config.errors import DomainError, Invalid, NotFound
from crm.access import check, member_on_page
from crm.actors import Member
from crm.contact_pages import filters, words
from crm.contact_pages.asked import MOST_CARDS, Asked
from crm.contact_pages.frame import Choices, get_choices, rights, state_of
from crm.models import Contact, ViewAudience
from crm.pages import signed_in, user_of
from crm.queries.board import BoardPayload, get_board
from crm.queries.contact_filters import narrowed
from crm.queries.lines import ContactRowPayload, lines, name_of
from crm.queries.orders import Free, Order, ordered_page
from crm.queries.time_limit import time_limit
from crm.roles import Action

ROWS = 50
CARDS = 20  # of a column, before somebody asks for more
STEP = 40
COLUMNS: tuple[tuple[str, str, str], ...] = (  # name, priority, the sorting its head leads to
    ("name", "", Order.NAME),
    ("phone", "2", ""),
    ("email", "3", ""),
    ("lead_status", "", ""),
    ("lead_score", "2", Order.SCORE),
    ("tags", "3", ""),
    ("owner", "2", ""),
    ("last_seen", "2", Order.LAST_SEEN),
    ("created_at", "3", Order.NEWEST),
)


@dataclass(slots=True)
class Found:
    """What the page shows, or the sentence that says why it cannot."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    columns: list[dict[str, Any]] = field(default_factory=list)
    next: str | None = None
    previous: str | None = None
    order: str = Order.NEWEST
    total: int | None = None
    total_more: bool = False
    problem: str = ""


@signed_in
def contacts(request: HttpRequest) -> HttpResponse:
    actor = member_on_page(user_of(request).pk, Action.READ_INBOX, request.GET.get("workspace", ""))
    check(actor, Action.READ_INBOX)
    asked = Asked(request.GET.dict())
    choices = get_choices(request, actor, for_list=True)
    found = _found(actor, asked, choices)
    view: Any = next((one for one in choices.views if one["id"] == asked.view), None)
    if view:
        view["may_write"] = _may_write(actor, view)
    context = {
        "asked": asked,
        "found": found,
        "can": rights(actor),
        "choices": choices,
        "columns": _columns(asked, found.order, view),
        "shown": _shown(view),
        "menus": filters.menus(asked, choices, choices.tags),
        "toggles": filters.toggles(asked),
        "others": filters.others(asked, choices),
        "attribute_fields": filters.attribute_fields(asked, choices),
        "views": _views(asked, choices.views),
        "view": view,
        "keep": _keep(asked, choices, view),
        "export": f"/api/v1/workspaces/{actor.workspace_slug}/contacts/export.csv{asked.export}",
        "lead_choices": [(one, words.lead(one)) for one in choices.lead_statuses],
        "sorts": [(name, words.SORTS[name]) for name in Order.values],
    }
    if request.GET.get("part") == "body":
        return render(request, "contacts/list_body.html", context)
    titles = _titles()
    all_columns = [(name, titles[name]) for name, _priority, _sort in COLUMNS if name != "name"]
    whole = {"state": state_of(request, actor, choices), "all_columns": all_columns}
    return render(request, "contacts/list.html", {**context, **whole})


# --- What fits ------------------------------------------------------------------------------------------------------


def _found(actor: Member, asked: Asked, choices: Choices) -> Found:
    """A filter that means nothing, a view that is gone or a list that takes too long is said on the page."""
    try:
        with time_limit():
            narrow = narrowed(actor, asked.query, views=choices.views)
            board = get_board(actor, asked.query, known=choices.lead_statuses, rows=narrow[0])
            free = Free(actor.workspace_id, few=not board["more"]) if asked.view else None
            found = _board(asked, board, *narrow) if asked.layout == "board" else _table(asked, *narrow, free)
        found.total, found.total_more = board["total"], board["more"]
        return found
    except NotFound:
        return Found(problem=_("This saved view is not there any more, or not yours to see."))
    except Invalid as wrong:
        sentences = [str(one[0] if isinstance(one, list) else one) for one in (wrong.data.get("errors") or {}).values()]
        return Found(problem=" ".join(sentences) or str(wrong))
    except DomainError as problem:
        return Found(problem=str(problem))


def _table(asked: Asked, rows: "QuerySet[Contact]", order: Order, free: Free | None) -> Found:
    try:
        page = ordered_page(rows, order, cursor=asked.cursor or None, limit=ROWS, free=free)
    except Invalid:  # a cursor of another order, from an old address say
        page = ordered_page(rows, order, cursor=None, limit=ROWS, free=free)
    return Found(
        rows=_named(page.rows),
        order=order,
        next=_page_address(asked, page.next),
        previous=_page_address(asked, page.previous),
    )


def _named(rows: Iterable[ContactRowPayload]) -> list[dict[str, Any]]:
    """As REST tells them, and what each goes by."""
    return [{**row, "display_name": name_of(row)} for row in rows]


def _page_address(asked: Asked, cursor: str | None) -> str | None:
    return asked.address(cursor=cursor) if cursor else None


def _board(asked: Asked, board: BoardPayload, rows: "QuerySet[Contact]", order: Order) -> Found:
    """Of every column the first cards, whose they are in one statement."""
    first = rows.order_by("-created_at", "-id").values("id")
    wanted = {
        column["lead_status"]: asked.more.get(column["lead_status"], CARDS)
        for column in board["columns"]
        if column["count"]
    }
    parts = [first.filter(lead_status=status)[:most] for status, most in wanted.items()]
    cards = _named(lines(parts[0].union(*parts[1:], all=True) if len(parts) > 1 else parts[0])) if parts else []
    by_status: dict[str, list[dict[str, Any]]] = {}
    for card in sorted(cards, key=lambda one: (one["created_at"], one["id"]), reverse=True):
        by_status.setdefault(card["lead_status"], []).append(card)
    return Found(order=order, columns=[_column(asked, one, by_status) for one in board["columns"]])


def _column(asked: Asked, column: Any, cards: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    status = column["lead_status"]
    shown = len(cards.get(status, []))
    more = column["count"] > shown or column["more"]
    return {
        **column,
        "title": words.lead(status),
        "cards": cards.get(status, []),
        "more_href": asked.with_more(status, shown + STEP) if more and shown < MOST_CARDS else "",
        "rest_href": asked.address(layout=None, lead_status=status) if more and shown >= MOST_CARDS else "",
    }


# --- What surrounds it ----------------------------------------------------------------------------------------------


def _shown(view: dict[str, Any] | None) -> list[str]:
    """A saved view may name its columns; without their name nobody would know whose row it is."""
    names = [name for name, _priority, _sort in COLUMNS]
    named = set(view["columns"]).intersection(names) if view else set()
    return [name for name in names if name in {*named, "name"}] if named else names


def _titles() -> dict[str, Any]:
    own = {"lead_status": _("Lead"), "last_seen": _("Last seen"), "created_at": _("Added")}
    return {**dict(words.FIELDS), **own}


def _columns(asked: Asked, order: str, view: dict[str, Any] | None) -> list[dict[str, Any]]:
    titles, shown = _titles(), _shown(view)
    found = []
    for name, priority, sort in COLUMNS:
        if name not in shown:
            continue
        column: dict[str, Any] = {"name": name, "title": titles[name], "priority": priority, "sort": sort}
        if sort == Order.NEWEST and order == Order.NEWEST:
            column |= {"aria": "descending", "href": asked.address(sort=Order.OLDEST)}
        elif sort == Order.NEWEST and order == Order.OLDEST:
            column |= {"aria": "ascending", "href": asked.address(sort=Order.NEWEST)}
        elif sort:
            now = "ascending" if sort == Order.NAME else "descending"
            column |= {"aria": now if order == sort else "none", "href": asked.address(sort=sort)}
        found.append(column)
    return found


def _views(asked: Asked, views: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """In groups, each with its title."""
    titles: dict[str, str] = {
        ViewAudience.MINE: _("Mine"),
        ViewAudience.TEAM: _("Of my teams"),
        ViewAudience.EVERYONE: _("Everyone's"),
    }
    place: dict[str, Any] = {name: asked.given[name] for name in ("workspace", "layout") if name in asked.given}
    return [
        {
            "title": title,
            "views": [
                {
                    **view,
                    "href": "?" + urlencode({**place, "view": view["id"]}),
                    "chosen": view["id"] == asked.view,
                }
                for view in views
                if view["audience"] == audience
            ],
        }
        for audience, title in titles.items()
        if any(view["audience"] == audience for view in views)
    ]


def _may_write(actor: Member, view: dict[str, Any]) -> bool:
    """As the service decides."""
    is_own = bool(view["owner"] and view["owner"]["id"] == str(actor.user_id))
    if view["audience"] == ViewAudience.MINE:
        return is_own
    shared = view["audience"] == ViewAudience.TEAM or is_own or actor.may(Action.MANAGE_SETTINGS)
    return actor.may(Action.EDIT_CONTACTS) and shared


def _keep(asked: Asked, choices: Choices, view: dict[str, Any] | None) -> dict[str, Any]:
    """What saving the list as it stands would send."""
    types = {one["key"]: one["type"] for one in choices.attributes}
    tree = asked.tree(types, view["filters"] if view else None)
    return {"filters": tree, "sort": asked.given.get("sort") or (view["sort"] if view else "")}
