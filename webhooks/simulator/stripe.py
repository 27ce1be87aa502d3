"""Stripe's API as far as we use it: hosted payment and portal links, subscriptions and events to read."""

import re
import secrets
import time
from typing import TYPE_CHECKING, Any

from webhooks.simulator import stripe_objects
from webhooks.simulator.behaviour import Behaviour
from webhooks.simulator.calls import Call
from webhooks.simulator.replies import Reply, stripe_refusal
from webhooks.simulator.sending import take
from webhooks.simulator.state import JSON

if TYPE_CHECKING:
    from webhooks.simulator.world import World

INVALID = "invalid_request_error"
_ONE = re.compile(r"/v1/(customers|subscriptions|invoices|events|checkout/sessions|payment_intents)/([A-Za-z0-9_]+)")
_LIST = re.compile(r"/v1/(customers|subscriptions|invoices|events|checkout/sessions)")
_MADE = {"/v1/checkout/sessions", "/v1/billing_portal/sessions", "/v1/customers"}
_NAMES = {
    "customers": "customer",
    "subscriptions": "subscription",
    "invoices": "invoice",
    "events": "event",
    "checkout/sessions": "checkout.session",
    "payment_intents": "payment_intent",
}
PAGE, PAGE_LIMIT = 10, 100


def is_for_stripe(path: str) -> bool:
    return path in _MADE or bool(_ONE.fullmatch(path) or _LIST.fullmatch(path))


async def answer(world: "World", call: Call) -> Reply:
    _authorise(call)
    one, many = _ONE.fullmatch(call.path), _LIST.fullmatch(call.path)
    if call.method == "POST" and call.path in _MADE:
        return await _make(world, call)
    if call.method == "GET" and one:
        return Reply(_found(world, _NAMES[one[1]], one[2]))
    if call.method == "GET" and many:
        return _listing(world, _NAMES[many[1]], call)
    raise stripe_refusal(404, INVALID, f"Unrecognized request URL ({call.method}: {call.path}).")


def _authorise(call: Call) -> None:
    """Any secret key is right, as long as it looks like one."""
    kind, _, value = call.headers.get("authorization", "").partition(" ")
    key = call.basic()[0] if kind.lower() == "basic" else value
    if not key:
        raise stripe_refusal(401, "authentication_error", "You did not provide an API key.")
    if not key.startswith(("sk_", "rk_")):
        raise stripe_refusal(401, "authentication_error", "Invalid API Key provided.")


async def _make(world: "World", call: Call) -> Reply:
    given = _nested(call.form())
    key = call.headers.get("idempotency-key", "")
    earlier = world.ledger.objects.get(f"idempotency:{key}") if key else None
    if earlier:
        if earlier["asked"] != [call.path, given]:
            raise stripe_refusal(
                400, "idempotency_error", "Keys for idempotent requests can only be used with the same parameters."
            )
        return Reply(earlier["answer"], headers={"Idempotent-Replayed": "true"})
    made = _MAKERS[call.path](world, given)

    def accept(_fail: str) -> Reply:
        world.ledger.put(made)
        if key:
            world.ledger.put({"id": f"idempotency:{key}", "asked": [call.path, given], "answer": made})
        return Reply(made, headers={"Request-Id": f"req_{secrets.token_hex(8)}"})

    return await take(world, "stripe", _refuse, accept)


def _refuse(fail: str, behaviour: Behaviour) -> None:
    if fail in {"429", "409"}:
        headers = {"Retry-After": str(behaviour.retry_after), "Stripe-Should-Retry": "true"}
        raise stripe_refusal(429, "rate_limit_error", "Too many requests.", headers=headers)
    if fail == "500":
        raise stripe_refusal(500, "api_error", "Something went wrong on Stripe's end.")
    if fail in {"code", "window"}:
        raise stripe_refusal(400, INVALID, "As the simulator was told.")


