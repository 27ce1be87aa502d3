"""Notices to browsers that are closed. Each goes to every browser its member has let us wake, by a job of its own."""

import logging
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import orjson
from django.utils import timezone

from crm.models import Member
from inbox.models import Notice, PushSubscription
from inbox.notices import webpush
from inbox.notices.payloads import place_of, words_of
from inbox.notices.people import is_here, reads_here
from inbox.notices.queries import SHOWN
from inbox.notices.sentences import sentence_of
from jobs import http
from jobs.errors import ProviderError
from jobs.payloads import JSON
from jobs.queue import NewJob, enqueue_many

logger = logging.getLogger(__name__)

TASK = "inbox.push_notice"
# Who looks at the page hears of it there, and has often read it by then.
PATIENCE = timedelta(seconds=5)
KEPT_SECONDS = 12 * 3600  # by the service, for a browser that is off
GONE = frozenset({404, 410})
STALE = timedelta(hours=12)


def push_later(notices: Sequence[Notice]) -> None:
    """Inside the transaction that wrote them."""
    if not notices or not webpush.is_set_up():
        return
    users = {one.user_id: one for one in notices}
    rows = PushSubscription.objects.filter(user_id__in=users).order_by("pk").values_list("pk", "user_id")
    enqueue_many(
        [
            NewJob(
                TASK,
                f"push:{users[user_id].pk}:{pk}",
                "",
                {"notice_id": str(users[user_id].pk), "subscription_id": pk},
                users[user_id].workspace_id,
                PATIENCE,
            )
            for pk, user_id in rows
        ]
    )


def push_notice(*, notice_id: UUID, subscription_id: int) -> dict[str, JSON]:
    notice = _due(notice_id)
    subscription = PushSubscription.objects.filter(pk=subscription_id).first()
    if notice is None or subscription is None or subscription.user_id != notice.user_id or not webpush.is_set_up():
        return {"pushed": False}
    try:
        to = webpush.browser(subscription.subscription)
    except (KeyError, ValueError):
        subscription.delete()
        return {"pushed": False, "gone": True}
    message = webpush.sealed(_message(notice), to)
    answer = http.request("POST", to.endpoint, content=message, headers=_headers(notice, to))
    if answer.status in GONE:
        subscription.delete()
        logger.info("push_subscription_gone", extra={"action": "push_subscription_gone", "host": answer.host})
        return {"pushed": False, "gone": True}
    _check(answer)
    return {"pushed": True}


def _due(notice_id: UUID) -> Notice | None:
    """None when it was read, is old, or its member is here and hears of it in the page."""
    rows = Notice.objects.filter(SHOWN, pk=notice_id, read_at=None, created_at__gt=timezone.now() - STALE)
    rows = rows.select_related("workspace", "conversation__contact", "message__sender_user")
    notice = rows.select_related("note__contact", "note__author").first()
    if notice is None:
        return None
    member = Member.objects.select_related("user").filter(workspace=notice.workspace, user_id=notice.user_id).first()
    if member is None or not reads_here(member) or is_here(notice.workspace.slug, notice.user_id):
        return None
    return notice


def _message(notice: Notice) -> bytes:
    words = {
        "id": str(notice.pk),
        "title": sentence_of(notice),
        "body": words_of(notice),
        "url": place_of(notice),
        "tag": f"conversation:{notice.conversation_id}" if notice.conversation_id else f"notice:{notice.pk}",
    }
    whole = orjson.dumps(words)
    return whole if len(whole) <= webpush.LONGEST else orjson.dumps({**words, "body": ""})


def _headers(notice: Notice, to: webpush.Browser) -> dict[str, str]:
    return {
        "authorization": webpush.authorization(to.endpoint),
        "content-encoding": "aes128gcm",
        "content-type": "application/octet-stream",
        "ttl": str(KEPT_SECONDS),
        "urgency": "normal",
        # A newer one of the same conversation takes the place of one that still waits there.
        "topic": notice.conversation_id.hex if notice.conversation_id else notice.pk.hex,
    }


def _check(answer: http.Response) -> None:
    if 200 <= answer.status < 300:
        return
    is_over = answer.status < 500 and answer.status != 429
    raise ProviderError(
        f"{answer.host} refused a push with {answer.status}",
        permanent=is_over,
        code=f"push_{answer.status}",
        retry_after=answer.retry_after,
    )
