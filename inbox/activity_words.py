"""What lines of activity say: whole sentences, of which each reader sees their own language's.

A line keeps the English words for programs (`body`) and, for pages, the sentence with what is put into it
(`detail.activity.said`). Pages look the sentence up when they show the line: the browser among the words that came with
the page, by the sentence itself, so that one which no page knows yet is shown in English.
"""

from collections.abc import Mapping
from typing import Any, TypedDict

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from config.errors import Said

ASSIGNED, TAKEN, UNASSIGNED = _("Assigned to {name}"), _("Taken"), _("Nobody has this any more")
GONE, AWAY, HANDED_BACK, NOT_HERE = "gone", "away", "handed_back", "not_here"
# Why somebody has no more what they had
LEFT = {
    GONE: _("{name} has left, so nobody has this"),
    AWAY: _("{name} is away, so nobody has this"),
    HANDED_BACK: _("{name} handed this back, so nobody has this"),
    NOT_HERE: _("{name} no longer answers here, so nobody has this"),
}
TEAM, NO_TEAM = _("Given to the team {name}"), _("Taken from its team")
RESOLVED, ENDED = _("Resolved"), _("Ended by the customer")
REOPENED, CAME_BACK = _("Reopened"), _("Reopened by the customer")
PENDING = _("Pending")
SNOOZED, SNOOZED_UNTIL = _("Snoozed until the customer writes"), _("Snoozed until {at}")
WOKEN, SNOOZING_ENDED = _("Back from snoozing"), _("Snoozing ended")
PRIORITIES = {
    "none": _("Priority: none"),
    "low": _("Priority: low"),
    "medium": _("Priority: medium"),
    "high": _("Priority: high"),
    "urgent": _("Priority: urgent"),
}
SPAM, NO_SPAM = _("Marked as spam"), _("Not spam after all")
LABELLED, UNLABELLED = _("Label added: {added}"), _("Label removed: {removed}")
RELABELLED = _("Label added: {added}. Label removed: {removed}")
MERGED = _("Another conversation became part of this one")
RATED, RATED_WITH = _("Rated {rating} of 5"), _("Rated {rating} of 5: {comment}")

SENTENCES = (
    *(ASSIGNED, TAKEN, UNASSIGNED, *LEFT.values(), TEAM, NO_TEAM, RESOLVED, ENDED, REOPENED, CAME_BACK, PENDING),
    *(SNOOZED, SNOOZED_UNTIL, WOKEN, SNOOZING_ENDED, *PRIORITIES.values(), SPAM, NO_SPAM),
    *(LABELLED, UNLABELLED, RELABELLED, MERGED, RATED, RATED_WITH),
)


class SaidPayload(TypedDict):
    sentence: str
    values: dict[str, Any]


def payload_of(said: Said) -> SaidPayload:
    return {"sentence": said.sentence, "values": said.values}


def words_of(body: str, detail: Mapping[str, Any] | None) -> str:
    """In the language of now. What was written without its sentence, as by older imports, reads as it was written."""
    said: SaidPayload | None = ((detail or {}).get("activity") or {}).get("said")
    if said is None:
        return body
    return gettext(said["sentence"]).format(**{name: _isolated(value) for name, value in said["values"].items()})


def _isolated(value: Any) -> Any:
    """As config/static/js/words.js does it: a name in another script must not turn the sentence around."""
    return f"\u2068{value}\u2069" if any(letter > "\u058f" for letter in str(value)) else value
