"""What a kept delivery says: one job per item, so that one bad item fails none of its siblings. Nearly all say one
thing, and nothing stands between them and doing it: the job that reads such a delivery becomes the job of its item."""

from collections.abc import Callable, Mapping
from typing import Any

from config.live.unit import unit_of_work
from jobs.queue import NewJob, enqueue_many, take_over
from jobs.running import RunningJob
from jobs.services.jobs import renew_failed
from jobs.tasks import named
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


@unit_of_work
def unpack(*, delivery_id: int, again: bool = False, job: RunningJob | None = None) -> dict[str, Any]:
    """Repeatable: the keys of the item jobs make a second unpacking harmless. Returns what became of the delivery, or
    of its one item where that is done here. `again`: a person asked for it, so items that failed are tried again, as
    they read now. `job`: the one in hand, which an item may take over."""
    delivery = _held(delivery_id)
    if delivery is None:
        return {"state": "pruned"}
    try:
        reading = READERS[delivery.provider](delivery)
    except Unusable as error:
        return _fail(delivery, str(error))
    if again:
        renew_failed(reading.jobs)
    item = _item_in_place_of(job, reading)
    if item is None:
        enqueue_many(reading.jobs)
    _note(delivery, reading)
    if item is None:
        return {"state": delivery.state, "items": len(reading.jobs), "unhandled": len(reading.unhandled)}
    done = named(item.type).handler(job, **item.payload)
    return dict(done) if isinstance(done, Mapping) else {}


@unit_of_work
def give_up(*, job: RunningJob, delivery_id: int) -> None:
    """Its one item could not be done: that is what people see, as if it had had a job of its own from the start."""
    delivery = _held(delivery_id)
    if delivery is None or delivery.state != DeliveryState.KEPT:
        return
    reading = READERS[delivery.provider](delivery)
    if _item_in_place_of(job, reading):
        _note(delivery, reading)


def _held(delivery_id: int) -> Delivery | None:
    return Delivery.objects.select_for_update(no_key=True).filter(pk=delivery_id).first()


def _item_in_place_of(job: RunningJob | None, reading: Reading) -> NewJob | None:
    """The one item, and the job in hand is its job now. None when there are more or fewer, when its turn is in another
    lane than the job has, or when it is known and has its job."""
    if job is None or len(reading.jobs) != 1:
        return None
    (item,) = reading.jobs
    return item if item.lane == job.lane and take_over(job, item) else None


def _note(delivery: Delivery, reading: Reading) -> None:
    delivery.state = DeliveryState.APPLIED if reading.jobs else DeliveryState.UNHANDLED
    delivery.event = delivery.event or reading.event[:80]
    delivery.outcome = {"items": [job.key for job in reading.jobs], "unhandled": reading.unhandled}
    delivery.save(update_fields=["state", "event", "outcome"])


def _fail(delivery: Delivery, reason: str) -> dict[str, Any]:
    delivery.state = DeliveryState.FAILED
    delivery.outcome = {**delivery.outcome, "reason": reason}
    delivery.save(update_fields=["state", "outcome"])
    return {"state": delivery.state}
