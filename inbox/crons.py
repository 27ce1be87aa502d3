"""What the inbox does by the clock."""

from collections.abc import Mapping
from datetime import timedelta

from inbox.services.assigning import offer_waiting
from inbox.services.attachments import clear_unsent
from inbox.services.chats.visitors import prune_visitors
from inbox.services.leaving import look_for_gone
from inbox.services.notices import clear_old
from inbox.services.planning import send_due
from inbox.services.snoozing import wake_due
from inbox.services.templates import request_all_syncs
from jobs.crons import cron
from jobs.payloads import JSON


@cron("inbox.sync_templates", every=timedelta(hours=1))
def sync_templates() -> Mapping[str, JSON]:
    return {"channels": request_all_syncs()}


@cron("inbox.clear_unsent_uploads", every=timedelta(hours=1))
def clear_unsent_uploads() -> Mapping[str, JSON]:
    return clear_unsent()


@cron("inbox.wake_snoozed", every=timedelta(seconds=15))
def wake_snoozed() -> Mapping[str, JSON]:
    return wake_due()


@cron("inbox.send_planned", every=timedelta(seconds=15))
def send_planned() -> Mapping[str, JSON]:
    return send_due()


@cron("inbox.share_out_waiting", every=timedelta(minutes=1))
def share_out_waiting() -> Mapping[str, JSON]:
    return offer_waiting()


@cron("inbox.hand_back_of_gone", every=timedelta(minutes=1))
def hand_back_of_gone() -> Mapping[str, JSON]:
    return look_for_gone()


@cron("inbox.clear_notices", every=timedelta(days=1))
def clear_notices() -> Mapping[str, JSON]:
    return clear_old()


@cron("inbox.prune_visitors", every=timedelta(hours=1))
def forget_visitors() -> Mapping[str, JSON]:
    return {"visitors": prune_visitors()}
