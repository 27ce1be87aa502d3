"""Webhooks of those who only tell: Stripe's events, the identity provider's, scores. Steered by the control."""

import asyncio
import secrets
import time
import uuid
from typing import TYPE_CHECKING, Any

import orjson

from webhooks.simulator import stripe_objects
from webhooks.simulator.behaviour import Wrong
from webhooks.simulator.state import JSON, Hook

if TYPE_CHECKING:
    from webhooks.simulator.world import World

Posted = tuple[JSON, list["asyncio.Task[bool]"]]


class Emitters:
    def __init__(self, world: "World") -> None:
        self.world = world

    def post(self, form: str, path: str, event: str, body: bytes, *, key: str = "") -> "asyncio.Task[bool]":
        url = f"{self.world.options.public_url}/webhooks/{path}"
        hook = Hook(key or f"msg_{uuid.uuid4().hex}", "", event, body.decode(), "", form=form, url=url)
        return self.world.courier.post(hook)

    # --- Stripe ---------------------------------------------------------------------------------------------

    def stripe(self, data: JSON) -> Posted:
        """One step in a subscription's life, or an event as given."""
        if "event" in data:
            event = data["event"]
            if not isinstance(event, dict) or not isinstance(event.get("id"), str):
                raise Wrong("event is an object with an id.")
            return {"event": event["id"]}, [self._tell_stripe(event)]
        step = data.get("step", "created")
        if step not in stripe_objects.STEPS:
            raise Wrong(f"step is one of {', '.join(stripe_objects.STEPS)}.")
        if step in {"completed", "expired"}:
            return self._session(data, step)
        event = self._step(data, step)
        return self._told([event], data)

    def _told(self, events: list[JSON], data: JSON) -> Posted:
        if isinstance(data.get("created"), int):
            events = [event | {"created": data["created"]} for event in events]
        tasks = [self._tell_stripe(event) for event in events for _ in range(int(data.get("times", 1)))]
        object_ = events[-1]["data"]["object"]
        known = {name: object_.get(name) for name in ("customer", "subscription") if object_.get(name)}
        return {"events": [event["id"] for event in events], "object": object_["id"], **known}, tasks

    def _tell_stripe(self, event: JSON) -> "asyncio.Task[bool]":
        self.world.ledger.put(event)
        body = orjson.dumps(event, option=orjson.OPT_INDENT_2)  # with newlines, as Stripe writes them
        task = self.post("stripe", "stripe", event.get("type", ""), body, key=event["id"])
        task.add_done_callback(lambda done: self._note(event["id"], done))
        return task

    def _note(self, event_id: str, task: "asyncio.Task[bool]") -> None:
        if not task.cancelled() and task.result():
            self.world.arrived_events.add(event_id)

    def _step(self, data: JSON, step: str) -> JSON:
        ledger = self.world.ledger
        before = self._subscription(data)
        after = stripe_objects.after_step(before, step) | _object(data, "changes")
        kind = stripe_objects.STEPS[step]
        if kind.startswith("invoice."):
            invoice = stripe_objects.invoice(after, paid=step == "paid")
            after["latest_invoice"] = invoice["id"]
            ledger.put(after)
            ledger.put(invoice)
            return stripe_objects.event(kind, invoice)
        ledger.put(after)
        changed = {name: value for name, value in before.items() if after.get(name) != value}
        return stripe_objects.event(kind, after, previous=changed if kind.endswith("updated") else None)

    def _subscription(self, data: JSON) -> JSON:
        """The one that is named, else the newest; made where there is none of that name yet."""
        objects = self.world.ledger.objects
        wanted = _text(data, "subscription")
        newest = [thing for thing in objects.values() if thing.get("object") == "subscription"]
        if not wanted and newest and data.get("step", "created") != "created":
            return dict(newest[-1])
        id_ = wanted or stripe_objects.new_id("sub")
        customer = _text(data, "customer") or stripe_objects.new_id("cus")
        if id_ in objects:
            return dict(objects[id_])
        if customer not in objects:
            self.world.ledger.put(stripe_objects.customer(customer, email=_text(data, "email") or None))
        price = _text(data, "price") or "price_1"
        return stripe_objects.subscription(id_, customer, price=price, metadata=_object(data, "metadata"))

    def _session(self, data: JSON, step: str) -> Posted:
        """Somebody pays on the hosted page, or lets it run out: the events of that, in a random order."""
        sessions = [one for one in self.world.ledger.objects.values() if one.get("object") == "checkout.session"]
        wanted = _text(data, "session")
        session = next((one for one in reversed(sessions) if one["id"] == (wanted or one["id"])), None)
        if session is None:
            raise Wrong("There is no such checkout session: POST one to /v1/checkout/sessions first.")
        kind = stripe_objects.STEPS[step]
        if step == "expired":
            ended = session | {"status": "expired", "url": None}
            self.world.ledger.put(ended)
            return self._told([stripe_objects.event(kind, ended)], data)
        events = self._paid(session, kind)
        if data.get("shuffle", True):
            self.world.chance.shuffle(events)
        return self._told(events, data)

    def _paid(self, session: JSON, kind: str) -> list[JSON]:
        metadata = session["subscription_data"].get("metadata", {})
        customer = session["customer"] or stripe_objects.new_id("cus")
        email = session["customer_email"]
        prices = [item.get("price") for item in session["line_items"]]
        bought = stripe_objects.subscription(
            stripe_objects.new_id("sub"), customer, price=next(iter(prices), None) or "price_1", metadata=metadata
        )
        invoice = stripe_objects.invoice(bought, paid=True) | {"billing_reason": "subscription_create"}
        bought["latest_invoice"] = invoice["id"]
        done = session | {
            "status": "complete",
            "payment_status": "paid",
            "customer": customer,
            "customer_details": {"email": email},
            "subscription": bought["id"],
            "invoice": invoice["id"],
            "url": None,
        }
        for thing in (stripe_objects.customer(customer, email=email), bought, invoice, done):
            self.world.ledger.put(thing)
        return [
            stripe_objects.event("customer.subscription.created", bought),
            stripe_objects.event("invoice.paid", invoice),
            stripe_objects.event(kind, done),
        ]

    # --- Identity provider ------------------------------------------------------------------------------------

    def identity(self, data: JSON) -> Posted:
        """`type` with `data` as given, or made up around `user_id`, `email`, `name`."""
        kind = _text(data, "type") or "user.created"
        form = _text(data, "form") or "svix"
        if form not in {"svix", "standard"}:
            raise Wrong("form is svix or standard.")
        user_id = _text(data, "user_id") or f"user_{secrets.token_hex(12)}"
        inner = data.get("data")
        if inner is not None and not isinstance(inner, dict):
            raise Wrong("data is an object.")
        now = int(time.time() * 1000)
        body: JSON = {"data": inner or _made_up(kind, user_id, data, now), "object": "event", "type": kind}
        body |= {"timestamp": now, "instance_id": "ins_simulated"}
        key = _text(data, "id") or f"msg_{uuid.uuid4().hex}"
        task = self.post(form, "identity", kind, orjson.dumps(body), key=key)
        return {"id": key, "user_id": user_id, "type": kind}, [task]

    # --- Scores -----------------------------------------------------------------------------------------------

    def scores(self, data: JSON) -> Posted:
        """The push of a grading function: what is not given is made up."""
        score = self.world.chance.randrange(0, 21)
        body: JSON = {
            "submission_id": f"sim-{uuid.uuid4()}",
            "quiz_code": "KIDS1",
            "exam_id": "demo-exam",
            "nickname": self.world.chance.choice(("Owl", "Otter", "Lynx", "Heron", "Fox")),
            "score": score,
            "max_score": 20,
            "submitted_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        }
        body |= {name: value for name, value in data.items() if name not in {"wait", "id"}}
        key = _text(data, "id") or f"msg_{uuid.uuid4().hex}"
        return {"id": key, **body}, [self.post("standard", "scores", "score", orjson.dumps(body), key=key)]


def _made_up(kind: str, user_id: str, data: JSON, now: int) -> JSON:
    if kind == "user.deleted":
        return {"id": user_id, "object": "user", "deleted": True}
    if kind.startswith("paymentAttempt"):
        return _payment(user_id, data, now)
    first, _, last = (_text(data, "name") or "Robin Vale").partition(" ")
    address = f"idn_{secrets.token_hex(8)}"
    email = {"id": address, "object": "email_address", "email_address": _text(data, "email") or "robin@people.example"}
    return {
        "id": user_id,
        "object": "user",
        "first_name": first,
        "last_name": last or None,
        "username": None,
        "image_url": "",
        "primary_email_address_id": address,
        "email_addresses": [email | {"verification": {"status": "verified", "strategy": "email_code"}}],
        "phone_numbers": [],
        "public_metadata": {},
        "unsafe_metadata": {},
        "banned": False,
        "created_at": now,
        "updated_at": now,
    }


def _payment(user_id: str, data: JSON, now: int) -> JSON:
    amount = data.get("amount", 4900)
    if isinstance(amount, bool) or not isinstance(amount, int):
        raise Wrong("amount is a whole number of cents.")
    money = {"amount": amount, "amount_formatted": f"{amount / 100:.2f}", "currency": "USD", "currency_symbol": "$"}
    return {
        "id": _text(data, "payment_id") or f"payatt_{secrets.token_hex(8)}",
        "object": "commerce_payment_attempt",
        "payment_id": f"pay_{secrets.token_hex(8)}",
        "status": _text(data, "status") or "paid",
        "charge_type": "recurring",
        "billing_date": now,
        "paid_at": now,
        "failed_at": None,
        "failed_reason": None,
        "created_at": now,
        "updated_at": now,
        "payer": {"user_id": user_id, "email": _text(data, "email") or "robin@people.example"},
        "payment_source": {"type": "card", "card_type": "visa", "last4": "4242"},
        "totals": {"grand_total": money, "subtotal": money},
        "subscription_items": [],
    }


def _text(data: JSON, name: str) -> str:
    value: Any = data.get(name)
    if value is not None and not isinstance(value, str):
        raise Wrong(f"{name} is a text.")
    return value or ""


def _object(data: JSON, name: str) -> JSON:
    value = data.get(name, {})
    if not isinstance(value, dict):
        raise Wrong(f"{name} is an object.")
    return value
