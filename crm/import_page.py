"""The page that takes a file of contacts in. The file's steps are REST's; the page only shows where they stand."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as lazy

from crm.access import check, member_on_page
from crm.models import Workspace
from crm.pages import signed_in, user_of
from crm.roles import Action
from crm.services.imports.fields import FIELDS

WORDS = {
    "name": lazy("Name"),
    "first_name": lazy("First name"),
    "last_name": lazy("Last name"),
    "phone": lazy("Phone"),
    "email": lazy("E-mail"),
    "lead_status": lazy("Lead status"),
    "lead_score": lazy("Lead score"),
    "tags": lazy("Tags"),
    "owner": lazy("Owner"),
}


@signed_in
def contacts_import(request: HttpRequest) -> HttpResponse:
    user = user_of(request)
    actor = member_on_page(user.pk, Action.EDIT_CONTACTS, request.GET.get("workspace", ""))
    check(actor, Action.EDIT_CONTACTS)
    workspace = Workspace.objects.get(pk=actor.workspace_id)
    state: dict[str, Any] = {
        "me": {
            "id": user.pk,
            "name": user.display_name,
            "email": user.email,
            "expires_at": request.identity.expires_at,  # type: ignore[attr-defined]
        },
        "workspace": {"slug": workspace.slug, "name": workspace.name, "role": actor.role, "can": actor.can},
        "import": request.GET.get("import", "")[:40],
    }
    fields = [(name, WORDS[name]) for name in FIELDS]
    return render(request, "contacts/import.html", {"state": state, "fields": fields})
