"""Meta's message templates as Kapso lists them: what is fixed, and every blank that must be filled."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from inbox.clients.outgoing import ListedTemplate

BLANK = re.compile(r"\{\{\s*([A-Za-z0-9_]+)\s*\}\}")
MEDIA = frozenset({"image", "video", "document"})
# What Meta says of a template, in our four words; what is not here cannot be sent and waits.
STATUSES = {
    "APPROVED": "approved",
    "REJECTED": "rejected",
    "PAUSED": "paused",
    "DISABLED": "paused",
    "LIMIT_EXCEEDED": "paused",
    "DELETED": "rejected",
    "PENDING_DELETION": "rejected",
}


def read_template(row: Mapping[str, Any]) -> ListedTemplate | None:
    """None for a row without name or language."""
    name, language = row.get("name"), row.get("language")
    if not isinstance(name, str) or not isinstance(language, str) or not name or not language:
        return None
    components = [part for part in row.get("components") or () if isinstance(part, dict)]
    return ListedTemplate(
        name=name,
        language=language,
        status=STATUSES.get(str(row.get("status", "")).upper(), "pending"),
        category=str(row.get("category") or "")[:40].lower(),
        provider_id=str(row.get("id") or ""),
        components=components,
        variables=[variable for part in components for variable in _variables(part)],
    )


def _variables(component: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    kind = str(component.get("type", "")).lower()
    if kind == "header" and str(component.get("format", "TEXT")).lower() in MEDIA:
        media = str(component["format"]).lower()
        yield {"key": "header.media", "where": "header", "name": "media", "media": media, "example": ""}
    elif kind in {"header", "body"}:
        yield from _blanks(component, kind)
    elif kind == "buttons":
        for index, button in enumerate(component.get("buttons") or ()):
            if isinstance(button, dict):
                yield from _button(button, index)


def _blanks(component: Mapping[str, Any], where: str) -> Iterator[dict[str, Any]]:
    names = list(dict.fromkeys(BLANK.findall(str(component.get("text") or ""))))
    examples = _examples(component.get("example"), where, names)
    for name in names:
        yield {"key": f"{where}.{name}", "where": where, "name": name, "example": examples.get(name, "")}


def _button(button: Mapping[str, Any], index: int) -> Iterator[dict[str, Any]]:
    kind = str(button.get("type", "")).upper()
    example = button.get("example")
    shown = str(example[0]) if isinstance(example, list) and example else str(example or "")
    # Meta's example is the whole address, and what it takes is the end of it.
    shown = shown.removeprefix(BLANK.split(str(button.get("url") or ""))[0])
    common = {"where": "button", "index": index, "example": shown, "label": str(button.get("text") or "")}
    if kind == "COPY_CODE":
        yield {"key": f"button.{index}", "name": "code", "sub_type": "copy_code", **common}
    elif BLANK.search(str(button.get("url") or "")):
        yield {"key": f"button.{index}", "name": "url", "sub_type": "url", **common}


def _examples(given: Any, where: str, names: list[str]) -> dict[str, str]:
    """Meta keeps them in three shapes: by name, a row of rows for the body, a row for the header."""
    if not isinstance(given, dict):
        return {}
    named = given.get(f"{where}_text_named_params")
    if isinstance(named, list):
        return {str(row.get("param_name")): str(row.get("example", "")) for row in named if isinstance(row, dict)}
    row = given.get(f"{where}_text")
    row = row[0] if isinstance(row, list) and row and isinstance(row[0], list) else row
    if not isinstance(row, list):
        return {}
    return dict(zip(names, map(str, row), strict=False))
