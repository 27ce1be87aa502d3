"""Twilio's content templates: their text, every blank, and whether WhatsApp has approved them."""

from collections.abc import Mapping
from typing import Any

from inbox.clients.kapso_templates import BLANK
from inbox.clients.outgoing import ListedTemplate

STATUSES = {
    "approved": "approved",
    "rejected": "rejected",
    "paused": "paused",
    "disabled": "paused",
}


def read_template(row: Mapping[str, Any]) -> ListedTemplate | None:
    """None for what has no id or name."""
    sid, name = row.get("sid"), row.get("friendly_name")
    types = row.get("types")
    if not isinstance(sid, str) or not sid or not isinstance(name, str) or not name:
        return None
    types = types if isinstance(types, dict) else {}
    given = row.get("variables")
    approval = _approval(row)
    return ListedTemplate(
        name=name,
        language=str(row.get("language") or "en"),
        status=STATUSES.get(str(approval.get("status", "approved")).lower(), "pending"),
        category=str(approval.get("category") or "")[:40].lower(),
        provider_id=sid,
        components=types,
        variables=_variables(types, given if isinstance(given, dict) else {}),
    )


def _approval(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """WhatsApp's word on it. A list without approvals, as of contents alone, tells nothing against it."""
    given = row.get("approval_requests")
    if isinstance(given, list):
        given = next((one for one in given if isinstance(one, dict)), None)
    return given if isinstance(given, dict) else {}


def _variables(types: Mapping[str, Any], examples: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Twilio fills blanks by name wherever they stand, so each is asked for once, where it is read first."""
    names = dict.fromkeys(BLANK.findall(text_of(types)))
    everywhere = dict.fromkeys(BLANK.findall(str(types)))
    ordered = [*names, *(name for name in everywhere if name not in names)]
    return [
        {
            "key": f"{'body' if name in names else 'button'}.{name}",
            "where": "body" if name in names else "button",
            "name": name,
            "example": str(examples.get(name, "")),
        }
        for name in ordered
    ]


def text_of(types: Mapping[str, Any]) -> str:
    """What a person reads of it: of several forms the first with words."""
    for content in types.values():
        body = content.get("body") or content.get("title") if isinstance(content, dict) else None
        if isinstance(body, str) and body:
            return body
    return ""
