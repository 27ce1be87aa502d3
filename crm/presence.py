"""Who of a workspace is here. Other scopes (a conversation, an exam) are registered by the apps that know them."""

from uuid import UUID

from config.errors import NotFound
from config.live import topics
from config.live.identity import Identity
from config.live.presence import Who
from crm.access import member_for
from crm.actors import Actor, Member

WORKSPACE = "workspace"


def topic_of(scope: str, workspace_slug: str) -> str:
    """`workspace` is the one asked in; anything else says itself what it means, such as `conversation.<id>`, and may do
    so by its whole name, `presence.conversation.<id>`."""
    scope = scope.removeprefix("presence.")
    return f"presence.{WORKSPACE}.{workspace_slug}" if scope == WORKSPACE else f"presence.{scope}"


def shown_as(member: Member) -> Who:
    return Who(str(member.user_id), "member", member.name, member.role.value)


def _member(identity: Identity | None, slug: str) -> Member | None:
    if identity is None or identity.user_id is None or slug != slug.lower():
        return None
    try:
        return member_for(identity.user_id, slug)
    except NotFound:
        return None


def _may_listen(identity: Identity | None, slug: str) -> bool:
    """Everybody who belongs to it: colleagues know each other's names."""
    return _member(identity, slug) is not None


def _show(identity: Identity, slug: str) -> Who | None:
    member = _member(identity, slug)
    return None if member is None else shown_as(member)


def register_topics() -> None:
    topics.register(f"presence.{WORKSPACE}", _may_listen, presence=_show)


def place_for(actor: Actor, scope: str) -> tuple[str, Who | None]:
    """The scope's topic and how the actor is shown there. One rule for socket and HTTP: the topic's own.

    Machines have no presence, and see only that of their workspace.
    """
    user_id: UUID | None = getattr(actor, "user_id", None)
    slug: str = getattr(actor, "workspace_slug", "")
    topic = topic_of(scope, slug)
    kind = topics.kind_of(topic)
    if kind is None or kind.presence is None or user_id is None:
        raise NotFound
    identity = Identity(user_id=user_id, subject=f"user:{user_id}", actor=user_id)
    rest = topic[len(kind.prefix) + 1 :]
    if not topics.may_listen(identity, topic) or (kind.prefix.endswith(WORKSPACE) and rest != slug):
        raise NotFound
    return topic, kind.presence(identity, rest)
