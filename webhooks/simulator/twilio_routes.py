"""Which call of Twilio's API is meant, and the answer."""

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from webhooks.simulator import twilio
from webhooks.simulator.calls import Call
from webhooks.simulator.replies import Reply
from webhooks.simulator.sending import take
from webhooks.simulator.state import Account, Text
from webhooks.simulator.templates import CONTENTS

if TYPE_CHECKING:
    from webhooks.simulator.world import World

_API = re.compile(r"/2010-04-01/Accounts/(AC[0-9a-fA-F]{32})(?:/(.+))?")
_CONTENT = re.compile(r"/v1/Content(?:AndApprovals)?(?:/(HX[0-9a-f]{32})(/ApprovalRequests)?)?")
_MEDIA = re.compile(r"Messages/([A-Z]{2}\w+)/Media(?:/(ME\w+?))?(\.json)?", re.ASCII)
_ONE = re.compile(r"Messages/([A-Z]{2}\w+)\.json", re.ASCII)


def is_for_twilio(path: str) -> bool:
    return bool(_API.fullmatch(path.removesuffix(".json")) or _CONTENT.fullmatch(path))


async def answer(world: "World", call: Call) -> Reply:
    content = _CONTENT.fullmatch(call.path)
    if content:
        return _contents(twilio.authorised(world.ledger, call), call, content[1], approval=bool(content[2]))
    found = _API.fullmatch(call.path)
    if found is None:  # /Accounts/AC….json
        found = _API.fullmatch(call.path.removesuffix(".json"))
        account = twilio.authorised(world.ledger, call, found[1] if found else "-")
        return Reply({"sid": account.sid, "friendly_name": "Switchboard Demo", "status": "active", "type": "Full"})
    account, rest = twilio.authorised(world.ledger, call, found[1]), found[2] or ""
    if rest == "Messages.json" and call.method == "POST":
        return await _send(world, account, call)
    if rest == "Messages.json" and call.method == "GET":
        return twilio.listing(world.ledger, account, call)
    one, media = _ONE.fullmatch(rest), _MEDIA.fullmatch(rest)
    if one and call.method == "GET":
        return Reply(twilio.resource(world.ledger, _text(world, account, one[1], call)))
    if media and call.method == "GET":
        return _media(world, _text(world, account, media[1], call), media[2] or "", bool(media[3]), call)
    raise twilio.not_found(call.path)


async def _send(world: "World", account: Account, call: Call) -> Reply:
    text = twilio.checked(world.ledger, account, call.form(), world.behaviour)

    def accept(fail: str) -> Reply:
        taken = replace(text, plan="failed", code=twilio.OUTSIDE_WINDOW) if fail == "window" else text
        world.twilio.accept(taken)
        return Reply(twilio.resource(world.ledger, taken, fresh=True), 201)

    return await take(world, "twilio", twilio.refuse, accept)


def _text(world: "World", account: Account, sid: str, call: Call) -> Text:
    text = world.ledger.texts.get(sid)
    if text is None or text.account != account.sid:
        raise twilio.not_found(call.path)
    return text


def _media(world: "World", text: Text, sid: str, as_json: bool, call: Call) -> Reply:
    files = [world.ledger.files[id_] for id_ in text.media if id_ in world.ledger.files]
    if not sid:
        rows = [twilio.media_resource(text, file) for file in files]
        return Reply({"media_list": rows, "page": 0, "page_size": 50, "next_page_uri": None, "uri": call.path})
    file = next((file for file in files if file.id == sid), None)
    if file is None:
        raise twilio.not_found(call.path)
    if as_json:
        return Reply(twilio.media_resource(text, file))
    return Reply({}, 307, {"Location": world.files.storage_url(file)}, content=b"")


def _contents(account: Account, call: Call, sid: str | None, *, approval: bool) -> Reply:
    if call.method != "GET":
        raise twilio.not_found(call.path)
    if sid is None:
        with_approvals = "AndApprovals" in call.path
        rows = [
            twilio.content_resource(content, account)
            | ({"approval_requests": twilio.approval(content)["whatsapp"]} if with_approvals else {})
            for content in CONTENTS
        ]
        url = f"https://content.twilio.com{call.path}?PageSize=50&Page=0"
        meta = {"page": 0, "page_size": 50, "first_page_url": url, "previous_page_url": None, "url": url}
        return Reply({"contents": rows, "meta": meta | {"next_page_url": None, "key": "contents"}})
    content = next((content for content in CONTENTS if content.sid == sid), None)
    if content is None:
        raise twilio.not_found(call.path)
    return Reply(twilio.approval(content) if approval else twilio.content_resource(content, account))
