"""The page an invitation's link leads to: who invites, to what, and one button."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from config.errors import DomainError, NotFound
from crm.pages import signed_in, user_of
from crm.services import invitations


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def invitation_page(request: HttpRequest, token: str) -> HttpResponse:
    user = user_of(request)
    context: dict[str, object] = {"me": {"name": user.display_name, "email": user.email}}
    try:
        if request.method == "POST":
            guest = invitations.accept_invitation(user=user, token=token)
            return HttpResponseRedirect(f"/settings/profile?workspace={guest.workspace_slug}", status=303)
        context["invitation"] = invitations.invitation_for(user, token)
    except NotFound:
        raise
    except DomainError as refused:
        return _drawn(request, {**context, "problem": str(refused)}, refused.status)
    return _drawn(request, context)


def _drawn(request: HttpRequest, context: dict[str, object], status: int = 200) -> HttpResponse:
    response = render(request, "crm/invitation.html", context, status=status)
    response["Referrer-Policy"] = "no-referrer"  # the address is the secret
    return response
