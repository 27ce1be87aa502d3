"""The widget's pages: the script that sites paste, and the frame that it puts into them."""

from functools import cache
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.http import require_safe

from config.languages import in_readers_language
from config.staticfiles import as_sent
from crm.identity.exempt import without_identity
from inbox.chats.access import widget_for
from inbox.chats.widgets import allowed_origins, frame_ancestors, widget_payload

LOADER = Path(__file__).parent.parent / "static" / "inbox" / "widget" / "loader.js"
SCRIPT_SECONDS = 300  # until a site has a new one
STARS = (1, 2, 3, 4, 5)
# What our pages may do, but in whose frame they may stand: that is the channel's to say.
POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors {ancestors}"
)
EVALUATING = "; script-src 'self' 'unsafe-eval'"  # as on our other pages: browser automation, in the demo alone


@require_safe
@without_identity
def script(request: HttpRequest) -> HttpResponse:
    """Any page may load it: it is the same for all, and does nothing without a frame that the channel allows."""
    answer = HttpResponse(_loader(), content_type="text/javascript; charset=utf-8")
    answer["Cache-Control"] = f"public, max-age={SCRIPT_SECONDS}"
    answer["Cross-Origin-Resource-Policy"] = "cross-origin"
    return answer


@cache
def _loader() -> bytes:
    return as_sent(LOADER.read_text()).encode()


@require_safe
@xframe_options_exempt
@without_identity
@in_readers_language
def widget(request: HttpRequest, channel: str) -> HttpResponse:
    """The chat itself: in a frame, or by itself as a page to try it on."""
    found = widget_for(channel, is_on_needed=False)
    state = {
        "widget": widget_payload(found),
        "origins": allowed_origins(found),
        "words": words(found.workspace.name),
        "stars": STARS,
        "base": settings.PUBLIC_URL,
    }
    answer = render(request, "inbox/widget/widget.html", state)
    policy = POLICY.format(ancestors=frame_ancestors(found))
    answer["Content-Security-Policy"] = policy + (EVALUATING if settings.DEMO else "")
    answer["Cross-Origin-Resource-Policy"] = "cross-origin"
    answer["Referrer-Policy"] = "no-referrer"
    answer["Cache-Control"] = "no-store"
    return answer


def words(team: str) -> dict[str, str]:
    return {
        "open": _("Open the chat"),
        "close": _("Close the chat"),
        "unread": _("Open the chat, {n} new"),
        "online": _("We are here"),
        "away": _("We answer as soon as we can"),
        "with": _("{name} is here for you"),
        "typing": _("{name} is writing"),
        "somebody": _("Somebody is writing"),
        "you": _("You"),
        "team": team,
        "today": _("Today"),
        "sending": _("Sending"),
        "received": _("Sent"),
        "read": _("Read"),
        "failed": _("Not sent"),
        "retry": _("Try again"),
        "file": _("File"),
        "begin": _("Start the chat"),
        "thanks": _("Thank you"),
        "mailed": _("The transcript is on its way"),
        "failing": _("This is not getting through. We keep trying; what you wrote is kept here."),
        "offline": _("Reconnecting. What you write is kept here."),
        "off": _("The chat is closed at the moment. What you wrote is kept here."),
        # Answers of the server, by their code; the rest says `failed`.
        "wrong_file": _("This file cannot be sent"),
        "too_large": _("This file is too large"),
        "body_too_long": _("This is too long for one message"),
        "too_many_files": _("At most 5 files at once"),
        "where": _("Where can we write to you if you leave?"),
        "address": _("Your e-mail address"),
        "link_refused": _("This link is no longer good. You can start a new chat here."),
    }
