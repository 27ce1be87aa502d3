"""Notices by e-mail, to somebody who is not here: several in one mail, and each of them once."""

from collections.abc import Sequence
from datetime import timedelta
from smtplib import SMTPException
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.models import Member
from inbox.models import Notice
from inbox.notices.kinds import Kind, Way, ways_of
from inbox.notices.payloads import place_of, words_of
from inbox.notices.people import is_here, reads_here
from inbox.notices.queries import SHOWN, UNSHOWN
from inbox.notices.sentences import sentence_of
from jobs.errors import ProviderError
from jobs.payloads import JSON
from jobs.queue import NewJob, enqueue_many

TASK = "inbox.mail_notices"
# Somebody who is about to look has looked by then, and what comes in the meantime goes with it.
PATIENCE = timedelta(minutes=2)
OLDEST = timedelta(days=1)
MOST = 50


def mail_later(notices: Sequence[Notice]) -> None:
    """Inside the transaction that wrote them. One job a person and stretch of time."""
    if not settings.EMAIL_URL:  # type: ignore[misc]  # set by config.env
        return
    slot = int(timezone.now().timestamp() // PATIENCE.total_seconds())
    enqueue_many(
        [
            NewJob(
                TASK,
                f"notices:{one.workspace_id}:{one.user_id}:{slot}",
                "",
                {"workspace_id": str(one.workspace_id), "user_id": str(one.user_id)},
                one.workspace_id,
                PATIENCE,
            )
            for one in notices
        ]
    )


def mail_notices(*, workspace_id: UUID, user_id: UUID) -> dict[str, JSON]:
    rows = Member.objects.select_related("user", "workspace").filter(workspace_id=workspace_id, user_id=user_id)
    member = rows.first()
    if member is None or not reads_here(member) or not member.user.email or is_here(member.workspace.slug, user_id):
        return {"mailed": 0}
    found = _due(member)
    if not found:
        return {"mailed": 0}
    ids = [notice.pk for notice in found]
    # Said before it is done: a mail server that took it and hung up must not make it go out twice.
    Notice.objects.filter(pk__in=ids).update(mailed_at=timezone.now())
    try:
        _send(member, found)
    except (SMTPException, OSError) as error:
        Notice.objects.filter(pk__in=ids).update(mailed_at=None)
        # Its own text names the address, and a job's error is read by many.
        raise ProviderError("The mail server did not take it.", permanent=False, code=type(error).__name__) from None
    return {"mailed": len(found)}


def _due(member: Member) -> list[Notice]:
    kinds = [kind.value for kind in Kind if Way.EMAIL in ways_of(member.preferences, kind)]
    rows = Notice.objects.filter(
        SHOWN,
        workspace_id=member.workspace_id,
        user_id=member.user_id,
        kind__in=kinds,
        read_at=None,
        mailed_at=None,
        created_at__gt=timezone.now() - OLDEST,
    ).select_related("conversation__contact", "message__sender_user", "note__contact", "note__author")
    return list(rows.defer(*UNSHOWN).order_by("pk")[:MOST])


def _send(member: Member, notices: list[Notice]) -> None:
    lines = [
        {
            "sentence": sentence_of(notice),
            "words": words_of(notice),
            "address": f"{settings.PUBLIC_URL}{place_of(notice)}",
        }
        for notice in notices
    ]
    words = {"name": member.user.first_name, "workspace": member.workspace.name, "lines": lines}
    subject = lines[0]["sentence"] if len(lines) == 1 else _("%(n)s notices for you") % {"n": len(lines)}
    subject = " ".join(f"{subject} · {member.workspace.name}".split())
    text = render_to_string("inbox/mail/notices.txt", {**words, "settings": f"{settings.PUBLIC_URL}/settings"})
    EmailMessage(subject, text.strip(), to=[member.user.email]).send()
