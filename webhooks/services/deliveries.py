"""Unpacks a kept delivery into one job per item, so that one bad item fails none of its siblings."""

from typing import Any, TypeVar

from config.live.unit import unit_of_work
from jobs.queue import NewJob, enqueue_many
from webhooks.kapso import payload
from webhooks.models import Delivery, DeliveryState

Item = TypeVar("Item", payload.Inbound, payload.Sent, payload.Receipt)

ITEM_TASKS = {
    payload.Inbound: "webhooks.receive_kapso_message",
    payload.Sent: "webhooks.record_kapso_echo",
    payload.Receipt: "webhooks.record_kapso_receipt",
}
# Where the lane of an item is: what a person writes keeps its order, and never waits for what goes out to them.
LANES = {payload.Inbound: "in", payload.Sent: "in", payload.Receipt: "receipt"}


@unit_of_work
def unpack(*, delivery_id: int) -> dict[str, Any]:
    """Repeatable: the keys of the item jobs make a second unpacking harmless. Returns what became of the delivery."""
    delivery = Delivery.objects.select_for_update().filter(pk=delivery_id).first()
    if delivery is None:
        return {"state": "pruned"}
    read = read_kapso(delivery)
    jobs = [_job(delivery, position, item) for position, item in enumerate(read.items) if type(item) in ITEM_TASKS]
    enqueue_many(jobs)
    others = [_other(item) for item in read.items if isinstance(item, payload.Other)]
    delivery.state = DeliveryState.APPLIED if jobs else DeliveryState.UNHANDLED
    delivery.event = delivery.event or read.event[:80]
    delivery.outcome = {"items": [job.key for job in jobs], "unhandled": others}
    delivery.save(update_fields=["state", "event", "outcome"])
    return {"state": delivery.state, "items": len(jobs), "unhandled": len(others)}


def read_kapso(delivery: Delivery) -> payload.Delivery:
    return payload.parse(
        bytes(delivery.body),
        event=delivery.headers.get("x-webhook-event", ""),
        idempotency_key=delivery.headers.get("x-idempotency-key", ""),
    )


def _job(delivery: Delivery, position: int, item: payload.Item) -> NewJob:
    """Keyed by what the item is, so the same message in another delivery is the same job."""
    return NewJob(
        type=ITEM_TASKS[type(item)],
        key=f"kapso:{delivery.channel_id}:{item.item_key}"[:400],
        lane=f"{LANES[type(item)]}:{delivery.channel_id}:{item.peer_key}"[:200],
        payload={"delivery_id": delivery.pk, "position": position},
        workspace_id=delivery.workspace_id,
    )


def _other(item: payload.Other) -> dict[str, str]:
    return {"kind": item.kind, "reason": item.reason}


def kapso_item(delivery_id: int, position: int, kind: type[Item]) -> tuple[Delivery, Item]:
    """The item that a job was made for. The same body is read the same way every time."""
    delivery = Delivery.objects.get(pk=delivery_id)
    item = read_kapso(delivery).items[position]
    if not isinstance(item, kind):
        raise TypeError(f"item {position} of delivery {delivery_id} is now {type(item).__name__}")
    return delivery, item
