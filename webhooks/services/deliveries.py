"""What a kept delivery says: one job per item, so that one bad item fails none of its siblings."""

from collections.abc import Callable
from typing import Any

from config.live.unit import unit_of_work
from jobs.queue import NewJob, enqueue_many
from jobs.services.jobs import renew_failed
from webhooks.models import Delivery, DeliveryState, Provider
from webhooks.services import identity, kapso, scores, stripe, twilio
from webhooks.services.reading import Reading, Unusable

# How each provider's delivery is read. Pure apart from look-ups: it may be read again at any time.
READERS: dict[str, Callable[[Delivery], Reading]] = {
    Provider.KAPSO: kapso.read,
    Provider.TWILIO: twilio.read,
    Provider.STRIPE: stripe.read,
    Provider.IDENTITY: identity.read,
    Provider.SCORES: scores.read,
}


def only_job(delivery: Delivery) -> NewJob | None:
    """The job of a delivery that says exactly one thing, which is nearly all of them. Touches no database."""
    try:
        reading = READERS[delivery.provider](delivery)
    except Unusable:
        return None
    return reading.jobs[0] if len(reading.jobs) == 1 and not reading.unhandled else None


@unit_of_work
def unpack(*, delivery_id: int, again: bool = False) -> dict[str, Any]:
    """Repeatable: the keys of the item jobs make a second unpacking harmless. Returns what became of the delivery.
    `again`: a person asked for it, so items that failed are tried again, as they read now."""
    delivery = Delivery.objects.select_for_update().filter(pk=delivery_id).first()
    if delivery is None:
        return {"state": "pruned"}
    try:
        reading = READERS[delivery.provider](delivery)
    except Unusable as error:
        return _fail(delivery, str(error))
    if again:
        renew_failed(reading.jobs)
    enqueue_many(reading.jobs)
    delivery.state = DeliveryState.APPLIED if reading.jobs else DeliveryState.UNHANDLED
    delivery.event = delivery.event or reading.event[:80]
    delivery.outcome = {"items": [job.key for job in reading.jobs], "unhandled": reading.unhandled}
    delivery.save(update_fields=["state", "event", "outcome"])
    return {"state": delivery.state, "items": len(reading.jobs), "unhandled": len(reading.unhandled)}


def _fail(delivery: Delivery, reason: str) -> dict[str, Any]:
    delivery.state = DeliveryState.FAILED
    delivery.outcome = {**delivery.outcome, "reason": reason}
    delivery.save(update_fields=["state", "outcome"])
    return {"state": delivery.state}
