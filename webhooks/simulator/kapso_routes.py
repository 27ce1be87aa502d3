"""Which call of Kapso's proxy is meant, and the answer."""

import re
from typing import TYPE_CHECKING

from webhooks.simulator import kapso
from webhooks.simulator.calls import Call
from webhooks.simulator.replies import Reply, graph_refusal
from webhooks.simulator.sending import take
from webhooks.simulator.state import Number
from webhooks.simulator.templates import META_TEMPLATES

if TYPE_CHECKING:
    from webhooks.simulator.world import World

_API = re.compile(r"/meta/whatsapp/v[0-9]+\.[0-9]+/([^/]+)(?:/([a-z_]+))?")
NOWHERE = Reply({"error": "Not found", "message": "The simulator has no such address."}, 404)
UPLOAD_LIMIT = 100 * 1024 * 1024


def is_for_kapso(path: str) -> bool:
    return bool(_API.fullmatch(path))


async def answer(world: "World", call: Call) -> Reply:
    found = _API.fullmatch(call.path)
    if found is None:
        return NOWHERE
    target, part = found[1], found[2] or ""
    kapso.authorised(world.ledger, call.headers)
    if part == "message_templates" and call.method == "GET":
        return _templates(world, target, call)
    if not part and target in world.ledger.files and call.method == "GET":
        return kapso.media(world.files, world.ledger.files[target])
    if not part and "phone_number_id" in call.query:
        raise kapso.no_object(target, call.method)
    number = kapso.number_of(world.ledger, target, call.method)
    match call.method, part:
        case "GET", "":
            return kapso.describe(number)
        case "GET", "messages":
            echo = world.behaviour.echo == "on"
            return kapso.listing(world.ledger, world.files, number, call.query, echo=echo)
        case "POST", "messages":
            return await _send(world, number, call)
        case "POST", "media":
            return _upload(world, number, call)
    return NOWHERE


async def _send(world: "World", number: Number, call: Call) -> Reply:
    message = kapso.checked(world.ledger, number, call.body, world.behaviour)
    if message is None:
        return Reply({"success": True})

    def accept(_fail: str) -> Reply:
        world.accept(message)
        return kapso.accepted(message)

    return await take(world, "kapso", kapso.refuse, accept)


def _upload(world: "World", number: Number, call: Call) -> Reply:
    fields, upload = call.file()
    if fields.get("messaging_product") != "whatsapp":
        raise graph_refusal(100, "The parameter messaging_product is required.")
    if upload is None or not upload[2]:
        raise graph_refusal(100, "The parameter file is required.")
    name, kind, content = upload
    content_type = fields.get("type") or kind
    kapso.check_upload(content_type, len(content))
    file = world.files.add(
        content, id_=kapso.media_id(), name=name, content_type=content_type, owner=number.phone_number_id
    )
    return Reply({"id": file.id})


def _templates(world: "World", target: str, call: Call) -> Reply:
    """Of any business account: which one a number belongs to is not told apart here."""
    if target in world.ledger.numbers:
        raise graph_refusal(100, "Tried accessing nonexisting field (message_templates) on node type (PhoneNumber)")
    wanted = ("name", "language", "status", "category")
    rows = [row for row in META_TEMPLATES if all(call.query.get(name, row[name]) == row[name] for name in wanted)]
    limit = kapso.page_limit(call.query.get("limit", ""))
    start = kapso.place_in(call.query, "after", len(rows))
    page = rows[start : start + limit]
    more = start + limit < len(rows)
    cursors = {"before": kapso.cursor(start), "after": kapso.cursor(start + len(page))} if page else {}
    paging = {"cursors": cursors} | ({"next": f"{world.options.own_url}{call.path}"} if more else {})
    return Reply({"data": page, "paging": paging})