def _checkout(world: "World", given: JSON) -> JSON:
    mode = given.get("mode")
    if mode not in {"subscription", "payment", "setup"}:
        raise stripe_refusal(400, INVALID, "You must pass mode: payment, setup or subscription.", param="mode")
    items = list(given.get("line_items", {}).values())
    if mode != "setup" and not all(item.get("price") or item.get("price_data") for item in items or [{}]):
        raise stripe_refusal(400, INVALID, "The line_items parameter is required.", param="line_items")
    if not given.get("success_url"):
        raise _missing("success_url")
    customer = given.get("customer")
    if customer and given.get("customer_email"):
        raise stripe_refusal(400, INVALID, "You may only specify one of these parameters: customer, customer_email.")
    id_ = f"cs_test_{secrets.token_hex(16)}"
    now = int(time.time())
    return {
        "id": id_,
        "object": "checkout.session",
        "mode": mode,
        "status": "open",
        "payment_status": "unpaid",
        "client_reference_id": given.get("client_reference_id"),
        "customer": customer,
        "customer_email": given.get("customer_email"),
        "customer_details": None,
        "subscription": None,
        "invoice": None,
        "metadata": given.get("metadata", {}),
        "subscription_data": given.get("subscription_data", {}),
        "line_items": items,
        "success_url": given["success_url"],
        "cancel_url": given.get("cancel_url"),
        "created": now,
        "expires_at": now + 86400,
        "livemode": False,
        "url": f"{world.options.own_url}/_pay/{id_}",
    }


def _portal(world: "World", given: JSON) -> JSON:
    customer = given.get("customer")
    if not customer:
        raise _missing("customer")
    id_ = f"bps_{secrets.token_hex(12)}"
    return {
        "id": id_,
        "object": "billing_portal.session",
        "customer": customer,
        "return_url": given.get("return_url"),
        "configuration": given.get("configuration") or "bpc_simulated",
        "created": int(time.time()),
        "livemode": False,
        "url": f"{world.options.own_url}/_portal/{id_}",
    }


def _customer(_world: "World", given: JSON) -> JSON:
    return stripe_objects.customer(
        f"cus_{secrets.token_hex(7)}", email=given.get("email"), metadata=given.get("metadata", {})
    ) | {"name": given.get("name"), "phone": given.get("phone")}


_MAKERS = {"/v1/checkout/sessions": _checkout, "/v1/billing_portal/sessions": _portal, "/v1/customers": _customer}


def _missing(name: str) -> Exception:
    return stripe_refusal(400, INVALID, f"Missing required param: {name}.", code="parameter_missing", param=name)


def _found(world: "World", kind: str, id_: str) -> JSON:
    thing = world.ledger.objects.get(id_)
    if thing is None or thing.get("object") != kind:
        raise stripe_refusal(404, INVALID, f"No such {kind}: '{id_}'", code="resource_missing", param="id")
    return thing


def _listing(world: "World", kind: str, call: Call) -> Reply:
    """Newest first. Events may be asked for by type, by time, and by whether they arrived."""
    query = call.query
    rows = [thing for thing in reversed(world.ledger.objects.values()) if thing.get("object") == kind]
    rows = [row for row in rows if _is_wanted(world, row, query)]
    ids = [row["id"] for row in rows]
    if query.get("ending_before"):
        rows = rows[: _place(ids, query["ending_before"])]
    if query.get("starting_after"):
        rows = rows[_place(ids, query["starting_after"]) + 1 :]
    limit = int(query["limit"]) if query.get("limit", "").isdigit() else PAGE
    page = rows[: max(1, min(limit, PAGE_LIMIT))]
    return Reply({"object": "list", "url": call.path, "data": page, "has_more": len(page) < len(rows)})


def _place(ids: list[str], id_: str) -> int:
    if id_ not in ids:
        raise stripe_refusal(400, INVALID, f"No such object: '{id_}'", code="resource_missing")
    return ids.index(id_)


def _is_wanted(world: "World", row: JSON, query: dict[str, str]) -> bool:
    types = [value for name, value in query.items() if name == "type" or name.startswith("types[")]
    if types and row.get("type") not in types:
        return False
    if "delivery_success" in query:
        arrived = row["id"] in world.arrived_events
        if (query["delivery_success"] == "true") != arrived:
            return False
    since, until = query.get("created[gte]", "0"), query.get("created[lte]", "99999999999")
    if not int(since) <= row.get("created", 0) <= int(until):
        return False
    return all(row.get(name) == query[name] for name in ("customer", "status", "subscription") if name in query)


def _nested(form: list[tuple[str, str]]) -> JSON:
    """`a[b][0]=c` as objects within objects; lists keep their numbers as names."""
    found: JSON = {}
    for name, value in form:
        path = re.findall(r"[^\[\]]+", name)
        inner: Any = found
        for part in path[:-1]:
            inner = inner.setdefault(part, {})
            if not isinstance(inner, dict):
                raise stripe_refusal(400, INVALID, f"Invalid object: {name}", param=name)
        inner[path[-1]] = value
    return found
