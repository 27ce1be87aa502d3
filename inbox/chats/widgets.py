"""A channel's widget: what it says and asks, and on whose pages it may stand. All from the channel's settings."""

from typing import Any, TypedDict
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _

from config.errors import Forbidden
from crm.features import Feature, is_on
from inbox.chats import proof
from inbox.chats.queries import team_state
from inbox.models import Channel

QUESTIONS_AT_MOST = 5
EMAIL_AFTER_SECONDS = 60


class QuestionPayload(TypedDict):
    name: str  # name, email, or a key for the answer
    label: str
    required: bool


class WidgetPayload(TypedDict):
    channel: str
    name: str
    team: str  # the workspace
    enabled: bool  # the workspace has web chat switched on
    presence: str  # online or away
    greeting: str
    questions: list[QuestionPayload]
    accent: str  # a colour, or ""
    email_after: int  # seconds without an answer until an address is asked for; 0 is never
    rating: bool  # asked for at the end
    files: bool
    proof: str  # a challenge to solve before a visitor is admitted, or ""


class ForeignOrigin(Forbidden):
    code = "origin_refused"
    message = "This chat does not stand on that page."


def widget_payload(channel: Channel) -> WidgetPayload:
    """Reads workspace."""
    said = channel.settings
    return {
        "channel": channel.slug,
        "name": channel.name,
        "team": channel.workspace.name,
        "enabled": is_on(channel.workspace, Feature.WIDGET),
        "presence": team_state(channel.workspace_id, channel.workspace.slug),
        "greeting": _text(said.get("greeting"), 500) or _("Hello! How can we help?"),
        "questions": _questions(said.get("questions")),
        "accent": as_colour(said.get("accent")),
        "email_after": _seconds(said.get("email_after", EMAIL_AFTER_SECONDS)),
        "rating": said.get("rating", True) is not False,
        "files": said.get("files", True) is not False,
        "proof": proof.challenge(channel),
    }


def _text(value: object, longest: int) -> str:
    return value[:longest] if isinstance(value, str) else ""


def _seconds(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 86_400 else 0


def as_colour(value: object) -> str:
    """Six hexadecimal digits and nothing else: it goes into a style."""
    text = _text(value, 7).lower()
    is_hex = len(text) == 7 and text[0] == "#" and all(digit in "0123456789abcdef" for digit in text[1:])
    return text if is_hex else ""


def _questions(value: Any) -> list[QuestionPayload]:
    asked = [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
    return [
        {
            "name": _text(one.get("name"), 40),
            "label": _text(one.get("label"), 120),
            "required": one.get("required") is True,
        }
        for one in asked[:QUESTIONS_AT_MOST]
        if one.get("name") and one.get("label")
    ]


# --- On whose pages ---------------------------------------------------------------------------------------------


def allowed_origins(channel: Channel) -> list[str]:
    """None named: any page. `https://*.example.org` takes every name below."""
    named = channel.settings.get("origins")
    return [origin for origin in (named if isinstance(named, list) else []) if is_origin(origin)]


def is_origin(value: object) -> bool:
    """Nothing that could begin another directive of the policy it is put into."""
    if not isinstance(value, str) or any(sign in value for sign in " ;,\"'\n\r\t"):
        return False
    parts = urlsplit(value)
    return parts.scheme in {"http", "https"} and bool(parts.netloc) and not parts.path.strip("/") and not parts.query


def frame_ancestors(channel: Channel) -> str:
    return " ".join(["'self'", *(allowed_origins(channel) or ["*"])])


def check_origin(request: HttpRequest, channel: Channel) -> None:
    """A browser says which page asks. It asks from our own frame; with a list, the pages on it may ask themselves."""
    origin = request.headers.get("Origin")
    if origin is None or origin == f"{request.scheme}://{request.get_host()}" or origin == settings.PUBLIC_URL:
        return
    if not any(_fits(origin, allowed) for allowed in allowed_origins(channel)):
        raise ForeignOrigin


def _fits(origin: str, allowed: str) -> bool:
    scheme, _sep, host = allowed.rstrip("/").lower().partition("://")
    given_scheme, _sep, given_host = origin.lower().partition("://")
    if scheme != given_scheme:
        return False
    return given_host.endswith(host[1:]) and given_host != host[2:] if host.startswith("*.") else given_host == host
