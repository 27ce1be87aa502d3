"""The chips and menus above the list: each entry is an address with that filter put on or taken off."""

from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from crm.contact_pages import words
from crm.contact_pages.asked import Asked
from crm.contact_pages.frame import Choices
from crm.models import SubscriptionStatus
from crm.queries.board import TagPayload
from crm.queries.contact_filters import ATTRIBUTE

MOST_TAGS = 30
RECENT = "30"  # days


@dataclass(frozen=True, slots=True)
class Entry:
    title: str
    href: str
    chosen: bool
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Menu:
    name: str
    title: str
    entries: list[Entry]
    clear: str
    chosen: str = field(default="")  # what the chip says of it


def menus(asked: Asked, choices: Choices, tags: list[TagPayload]) -> list[Menu]:
    found = [
        _menu(asked, "lead_status", _("Lead status"), [(one, words.lead(one), "") for one in choices.lead_statuses]),
        _menu(asked, "owner", _("Owner"), _owners(choices)),
        _menu(asked, "tags", _("Tags"), _tags(asked, tags)),
        _menu(
            asked,
            "subscription",
            _("Billing"),
            [(one, words.subscription(one), "") for one in words.SUBSCRIPTION if one in SubscriptionStatus.values],
        ),
    ]
    return [menu for menu in found if menu.entries]


def _menu(asked: Asked, name: str, title: str, known: list[tuple[str, str, str]]) -> Menu:
    held = asked.values(name)
    titles = {value: shown for value, shown, _hint in known}
    strange = [(value, value, "") for value in held if value not in titles]
    entries = [
        Entry(shown, asked.toggled(name, value), value in held, hint)
        for value, shown, hint in [*known, *strange]
        if "," not in value  # the list's own parameter could not say it
    ]
    chosen = ", ".join(titles.get(value, value) for value in held[:2])
    if len(held) > 2:
        chosen = f"{chosen} +{len(held) - 2}"
    return Menu(name, title, entries, asked.address(**{name: None}), chosen)


def _owners(choices: Choices) -> list[tuple[str, str, str]]:
    people = [(one["id"], one["name"], "") for one in choices.people]
    return [("me", _("Me"), ""), ("none", _("Nobody"), ""), *people]


def _tags(asked: Asked, tags: list[TagPayload]) -> list[tuple[str, str, str]]:
    return [(tag["name"], tag["name"], str(tag["count"])) for tag in tags[:MOST_TAGS]]


def toggles(asked: Asked) -> list[Entry]:
    """Filters with one sensible value."""
    return [
        Entry(title, asked.switched(name, value), asked.given.get(name) == value)
        for name, value, title in (
            ("seen_within", RECENT, _("Seen in 30 days")),
            ("has_phone", "true", _("Has a number")),
            ("has_email", "true", _("Has an e-mail")),
        )
    ]


def others(asked: Asked, choices: Choices) -> list[Entry]:
    """What narrows the list and has no chip of its own: shown so that it can be taken away."""
    shown = {"lead_status", "owner", "tags", "subscription", "q"}
    plain = {("seen_within", RECENT), ("has_phone", "true"), ("has_email", "true")}
    labels = {one["key"]: one["label"] for one in choices.attributes}
    found = []
    for name, value in asked.filters.items():
        if name in shown or (name, value) in plain:
            continue
        found.append(Entry(_told(name, value, labels), asked.address(**{name: None}), True))
    return found


def _told(name: str, value: str, labels: dict[str, str]) -> str:
    if name.startswith(ATTRIBUTE):
        key = name.removeprefix(ATTRIBUTE)
        value = {"true": _("Yes"), "false": _("No")}.get(value, value)
        return f"{labels.get(key, key)}: {value}"
    if name == "deleted":
        return _("Deleted")
    title = {
        "score_min": _("Score from"),
        "score_max": _("Score up to"),
        "seen_within": _("Seen within days"),
        "has_phone": _("Has a number"),
        "has_email": _("Has an e-mail"),
        "created_after": _("Added after"),
        "created_before": _("Added before"),
        "seen_after": _("Seen after"),
        "seen_before": _("Seen before"),
        "tags_all": _("All tags of"),
        "tags_none": _("None of the tags"),
        "journey_phase": _("Journey"),
        "band": _("Burnout"),
    }[name]
    return f"{title}: {value}"


def attribute_fields(asked: Asked, choices: Choices) -> list[dict[str, Any]]:
    """The dialog's fields, each with what it holds now."""
    found = []
    for one in choices.attributes:
        name = ATTRIBUTE + one["key"]
        found.append({**one, "name": name, "value": asked.given.get(name, "")})
    return found
