"""Reads of one's own notices. What became invisible since, a conversation that is gone or spam, is left out."""

from django.db.models import Q, QuerySet

from config.live.events import head
from crm.access import check
from crm.actors import Member
from crm.models import Member as Membership
from crm.paging import DEFAULT_LIMIT, Page, page
from crm.roles import Action
from inbox import topics
from inbox.models import Notice
from inbox.notices.kinds import Kind, Way, ways_of
from inbox.notices.payloads import NoticePayload, notice_payload
from inbox.queries import LivePayload
from inbox.states import Scope

SHOWN = Q(
    conversation__deleted_at=None,
    conversation__merged_into=None,
    conversation__spam_at=None,
    conversation__scope=Scope.SUPPORT,
) | Q(note__isnull=False, note__deleted_at=None, note__contact__deleted_at=None)
UNSHOWN = ("conversation__contact__search", "message__search", "note__search", "note__contact__search")


def preferences_of(actor: Member) -> dict[str, object]:
    check(actor, Action.READ_INBOX)
    rows = Membership.objects.filter(workspace_id=actor.workspace_id, user_id=actor.user_id)
    return dict(rows.values_list("preferences", flat=True).first() or {})


def visible_notices(actor: Member) -> QuerySet[Notice]:
    """One's own here, of the kinds that one wants in the page."""
    preferences = preferences_of(actor)
    kinds = [kind.value for kind in Kind if Way.PAGE in ways_of(preferences, kind)]
    return Notice.objects.filter(SHOWN, workspace_id=actor.workspace_id, user_id=actor.user_id, kind__in=kinds)


def list_notices(
    rows: QuerySet[Notice], *, unread: bool = False, cursor: str | None = None, limit: int = DEFAULT_LIMIT
) -> Page[Notice]:
    """Newest first; the rows are `visible_notices`."""
    rows = rows.select_related("conversation__contact", "conversation__channel", "message__sender_user")
    rows = rows.select_related("note__contact", "note__author").defer("conversation__channel__credentials", *UNSHOWN)
    return page(rows.filter(read_at=None) if unread else rows, ("-id",), cursor=cursor, limit=limit)


def payload_of(actor: Member, notice: Notice) -> NoticePayload:
    return notice_payload(notice, actor.workspace_slug)


def count_unread(rows: QuerySet[Notice]) -> int:
    return rows.filter(read_at=None).count()


def get_own_live(actor: Member) -> LivePayload:
    """Read before the list."""
    topic = topics.user(actor.user_id)
    return {"topic": topic, "seq": head(topic)}
