"""What somebody was given in turn goes on to the next when they have left and the customer still waits."""

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from django.db.models import OuterRef, QuerySet, Subquery
from django.utils import timezone

from config.live import presence
from config.live.unit import unit_of_work
from crm.actors import System
from crm.models import Team
from crm.presence import WORKSPACE, topic_of
from inbox.activity_words import GONE
from inbox.models import Conversation, Message
from inbox.queries import with_lines
from inbox.services.amending import Known, amend
from inbox.states import ConversationStatus, Direction, Scope, SenderKind
from jobs.payloads import JSON
from jobs.queue import enqueue

HAND_BACK = "inbox.hand_back_of_gone"
# Whoever reloads a page is back by then, and so is everybody after a restart of the server.
A_WHILE = timedelta(seconds=45)


def look_for_gone() -> Mapping[str, JSON]:
    """By the clock. Two looks, a while apart, have to miss them."""
    gone = 0
    for workspace_id, slug, user_id in _held().values_list("workspace_id", "workspace__slug", "assignee_id").distinct():
        if str(user_id) not in _here(slug):
            _enqueue(workspace_id, user_id)
            gone += 1
    return {"gone": gone}


@unit_of_work
def _enqueue(workspace_id: UUID, user_id: UUID) -> None:
    """In the lane of those that are given out."""
    enqueue(
        HAND_BACK,
        key=f"gone:{workspace_id}:{user_id}:{timezone.now():%Y%m%d%H%M}",
        lane=f"share:{workspace_id}",
        workspace_id=workspace_id,
        delay=A_WHILE,
        payload={"workspace_id": str(workspace_id), "user_id": str(user_id)},
    )


@unit_of_work
def hand_back_of(*, workspace_id: UUID, user_id: UUID) -> int:
    """How many are nobody's again. Each is offered to whoever is here, as all that is nobody's."""
    rows = _held().filter(workspace_id=workspace_id, assignee_id=user_id)
    slug = rows.values_list("workspace__slug", flat=True).first()
    if slug is None or str(user_id) in _here(slug):
        return 0
    ids = list(rows.order_by("pk").select_for_update(of=("self",), no_key=True).values_list("pk", flat=True))
    source, known = System(workspace_id, GONE), Known(workspace_id)
    shown = with_lines(Conversation.objects.select_related("channel__workspace")).filter(pk__in=ids)
    for conversation in shown.order_by("pk"):
        amend(source, conversation, {"assignee_id": None}, known)
    return len(ids)


def _held() -> QuerySet[Conversation]:
    """Given in turn, and not taken by oneself or handed over by a colleague: that was meant for this person."""
    lines = Message.objects.filter(conversation=OuterRef("pk"), direction=Direction.ACTIVITY, type="assigned")
    given_by = Subquery(lines.order_by("-pk").values("sender_kind")[:1])
    return (
        Conversation.objects.filter(
            team_id__in=Team.objects.filter(assigns_itself=True).values("pk"),
            scope=Scope.SUPPORT,
            status=ConversationStatus.OPEN,
            deleted_at=None,
            merged_into=None,
            spam_at=None,
        )
        .exclude(assignee=None)
        .exclude(waiting_since=None)
        .alias(given_by=given_by)
        .filter(given_by=SenderKind.SYSTEM)
    )


def _here(slug: str) -> set[str]:
    return {person["id"] for person in presence.people_on(topic_of(WORKSPACE, slug))}
