"""The outbox page. Its first paint is rendered from what REST answers; the browser's module takes over from there."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from config.errors import DomainError
from crm.models import Workspace
from crm.pages import signed_in, user_of
from crm.paging import link
from crm.roles import PERMISSIONS
from webhooks.models import CallState, DeliveryState, Provider
from webhooks.outbox import figures, queries, words
from webhooks.outbox.access import Manager, manager_on_page
from webhooks.outbox.topics import outbox as topic

TABS = ("jobs", "deliveries", "calls", "crons")
LIMIT = 50
# What is not over: what one comes here for.
OPEN = ("failed", "retrying", "waiting", "processing")


@signed_in
def outbox(request: HttpRequest) -> HttpResponse:
    user, query = user_of(request), request.GET
    who = manager_on_page(user.pk, query.get("workspace", ""), platform=user.is_platform_admin)
    tab = query.get("tab", "")
    tab = tab if tab in TABS else "jobs"
    state = {
        **_who(request, who),
        "tab": tab,
        "figures": figures.get_figures(who),
        "types": [{"name": name, "title": title} for name, title in queries.job_types()],
        "providers": [{"name": name, "title": words.provider_name(name)} for name in Provider.values],
        "topic": topic(who.member.workspace_slug),
        "list": _list(request, who, tab),
        "open": _opened(request, who, tab),
    }
    return render(request, "outbox/outbox.html", {"state": state})


def _who(request: HttpRequest, who: Manager) -> dict[str, Any]:
    user, actor = user_of(request), who.member
    return {
        "me": {
            "id": user.pk,
            "name": user.display_name,
            "email": user.email,
            "expires_at": request.identity.expires_at,  # type: ignore[attr-defined]
            "platform": who.platform,
        },
        "workspace": {
            "slug": actor.workspace_slug,
            "name": Workspace.objects.values_list("name", flat=True).get(pk=actor.workspace_id),
            "role": actor.role,
            "can": sorted(action.value for action in PERMISSIONS[actor.role]),
        },
    }


def _list(request: HttpRequest, who: Manager, tab: str) -> dict[str, Any]:
    """What the address asks for; a word in it that means nothing is as if it were not there."""
    query = request.GET
    search, of_platform = query.get("search", "")[:200], query.get("scope") == "platform" and who.platform
    shown: dict[str, Any] = {"search": search, "scope": "platform" if of_platform else ""}
    rows: list[Any]
    cursor: str | None = None
    if tab == "jobs":
        given = query.get("status")
        statuses = OPEN if given is None else tuple(word for word in given.split(",") if word in queries.JOB_STATUSES)
        shown |= {"status": ",".join(statuses), "type": query.get("type", "")[:100]}
        rows, page = queries.list_jobs(
            who,
            queries.JobFilter(statuses=statuses, type=shown["type"], search=search, of_platform=of_platform),
            limit=LIMIT,
        )
        cursor = page.next
    elif tab == "deliveries":
        shown |= {
            "state": _among(query.get("state", ""), DeliveryState.values),
            "provider": _among(query.get("provider", ""), Provider.values),
        }
        wanted = queries.DeliveryFilter(
            state=shown["state"], provider=shown["provider"], search=search, of_platform=of_platform
        )
        rows, found = queries.list_deliveries(who, wanted, limit=LIMIT)
        cursor = found.next
    elif tab == "calls":
        shown |= {"state": _among(query.get("state", ""), CallState.values)}
        rows, calls = queries.list_calls(who, queries.CallFilter(state=shown["state"], search=search), limit=LIMIT)
        cursor = calls.next
    else:
        rows = queries.list_crons()
    return {"results": rows, "next": _next(who, tab, shown, cursor), "filter": shown}


PATHS = {"jobs": "jobs/", "deliveries": "deliveries/", "calls": "webhook-calls/", "crons": "crons/"}


def _next(who: Manager, tab: str, shown: dict[str, Any], cursor: str | None) -> str | None:
    path = f"/api/v1/workspaces/{who.member.workspace_slug}/{PATHS[tab]}"
    return link(path, {name: value for name, value in shown.items() if value}, cursor)


def _opened(request: HttpRequest, who: Manager, tab: str) -> Any:
    """The one whose details the address asks for, so that they can be linked to and read without a script."""
    raw = request.GET.get("open", "")
    if tab not in {"jobs", "deliveries"} or not raw.isascii() or not raw.isdigit() or len(raw) > 18:
        return None
    try:
        return queries.get_job(who, int(raw)) if tab == "jobs" else queries.get_delivery(who, int(raw))
    except DomainError:
        return None


def _among(value: str, known: list[str]) -> str:
    return value if value in known else ""
