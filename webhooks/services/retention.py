"""Takes old deliveries out of the journal: what worked after JOURNAL_DAYS, the rest after JOURNAL_TROUBLE_DAYS."""

from django.conf import settings
from django.db import connection, transaction

from jobs.states import Status
from webhooks.models import DeliveryState

BATCH = 1_000  # bodies may be large, and nobody is to wait behind them

# What is not unpacked yet never goes, nor does what still has an item at work: that reads it from here.
_PRUNE = f"""
with items as not materialized (
    select delivery.id, delivery.received_at, delivery.state,
        array(select jsonb_array_elements_text(coalesce(delivery.outcome -> 'items', '[]'))) as keys
    from webhooks_delivery as delivery
    where received_at < now() - make_interval(days => %(days)s) and state <> '{DeliveryState.KEPT.value}'
), doomed as (
    select id from items
    where (
        (state = '{DeliveryState.APPLIED.value}'
            and not exists (select 1 from job where key = any(keys) and status = '{Status.FAILED.value}'))
        or received_at < now() - make_interval(days => %(trouble)s)
    )
    and not exists (
        select 1 from job
        where key = any(keys) and status in ('{Status.PENDING.value}', '{Status.PROCESSING.value}')
    )
    order by received_at limit %(batch)s
)
delete from webhooks_delivery where id in (select id from doomed)
"""  # noqa: S608 - constants only


def prune_journal() -> int:
    removed = 0
    while batch := _prune_batch():
        removed += batch
    return removed


def _prune_batch() -> int:
    days = settings.JOURNAL_DAYS
    params = {"days": days, "trouble": max(days, settings.JOURNAL_TROUBLE_DAYS), "batch": BATCH}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_PRUNE, params)
        return int(cursor.rowcount)
