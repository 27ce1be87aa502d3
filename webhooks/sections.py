"""The section of /settings for outgoing webhooks: who is called, with what, and how that went."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from django.db.models import Count, Q
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from config.errors import Invalid, NotFound
from crm import features, feed
from crm.actors import Member
from crm.api.base import checked
from crm.features import Feature
from crm.roles import Action
from crm.sections.base import Done, Section, section
from webhooks.models import Call, CallState, Subscription
from webhooks.outgoing.access import visible_subscriptions
from webhooks.outgoing.api import NewSubscriptionBody, SubscriptionBody
from webhooks.outgoing.bodies import NOTES
from webhooks.outgoing.payloads import call_payloads
from webhooks.outgoing.queries import list_calls
from webhooks.services import subscriptions
from webhooks.services.subscriptions import MOST

ROWS = 25
ABOUT_CALLS = ("redeliver", "test")  # refused, they are told above the log
LOOKS = {
    # tone, icon, word
    CallState.PENDING: ("", "clock", _("Waiting")),
    CallState.DELIVERED: ("success", "check", _("Delivered")),
    CallState.FAILED: ("danger", "alert", _("Failed")),
}


@section
class Webhooks(Section):
    key, title, icon, group, needs = "webhooks", _("Webhooks"), "webhook", "dev", Action.MANAGE
    place, template = 20, "settings/webhooks.html"

    def context(self, actor: Member, request: HttpRequest) -> Mapping[str, Any]:
        rows = list(visible_subscriptions(actor).order_by("-id"))  # MOST at most
        about = request.POST if request.POST.get("do") in ABOUT_CALLS else {}
        asked = about.get("id") or request.GET.get("subscription", "")
        chosen = next((row for row in rows if str(row.pk) == asked), None)
        failed = _failed(rows)
        return {
            "subscriptions": [_shown(row, failed.get(row.pk, 0), request) for row in rows],
            "blank": _fresh({}, []),
            "typed": _fresh(request.POST, _ticked(request)),
            "most": MOST,
            "off": not features.is_on(actor.workspace_id, Feature.OUTGOING_WEBHOOKS),
            **(_log(actor, chosen, request) if chosen else {}),
        }

    def done(self, actor: Member, request: HttpRequest) -> Done:
        features.check(actor.workspace_id, Feature.OUTGOING_WEBHOOKS)
        return super().done(actor, request)

    def do_create(self, actor: Member, request: HttpRequest) -> Done:
        given = checked(NewSubscriptionBody(data=_typed(request)))
        made, secret = subscriptions.create_subscription(actor=actor, **given)
        return Done(_("Subscribed"), {"secret": secret, "of": name_of(made)})

    def do_save(self, actor: Member, request: HttpRequest) -> Done:
        given = checked(SubscriptionBody(data=_typed(request)))
        subscriptions.update_subscription(actor=actor, subscription_id=_id(request), **given)
        return Done(_("Saved"))

    def do_pause(self, actor: Member, request: HttpRequest) -> Done:
        subscriptions.update_subscription(actor=actor, subscription_id=_id(request), is_active=False)
        return Done(_("Paused: nobody is called, and what happens meanwhile is kept"))

    def do_catch_up(self, actor: Member, request: HttpRequest) -> Done:
        subscriptions.update_subscription(actor=actor, subscription_id=_id(request), is_active=True, resume="catch_up")
        return Done(_("On again: what was missed follows"))

    def do_from_now(self, actor: Member, request: HttpRequest) -> Done:
        subscriptions.update_subscription(actor=actor, subscription_id=_id(request), is_active=True, resume="now")
        return Done(_("On again, from now"))

    def do_rotate(self, actor: Member, request: HttpRequest) -> Done:
        changed, secret = subscriptions.rotate_secret(actor=actor, subscription_id=_id(request))
        return Done(
            _("A new secret; the old one signs beside it for a day"), {"secret": secret, "of": name_of(changed)}
        )

    def do_test(self, actor: Member, request: HttpRequest) -> Done:
        subscriptions.send_test(actor=actor, subscription_id=_id(request))
        return _to_log(request, _("A test is on its way"))

    def do_delete(self, actor: Member, request: HttpRequest) -> Done:
        subscriptions.delete_subscription(actor=actor, subscription_id=_id(request))
        return Done(_("Removed"))

    def do_redeliver(self, actor: Member, request: HttpRequest) -> Done:
        call_id = _uuid(request.POST.get("call", ""))
        subscriptions.redeliver(actor=actor, subscription_id=_id(request), call_id=call_id)
        return _to_log(request, _("Goes out once more"))


def name_of(subscription: Subscription) -> str:
    """What a person knows it by: their own words, else where it leads."""
    return subscription.description or urlsplit(subscription.url).netloc or str(_("For fetching"))


def _uuid(raw: str) -> UUID:
    try:
        return UUID(raw)
    except ValueError:
        raise NotFound from None


def _id(request: HttpRequest) -> UUID:
    return _uuid(request.POST.get("id", ""))


def _to_log(request: HttpRequest, word: Any) -> Done:
    kept = {"workspace": slug} if (slug := request.GET.get("workspace", "")) else {}
    query = urlencode({**kept, "subscription": str(_id(request)), "done": str(word)})
    return Done(word, to=f"/settings/webhooks?{query}")


def _ticked(request: HttpRequest) -> list[str]:
    """None at all and "everything" are the same."""
    return [] if request.POST.get("which") == "all" else request.POST.getlist("event_types")


def _typed(request: HttpRequest) -> dict[str, Any]:
    named = _ticked(request)
    if request.POST.get("which") == "some" and not named:
        raise Invalid(errors={"event_types": str(_("Tick what it should hear of."))})
    words = {name: request.POST.get(name, "").strip() for name in ("url", "description")}
    return {**words, "event_types": named}


def _event_choices(named: list[str]) -> list[tuple[str, bool, bool]]:
    """Name, whether it is ticked, whether it tells what was written in private."""
    return [(name, name in named, name.startswith(NOTES)) for name in feed.types()]


def _fresh(given: Mapping[str, Any], named: list[str]) -> dict[str, Any]:
    """The form for a new one."""
    words = {name: given.get(name, "") for name in ("url", "description")}
    return {**words, "all": given.get("which", "all") == "all", "events": _event_choices(named)}


def _failed(rows: list[Subscription]) -> dict[UUID, int]:
    counted = Q(state=CallState.FAILED, subscription__in=rows)
    found = Call.objects.filter(counted).order_by().values_list("subscription").annotate(Count("pk"))
    return dict(found)


def _shown(row: Subscription, failed: int, request: HttpRequest) -> dict[str, Any]:
    """As it is, or as it was just typed where that was refused."""
    again = request.POST.get("do") == "save" and request.POST.get("id") == str(row.pk)
    named = _ticked(request) if again else row.event_types
    given = request.POST if again else {"url": row.url, "description": row.description}
    return {
        "id": str(row.pk),
        "name": name_of(row),
        "url": given.get("url", ""),
        "host": urlsplit(row.url).netloc,
        "description": given.get("description", ""),
        "all": not named,
        "events": _event_choices(named),
        "count": len(row.event_types),
        "is_active": row.is_active,
        "reason": row.disabled_reason,
        "failing_since": row.failing_since,
        "failed": failed,
        "created_at": row.created_at,
        "open": again,
    }


def _log(actor: Member, chosen: Subscription, request: HttpRequest) -> dict[str, Any]:
    state = request.GET.get("state", "")
    state = state if state in CallState.values else ""
    found = list_calls(actor, chosen.pk, state=state or None, cursor=request.GET.get("cursor"), limit=ROWS)
    kept = {"workspace": request.GET.get("workspace", ""), "subscription": str(chosen.pk)}

    def address(**more: str) -> str:
        return "?" + urlencode({name: value for name, value in {**kept, **more}.items() if value})

    return {
        "chosen": {"id": str(chosen.pk), "name": name_of(chosen), "can_send": bool(chosen.url)},
        "calls": [(row, *LOOKS[CallState(row["state"])]) for row in call_payloads(found.rows)],
        "states": [("", _("All"), address(), not state)]
        + [(name, LOOKS[name][2], address(state=name.value), state == name.value) for name in CallState],
        "narrowed": state,
        "newer": address(state=state, cursor=found.previous) if found.previous else "",
        "older": address(state=state, cursor=found.next) if found.next else "",
    }
