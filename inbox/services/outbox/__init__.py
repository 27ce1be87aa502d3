"""The way out: from queued to what the provider says. What may have arrived is looked up, never sent again blindly.

queue: the job of a message. delivery: one run of it. marks: the states it leaves behind. media: files for the provider.
pace: how fast a channel may send. receipts: what the provider says afterwards. rows: how all of them lock.
"""

from inbox.services.outbox.delivery import deliver
from inbox.services.outbox.marks import begin, mark_accepted, mark_failed, note_absent, note_not_sent, note_unknown
from inbox.services.outbox.queue import enqueue_delivery
from inbox.services.outbox.receipts import Receipt, apply_receipt, record_receipt

__all__ = [
    "Receipt",
    "apply_receipt",
    "begin",
    "deliver",
    "enqueue_delivery",
    "mark_accepted",
    "mark_failed",
    "note_absent",
    "note_not_sent",
    "note_unknown",
    "record_receipt",
]
