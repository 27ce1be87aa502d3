"""Spans, shares and comparisons as a person reads them."""

from datetime import timedelta

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

MINUTE, HOUR, DAY = 60, 3600, 86400
SHORT = 10 * MINUTE  # beyond it nobody counts seconds


def span(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    whole = round(seconds)
    if whole < MINUTE:
        return _("%(n)s s") % {"n": whole}
    if whole < HOUR:
        return _minutes(whole)
    if whole < 2 * DAY:
        hours, minutes = divmod(whole // MINUTE, 60)
        return _("%(n)s h %(m)s") % {"n": hours, "m": f"{minutes:02}"} if minutes else _("%(n)s h") % {"n": hours}
    return _("%(n)s d") % {"n": whole // DAY}


def _minutes(whole: int) -> str:
    minutes, seconds = divmod(whole, MINUTE)
    if whole < SHORT and seconds:
        return _("%(n)s m %(m)s") % {"n": minutes, "m": f"{seconds:02}"}
    return _("%(n)s m") % {"n": minutes}


def since(length: timedelta) -> str:
    return span(max(0.0, length.total_seconds()))


def number(value: float, places: int = 0) -> str:
    return str(number_format(value, decimal_pos=places, use_l10n=True))


def percent(share: float | None) -> str:
    if share is None:
        return "–"
    value = share * 100
    return _("%(n)s %%") % {"n": number(value, 1 if 0 < value < 10 and round(value, 1) % 1 else 0)}


def messages(count: int) -> str:
    return ngettext("%(n)s message", "%(n)s messages", count) % {"n": number(count)}


def faster(now: float | None, before: float | None) -> str:
    change = _change(now, before)
    if change is None:
        return ""
    if change == 0:
        return _("as before")
    words = _("%(n)s %% slower") if change > 0 else _("%(n)s %% faster")
    return words % {"n": number(abs(change))}


def more(now: float | None, before: float | None) -> str:
    change = _change(now, before)
    if change is None:
        return ""
    if change == 0:
        return _("as before")
    words = _("%(n)s %% more") if change > 0 else _("%(n)s %% fewer")
    return words % {"n": number(abs(change))}


def _change(now: float | None, before: float | None) -> int | None:
    """In percent; None where there is nothing to compare with."""
    if now is None or not before:
        return None
    return round((now - before) * 100 / before)
