"""The kinds of notices, the ways they reach somebody, and which of those each member wants."""

from collections.abc import Mapping
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

PREFERENCE = "notices"  # its name among a member's preferences, which hold only what differs from WORKS_BY_DEFAULT


class Kind(models.TextChoices):
    ASSIGNED = "assigned", _("A conversation is given to me")
    MENTIONED = "mentioned", _("Somebody mentions me or my team")
    MESSAGE = "message", _("A customer writes in a conversation of mine")
    NOTE = "note", _("A colleague leaves a note in a conversation of mine")
    RETURNED = "returned", _("A conversation of mine is open again")
    HELD = "held", _("A message that was to go out later is held back")
    TEAM = "team", _("A conversation is given to my team")
    OPENED = "opened", _("A customer begins a conversation that is nobody's")


class Way(models.TextChoices):
    PAGE = "page", _("In the page")
    SOUND = "sound", _("Sound")
    DESKTOP = "desktop", _("Desktop")
    EMAIL = "email", _("E-mail")
    PUSH = "push", _("Push")


_SEEN = frozenset({Way.PAGE, Way.SOUND, Way.DESKTOP})
WORKS_BY_DEFAULT: Mapping[Kind, frozenset[Way]] = {
    Kind.ASSIGNED: frozenset(Way),
    Kind.MENTIONED: frozenset(Way),
    Kind.MESSAGE: frozenset(Way),
    Kind.NOTE: frozenset({Way.PAGE}),
    Kind.RETURNED: _SEEN | {Way.PUSH},
    Kind.HELD: frozenset(Way),
    Kind.TEAM: _SEEN,
    Kind.OPENED: frozenset(),
}


def ways_of(preferences: Mapping[str, Any], kind: Kind) -> frozenset[Way]:
    """Of the preferences of a member."""
    wanted = dict.fromkeys(WORKS_BY_DEFAULT[kind], True) | _changed(preferences, kind)
    return frozenset(way for way in Way if wanted.get(way))


def _changed(preferences: Mapping[str, Any], kind: Kind) -> dict[Way, bool]:
    given = preferences.get(PREFERENCE, {}).get(kind.value, {})
    return {Way(name): bool(value) for name, value in given.items() if name in Way.values}


def all_ways(preferences: Mapping[str, Any]) -> dict[str, dict[str, bool]]:
    """Every kind and way with whether it is wanted."""
    found = {}
    for kind in Kind:
        wanted = ways_of(preferences, kind)
        found[kind.value] = {way.value: way in wanted for way in Way}
    return found


def changed_by(given: Mapping[str, Mapping[str, bool]], preferences: Mapping[str, Any]) -> dict[str, dict[str, bool]]:
    """What is kept after somebody has said `given`; what they did not name stays as it was."""
    wanted = all_ways(preferences)
    for name, ways in given.items():
        wanted[name] |= ways
    kept = {}
    for kind in Kind:
        now = {way: on for way, on in wanted[kind.value].items() if on != (Way(way) in WORKS_BY_DEFAULT[kind])}
        if now:
            kept[kind.value] = now
    return kept
