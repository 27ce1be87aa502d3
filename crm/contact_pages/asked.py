"""What the address of /contacts asks for: the list's own parameters, and how the page shows them."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from crm.queries.contact_filters import ATTRIBUTE

LONGEST = 200
LISTS = ("lead_status", "owner", "tags", "tags_all", "tags_none", "subscription", "journey_phase", "band")
PLAIN = ("q", "score_min", "score_max", "seen_within", "has_phone", "has_email", "deleted")
TIMES = ("created_after", "created_before", "seen_after", "seen_before")
ELSEWHERE = ("workspace", "layout", "view", "sort")
FILTERS = (*LISTS, *PLAIN, *TIMES)
# Columns of the board that show more than their first cards: more=<status>:<how many>
MOST_CARDS = 200


class Asked:
    """A parameter that means nothing here is as if it were not there."""

    def __init__(self, query: Mapping[str, str]) -> None:
        known = {*FILTERS, *ELSEWHERE}
        self.given = {
            name: value.strip()[:LONGEST]
            for name, value in query.items()
            if (name in known or name.startswith(ATTRIBUTE)) and value.strip()
        }
        self.cursor = query.get("cursor", "")[:LONGEST]
        self.more = _cards(query.get("more", ""))

    @property
    def layout(self) -> str:
        return "board" if self.given.get("layout") == "board" else "table"

    @property
    def q(self) -> str:
        return self.given.get("q", "")

    @property
    def view(self) -> str:
        return self.given.get("view", "")

    @property
    def filters(self) -> dict[str, str]:
        return {name: value for name, value in self.given.items() if name not in ELSEWHERE}

    @property
    def query(self) -> dict[str, str]:
        """As the list and the board's counts take it."""
        return {name: value for name, value in self.given.items() if name not in {"workspace", "layout"}}

    def values(self, name: str) -> list[str]:
        return [one.strip() for one in self.given.get(name, "").split(",") if one.strip()]

    # --- addresses ------------------------------------------------------------------------------------------------

    def address(self, **changes: str | None) -> str:
        """This page with something else; a new filter begins at its first page."""
        return _link({**self.given, **changes})

    def toggled(self, name: str, value: str) -> str:
        held = self.values(name)
        now = [one for one in held if one != value] if value in held else [*held, value]
        return self.address(**{name: ",".join(now) or None})

    def switched(self, name: str, value: str) -> str:
        return self.address(**{name: None if self.given.get(name) == value else value})

    @property
    def bare(self) -> str:
        """Without filters, in the same place."""
        return _link({name: self.given.get(name) for name in ("workspace", "layout")})

    @property
    def as_table(self) -> str:
        return self.address(layout=None)

    @property
    def as_board(self) -> str:
        return self.address(layout="board")

    @property
    def newest(self) -> str:
        return self.address(sort=None)

    @property
    def without_attributes(self) -> list[tuple[str, str]]:
        return [(name, value) for name, value in self.given.items() if not name.startswith(ATTRIBUTE)]

    @property
    def export(self) -> str:
        return _link(self.query) if self.query else ""

    def with_more(self, status: str, shown: int) -> str:
        cards = {**self.more, status: shown}
        words = ",".join(f"{name.replace(',', '')}:{number}" for name, number in cards.items())
        return self.address(more=words)

    @property
    def hidden(self) -> list[tuple[str, str]]:
        """What the search carries along."""
        return [(name, value) for name, value in self.given.items() if name != "q"]

    # --- as a saved view ------------------------------------------------------------------------------------------

    def tree(self, types: Mapping[str, str], held: Mapping[str, Any] | None) -> dict[str, Any]:
        """The filters as a view keeps them; `held` is the tree of the view they narrow."""
        found: list[Any] = [held] if held else []
        for name, value in self.filters.items():
            if condition := self._condition(name, value, types):
                found.append(condition)
        return {"all": found} if found else {}

    def _condition(self, name: str, value: str, types: Mapping[str, str]) -> dict[str, Any] | None:
        if name == "q":
            return _words(value)
        if name == "deleted":
            return None
        if name.startswith(ATTRIBUTE):
            return {"field": name, "is": "is", "value": _typed(value, types.get(name.removeprefix(ATTRIBUTE), ""))}
        if name in LISTS:
            field, operator = _LISTED.get(name, (name, "in"))
            return {"field": field, "is": operator, "value": self.values(name)}
        field, operator = _SINGLE[name]
        return {"field": field, "is": operator, "value": value if name in TIMES else _plain(value)}


_LISTED = {
    "tags": ("tags", "any"),
    "tags_all": ("tags", "all"),
    "tags_none": ("tags", "none"),
    "band": ("burnout_band", "in"),
}
_SINGLE = {
    "score_min": ("lead_score", "at_least"),
    "score_max": ("lead_score", "at_most"),
    "seen_within": ("last_seen", "within_days"),
    "has_phone": ("has_phone", "is"),
    "has_email": ("has_email", "is"),
    "created_after": ("created_at", "after"),
    "created_before": ("created_at", "before"),
    "seen_after": ("last_seen", "after"),
    "seen_before": ("last_seen", "before"),
}


def _words(text: str) -> dict[str, Any]:
    """A view has no free search: what was typed becomes parts of a name, an address or a number."""
    any_of: list[dict[str, Any]] = [
        {"field": "name", "is": "contains", "value": text},
        {"field": "email", "is": "contains", "value": text},
    ]
    if any(character.isdigit() for character in text):
        any_of.append({"field": "phone", "is": "contains", "value": text})
    return {"any": any_of}


def _plain(value: str) -> Any:
    if value in {"true", "false"}:
        return value == "true"
    return int(value) if value.isascii() and value.isdigit() else value


def _typed(value: str, kind: str) -> Any:
    if kind == "boolean":
        return value == "true"
    if kind == "number":
        try:
            return float(value) if "." in value else int(value)
        except ValueError:
            return value
    return value


def _cards(text: str) -> dict[str, int]:
    found = {}
    for part in text[:LONGEST].split(","):
        name, colon, number = part.rpartition(":")
        if colon and number.isascii() and number.isdigit() and len(number) <= len(str(MOST_CARDS)):
            found[name] = min(int(number), MOST_CARDS)
    return found


def _link(query: Mapping[str, str | None]) -> str:
    words = urlencode({name: value for name, value in query.items() if value})
    return f"?{words}" if words else "/contacts"
