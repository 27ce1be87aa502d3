"""What each kind of message looks like in Meta's words, which Kapso's proxy takes as they are."""

import re
from collections.abc import Mapping
from typing import Any

from inbox.clients.outgoing import Kind, Media, Outgoing, Template, Upload
from jobs.errors import ProviderError

BSUID = re.compile(r"[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}", re.ASCII)
CAPTIONED = frozenset({"image", "video", "document"})


def addressed(to: str) -> dict[str, str]:
    """A number always with its plus: without, Meta may put the business's own country code before it."""
    if BSUID.fullmatch(to):
        return {"recipient": to}
    digits = re.sub(r"[^0-9]", "", to)
    if not 5 <= len(digits) <= 15:
        raise ProviderError("There is no WhatsApp number to send this to.", permanent=True, code="no_recipient")
    return {"to": f"+{digits}"}


def content_of(message: Outgoing) -> dict[str, Any]:
    if message.kind == Kind.REACTION:
        return {"type": "reaction", "reaction": {"message_id": message.reply_to, "emoji": message.body}}
    context = {"context": {"message_id": message.reply_to}} if message.reply_to else {}
    if message.kind == Kind.TEMPLATE and message.template:
        return {"type": "template", "template": _template(message.template), **context}
    if message.kind == Kind.MEDIA:
        media = message.media[0]
        return {"type": media.kind, media.kind: _media(media, message.body), **context}
    return {"type": "text", "text": {"body": message.body}, **context}


def _media(media: Media, caption: str) -> dict[str, Any]:
    part: dict[str, Any] = {"id": media.media_id} if media.media_id else {"link": media.link}
    if caption and media.kind in CAPTIONED:
        part["caption"] = caption
    if media.name and media.kind == "document":
        part["filename"] = media.name
    return part


# --- Templates --------------------------------------------------------------------------------------------


def _template(template: Template) -> dict[str, Any]:
    components = [_component(template, "header"), _component(template, "body"), *_buttons(template)]
    return {
        "name": template.name,
        "language": {"code": template.language},
        "components": [component for component in components if component],
    }


def _component(template: Template, where: str) -> dict[str, Any] | None:
    parameters = [
        _parameter(variable, template.values[variable["key"]])
        for variable in template.variables
        if variable["where"] == where
    ]
    return {"type": where, "parameters": parameters} if parameters else None


def _parameter(variable: Mapping[str, Any], value: str) -> dict[str, Any]:
    media = variable.get("media")
    if media:
        return {"type": media, media: {"link": value}}
    named = {} if str(variable["name"]).isdigit() else {"parameter_name": variable["name"]}
    return {"type": "text", **named, "text": value}


def _buttons(template: Template) -> list[dict[str, Any]]:
    buttons = []
    for variable in template.variables:
        if variable["where"] != "button":
            continue
        value = template.values[variable["key"]]
        code = variable.get("sub_type") == "copy_code"
        buttons.append(
            {
                "type": "button",
                "sub_type": variable.get("sub_type", "url"),
                "index": str(variable.get("index", 0)),
                "parameters": [{"type": "coupon_code", "coupon_code": value} if code else _text(value)],
            }
        )
    return buttons


def _text(value: str) -> dict[str, str]:
    return {"type": "text", "text": value}


# --- Uploads ----------------------------------------------------------------------------------------------


def form_around(upload: Upload, mark: str) -> tuple[bytes, bytes]:
    """What stands before and after the file's bytes in a form with the boundary `mark`."""
    name = re.sub(r'[\x00-\x1f"\\]', "_", upload.name) or "file"
    kind = re.sub(r"[^A-Za-z0-9!#$&^_.+;=/ -]", "", upload.content_type) or "application/octet-stream"
    fields = "".join(
        f'--{mark}\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n'
        for field, value in (("messaging_product", "whatsapp"), ("type", kind))
    )
    file = f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\nContent-Type: {kind}\r\n\r\n'
    return (fields + file).encode(), f"\r\n--{mark}--\r\n".encode()


# --- Reading answers --------------------------------------------------------------------------------------


def first(answer: Any, name: str) -> Mapping[str, Any]:
    rows = answer.get(name) if isinstance(answer, dict) else None
    row = rows[0] if isinstance(rows, list) and rows else None
    return row if isinstance(row, dict) else {}


def text(value: Any) -> str:
    return value if isinstance(value, str) else ""
