"""The page /settings: which sections one has, and the one that is open."""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.module_loading import autodiscover_modules
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from config import problems
from config.errors import DomainError, Forbidden, Invalid
from crm.access import any_member_on_page
from crm.actors import Member
from crm.models import Workspace
from crm.pages import signed_in, user_of
from crm.sections.base import GROUPS, Done, Section, section_named, sections_for


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def settings_page(request: HttpRequest, section: str = "") -> HttpResponse:
    """Without a name, the workspace's own for who manages it, and for all others what is about themselves."""
    _load()
    actor = any_member_on_page(user_of(request).pk, request.GET.get("workspace", ""))
    chosen = section_named(section) if section else _first_for(actor)
    if not chosen.is_for(actor):
        raise Forbidden
    if request.method == "POST":
        return _answered(request, actor, chosen)
    return _drawn(request, actor, chosen)


def _first_for(actor: Member) -> Section:
    theirs = sections_for(actor)
    return next((one for one in theirs if one.key == "general"), theirs[0])


def _answered(request: HttpRequest, actor: Member, chosen: Section) -> HttpResponse:
    try:
        done = chosen.done(actor, request)
    except DomainError as refused:
        problem = problems.of(refused)
        errors = _first_of_each(refused.data.get("errors", {})) if isinstance(refused, Invalid) else {}
        said = {"problem": problem, "errors": errors, "given": request.POST}
        return _drawn(request, actor, chosen, status=refused.status, **said)
    if done.shown:
        return _drawn(request, actor, chosen, done=done)
    return HttpResponseRedirect(done.to or _address(request, chosen.key, done=str(done.word)), status=303)


def _first_of_each(errors: Any) -> dict[str, str]:
    """One sentence for each field, however deep the checker put it."""
    found = {}
    for name, said in errors.items() if isinstance(errors, dict) else ():
        while isinstance(said, dict | list) and said:
            said = next(iter(said.values())) if isinstance(said, dict) else said[0]
        found[str(name)] = str(said)
    return found


def _drawn(request: HttpRequest, actor: Member, chosen: Section, *, status: int = 200, **more: Any) -> HttpResponse:
    user = user_of(request)
    workspace = Workspace.objects.get(pk=actor.workspace_id)
    told = request.GET.get("done", "")[:200] if request.method != "POST" else ""
    context = {
        "state": {
            "me": {
                "id": user.pk,
                "name": user.display_name,
                "email": user.email,
                "expires_at": request.identity.expires_at,  # type: ignore[attr-defined]
            },
            "workspace": {"slug": workspace.slug, "name": workspace.name, "role": actor.role, "can": actor.can},
        },
        "actor": actor,
        "workspace": workspace,
        "groups": [(GROUPS[name], [one for one in sections_for(actor) if one.group == name]) for name in GROUPS],
        "section": chosen,
        "asked": f"?{urlencode({'workspace': slug})}" if (slug := request.GET.get("workspace", "")) else "",
        "done": Done(told) if told else None,
        **chosen.context(actor, request),
        **more,
    }
    return render(request, "settings/settings.html", context, status=status)


def _address(request: HttpRequest, key: str, **more: str) -> str:
    kept = {"workspace": request.GET["workspace"]} if request.GET.get("workspace") else {}
    query = urlencode({**kept, **more})
    return f"/settings/{key}{'?' if query else ''}{query}"


def _load() -> None:
    autodiscover_modules("sections")
