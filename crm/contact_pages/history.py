"""The timeline's entries as sentences. What another app tells of and nobody has words for here shows by its title."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext

from crm.actors import Member
from crm.contact_pages import words
from crm.contact_pages.frame import Choices
from crm.roles import Action
from crm.timeline import TimelineItem

# Currencies whose smallest unit is the unit itself
WHOLE = frozenset({"JPY", "KRW", "VND", "CLP", "PYG", "UGX", "XAF", "XOF", "RWF", "KMF", "DJF", "GNF", "BIF", "MGA"})
CONVERSATION = {"open": "accent", "pending": "warning"}


@dataclass(slots=True)
class Line:
    key: str
    kind: str
    at: Any
    icon: str = "clock"
    title: str = ""
    href: str = ""
    badge: str = ""
    tone: str = ""
    waiting_since: Any = None
    text: str = ""
    who: str = ""
    note: dict[str, Any] = field(default_factory=dict)
    merge: str = ""  # one that can be undone from here


@dataclass(frozen=True, slots=True)
class Reader:
    actor: Member
    choices: Choices
    contact: Any


def lines(items: list[TimelineItem], reader: Reader) -> list[Line]:
    return [_line(item, reader) for item in items]


def _line(item: TimelineItem, reader: Reader) -> Line:
    line = Line(key=item["id"], kind=item["kind"], at=item["at"])
    _TOLD.get(item["kind"], _other)(line, item["data"], reader)
    return line


def _other(line: Line, data: dict[str, Any], reader: Reader) -> None:
    line.title = str(data.get("title") or line.kind.replace("_", " ").capitalize())
    line.text = str(data.get("text") or "")


def _conversation(line: Line, data: dict[str, Any], reader: Reader) -> None:
    channel = data["channel"]
    last = data.get("last_message") or {}
    line.icon = f"channel-{channel['kind']}"
    line.title = _("Conversation on %(channel)s") % {"channel": channel["name"]}
    line.href = f"/inbox/{data['id']}"
    line.badge = str(_STATUS.get(data["status"], data["status"]))
    line.tone = CONVERSATION.get(data["status"], "")
    if data["status"] == "open" and data.get("waiting_since"):
        line.waiting_since = datetime.fromisoformat(data["waiting_since"])
    line.text = last.get("body") or ""
    line.who = (data.get("assignee") or {}).get("name", "")


_STATUS: dict[str, Promise] = {
    "open": lazy("Open"),
    "pending": lazy("Pending"),
    "snoozed": lazy("Snoozed"),
    "resolved": lazy("Resolved"),
}


def _beginning(line: Line, data: dict[str, Any], reader: Reader) -> None:
    first = data.get("first_message") or {}
    line.icon = f"channel-{data['channel']['kind']}"
    line.title = _("Conversation began on %(channel)s") % {"channel": data["channel"]["name"]}
    line.href = f"/inbox/{data['id']}"
    line.text = first.get("body") or ""


def _note(line: Line, data: dict[str, Any], reader: Reader) -> None:
    author = data.get("author") or {}
    own = author.get("id") == str(reader.actor.user_id) or reader.actor.may(Action.MANAGE)
    names = {one["id"]: one["name"] for one in (*reader.choices.people, *reader.choices.teams)}
    line.icon = "note"
    line.title = _("Note")
    line.who = author.get("name") or _("Somebody")
    line.note = {
        "id": data["id"],
        "body": data["body"],
        "mentions": {one: names[one] for one in data.get("mentions") or [] if one in names},
        "may_change": own and reader.actor.may(Action.NOTE),
    }


_ACTIONS: dict[str, tuple[str, Promise]] = {
    "contact.created": ("plus", lazy("Added to the contacts")),
    "contact.deleted": ("x", lazy("Deleted")),
    "contact.restored": ("retry", lazy("Brought back")),
    "contact.exported": ("download", lazy("Personal data exported")),
    "contact.updated": ("edit", lazy("Changed")),
}


def _change(line: Line, data: dict[str, Any], reader: Reader) -> None:
    action, detail = data["action"], data.get("detail") or {}
    line.icon, title = _ACTIONS.get(action, ("info", action.rpartition(".")[2].replace("_", " ").capitalize()))
    line.title = str(title)
    line.who = (data.get("actor") or {}).get("name") or _("The system")
    if action == "contact.updated":
        told = [_told(name, before_after, reader) for name, before_after in detail.items() if name in words.FIELDS]
        if fields := [str(words.FIELDS.get(name, name)) for name in detail.get("fields", [])]:
            told.append(_("%(fields)s changed") % {"fields": ", ".join(fields)})
        line.title = " · ".join(told) or line.title


def _told(name: str, change: Any, reader: Reader) -> str:
    title = str(words.FIELDS[name])
    if not isinstance(change, list) or len(change) != 2:
        return title
    before, after = (_shown(name, value, reader) for value in change)
    return f"{title}: {before} → {after}"


def _shown(name: str, value: Any, reader: Reader) -> str:
    if value in (None, "", []):
        return _("None")
    if name == "owner":
        return reader.choices.name_of(str(value)) or _("Somebody")
    return words.lead(value) if name == "lead_status" else words.value(value)


def _merge(line: Line, data: dict[str, Any], reader: Reader) -> None:
    line.icon = "copy"
    line.title = _("A merge was undone") if data["undone"] else _("Merged with another contact")
    line.who = (data.get("by") or {}).get("name", "")
    is_kept = data["winner"] == str(reader.contact.pk)
    if not data["undone"] and is_kept and reader.actor.may(Action.EDIT_CONTACTS):
        line.merge = data["id"]


_BILLED: dict[str, tuple[str, Promise]] = {
    "known": ("", lazy("Known to billing")),
    "subscribed": ("success", lazy("Subscribed")),
    "cancellation_asked": ("warning", lazy("Cancellation asked for")),
    "ended": ("", lazy("Subscription ended")),
    "payment_failed": ("danger", lazy("A payment failed")),
}


def _billing(line: Line, data: dict[str, Any], reader: Reader) -> None:
    line.icon = "card"
    line.tone, title = _BILLED.get(data["what"], ("", data["what"]))
    line.title = str(title)


def _payment(line: Line, data: dict[str, Any], reader: Reader) -> None:
    line.icon = "card"
    title = {
        "paid": _("Payment received"),
        "failed": _("Payment failed"),
        "pending": _("Payment is under way"),
        "refunded": _("Payment given back"),
    }
    line.title = title.get(data["status"], _("Payment"))
    line.tone = {"paid": "success", "failed": "danger"}.get(data["status"], "")
    line.badge = money(data.get("amount") or 0, data.get("currency") or "")
    line.text = data.get("failure") or ""
    given_back = data.get("refunded_amount") or 0
    if given_back and data["status"] != "refunded":
        amount = money(given_back, data.get("currency") or "")
        line.text = _("%(amount)s of it given back") % {"amount": amount}


def _import(line: Line, data: dict[str, Any], reader: Reader) -> None:
    line.icon = "file"
    line.title = _("Added by an import") if data["created"] else _("Changed by an import")
    line.who = (data.get("by") or {}).get("name", "")
    if data.get("filename"):
        line.text = _("%(file)s, row %(row)s") % {"file": data["filename"], "row": data["row"]}


_ENDED: dict[str, tuple[str, Promise]] = {
    "submitted": ("success", lazy("Submitted")),
    "terminated": ("danger", lazy("Ended by a tutor")),
    "expired": ("warning", lazy("Expired")),
}


def _exam(line: Line, data: dict[str, Any], reader: Reader) -> None:
    line.icon = "proctor"
    line.href = f"/proctor/{data['exam']}"
    is_start = data["what"] == "started"
    title = _("Began the exam %(exam)s") if is_start else _("Ended the exam %(exam)s")
    line.title = title % {"exam": data["title"] or data["exam"]}
    if not is_start:
        line.tone, badge = _ENDED.get(data["status"], ("", data["status"]))
        line.badge = str(badge)
        count = data["violation_count"]
        line.text = ngettext("%(n)s violation", "%(n)s violations", count) % {"n": count} if count else ""


def money(amount: int, currency: str) -> str:
    shown = f"{amount:,}" if currency in WHOLE else f"{amount / 100:,.2f}"
    return f"{currency} {shown}".strip()


_TOLD: dict[str, Callable[[Line, dict[str, Any], Reader], None]] = {
    "conversation": _conversation,
    "conversation_started": _beginning,
    "note": _note,
    "change": _change,
    "merge": _merge,
    "billing": _billing,
    "payment": _payment,
    "import": _import,
    "exam": _exam,
}
