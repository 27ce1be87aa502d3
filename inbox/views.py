"""The inbox page. Its first paint is rendered from what REST answers; the browser's module takes over from there."""

from pathlib import Path
from typing import Any
from uuid import UUID

from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from config.errors import Invalid, NotFound
from crm import features
from crm.access import check, member_on_page
from crm.actors import Member
from crm.features import Feature
from crm.pages import signed_in, user_of, who_looks
from crm.roles import Action
from inbox import queries
from inbox.access import visible_conversations
from inbox.answers import list_answer, thread_answer
from inbox.api.conversations import ListQuery
from inbox.filters import ORDERS
from inbox.notices.queries import get_own_live
from inbox.services.joining import leads_to
from inbox.states import ConversationStatus

NARROWING = ("channel", "label", "team", "priority", "view")
SPAM = "spam"  # stands among the statuses on the page: what is spam is in no other list
TABS = {"mine": "me", "unassigned": "none", "all": ""}


@signed_in
def inbox(request: HttpRequest, conversation: UUID | None = None) -> HttpResponse:
    actor = member_on_page(user_of(request).pk, Action.READ_INBOX, request.GET.get("workspace", ""))
    check(actor, Action.READ_INBOX)
    if conversation is not None and (now := _moved(actor, conversation)):
        return redirect("inbox-conversation", conversation=now)
    state = {
        **_who(request, actor),
        "own": {"live": get_own_live(actor)},  # before what was read and drafted
        "list": _list(request, actor),
        "thread": _thread(actor, conversation) if conversation else None,
        "agents": queries.list_agents(actor.workspace_id),
        "teams": queries.list_teams(actor),
    }
    return render(request, "inbox/inbox.html", {"state": state})


def _moved(actor: Member, conversation_id: UUID) -> UUID | None:
    """Where one goes on that became part of another."""
    if visible_conversations(actor).filter(pk=conversation_id).exists():
        return None
    try:
        return leads_to(actor, conversation_id)
    except NotFound:
        return None


def _who(request: HttpRequest, actor: Member) -> dict[str, Any]:
    workspace = queries.get_workspace(actor)
    features.check(workspace, Feature.INBOX)
    return who_looks(request, actor, workspace.name)


def _list(request: HttpRequest, actor: Member) -> dict[str, Any]:
    """All by default: what comes in new is nobody's yet, and everybody should see it arrive."""
    status = request.GET.get("status", ConversationStatus.OPEN)
    if status and status not in (*ConversationStatus.values, SPAM):
        status = ConversationStatus.OPEN
    order = request.GET.get("order", "newest")
    plain = {
        "assignee": TABS.get(request.GET.get("tab", "all"), ""),
        "status": status,
        "unread": "true" if request.GET.get("unread") == "true" else "",
        "order": order if order in ORDERS else "newest",
    }
    narrow = {name: request.GET.get(name, "") for name in (*NARROWING, "assignee")}
    try:
        return _listed(actor, plain | {name: value for name, value in narrow.items() if value})
    except (Invalid, NotFound):  # a view or a team that has gone since the address was kept
        return _listed(actor, plain)


def _listed(actor: Member, asked: dict[str, str]) -> dict[str, Any]:
    given = {name: value for name, value in asked.items() if value}
    if asked["status"] == SPAM:
        given = {name: value for name, value in given.items() if name != "status"} | {"spam": "true"}
    answer = list_answer(actor, ListQuery(data=given).wanted(), given=given)
    return {**answer, "filter": {**asked, "unread": bool(asked["unread"])}}


def _thread(actor: Member, conversation_id: UUID) -> dict[str, Any]:
    return {
        "conversation": queries.get_conversation(actor, conversation_id),
        "messages": thread_answer(actor, conversation_id),
    }


def worker(request: HttpRequest) -> HttpResponse:
    """The service worker, at the root: one governs only what lies below its own address."""
    script = finders.find("inbox/worker.js")
    headers = {"Cache-Control": "no-cache", "Service-Worker-Allowed": "/"}
    return HttpResponse(Path(str(script)).read_bytes(), content_type="text/javascript; charset=utf-8", headers=headers)
