"""From verified claims to the user's row, made at first sight. The identity is the only look-up, never an e-mail."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, Q, QuerySet

from config.errors import NotFound, NotSignedIn
from crm.actors import Member
from crm.identity.cookies import Cookie
from crm.identity.errors import Deactivated, SessionEnded, TokenRefused
from crm.identity.tokens import Claims
from crm.models import BrowserSession, User, UserIdentity
from crm.models import Member as Membership
from crm.roles import Role
from crm.services.roles import grant_first_admin
from jobs.compiled import Compiled

PROVIDER = "supabase"
# The claims of an older token may have been overtaken by a newer one's; only a fresh one changes the row.
FRESH_SECONDS = 300


@dataclass(frozen=True)
class Seen:
    """Who a request is from and, where it is about a workspace, as what."""

    user: User
    actor: Member | None
    switches: Mapping[str, bool] = field(default_factory=dict)  # of the workspace's features


def user_for(claims: Claims) -> User:
    """Deactivated users are refused, as is a subject that somebody else's row has taken."""
    return seen(claims).user


def users_for(claimed: Sequence[Claims]) -> list[User | NotSignedIn]:
    """`user_for` of many at once: one statement for all who are known."""
    subjects = {str(claims.sub) for claims in claimed}
    theirs = User.objects.filter(identities__provider=PROVIDER, identities__subject__in=subjects)
    known = {user.subject: user for user in theirs.annotate(subject=F("identities__subject"))} if subjects else {}
    return [_or_refused(known.get(str(claims.sub)), claims) for claims in claimed]


def users_in_browsers(held: Sequence[Cookie]) -> list[User | NotSignedIn]:
    """The users of `seen_in_browser` of many at once."""
    ids = {cookie.session_id for cookie in held}
    rows = BrowserSession.objects.filter(pk__in=ids).select_related("user").defer("tokens") if ids else ()
    known = {(row.user_id, row.pk): row.user for row in rows}
    return [_or_refused(known.get((cookie.user_id, cookie.session_id)), None) for cookie in held]


def _or_refused(user: User | None, claims: Claims | None) -> User | NotSignedIn:
    try:
        return _fresh(user, claims)
    except NotSignedIn as refused:
        return refused


def seen(claims: Claims, workspace: str | None = None) -> Seen:
    """One query for a known user; NotFound when not a member of the workspace or no such workspace."""
    subject = str(claims.sub)
    if workspace is None:
        return Seen(_fresh(_users(_theirs(subject)).first(), claims), None)
    membership = _BY_TOKEN.first(subject, workspace.lower())
    return _seen(_theirs(subject), membership, claims)


def seen_in_browser(user_id: UUID, session_id: UUID, workspace: str | None = None) -> Seen:
    """The same for a cookie. SessionEnded when signed out meanwhile, on whichever process."""
    who = _in_browser(user_id, session_id)
    if workspace is None:
        return Seen(_fresh(_users(who).first(), None), None)
    return _seen(who, _BY_COOKIE.first(user_id, session_id, workspace.lower()), None)


def _seen(who: Q, membership: Membership | None, claims: Claims | None) -> Seen:
    # No row says that they are no member, or that they are nobody yet.
    user = _fresh(_users(who).first() if membership is None else membership.user, claims)
    if membership is None:
        raise NotFound
    return Seen(user, _actor(membership, user), membership.workspace.features)


def _users(who: Q) -> QuerySet[User]:
    return User.objects.filter(who)


def _theirs(subject: str) -> Q:
    return Q(identities__provider=PROVIDER, identities__subject=subject)


def _in_browser(user_id: UUID, session_id: UUID) -> Q:
    return Q(pk=user_id) & Q(Exists(BrowserSession.objects.filter(pk=session_id, user_id=user_id)))


def _memberships(who: Q, slug: str) -> QuerySet[Membership]:
    """`who` speaks of users; so the user is where the query starts."""
    members = Membership.objects.filter(user__in=_users(who), workspace__slug=slug)
    return members.select_related("user", "workspace")


# Asked with every request below a workspace.
_BY_TOKEN = Compiled(lambda subject, slug: _memberships(_theirs(subject), slug), str, str)
_BY_COOKIE = Compiled(lambda user, session, slug: _memberships(_in_browser(user, session), slug), UUID, UUID, str)


def _actor(membership: Membership, user: User) -> Member:
    return Member(
        user_id=user.pk,
        workspace_id=membership.workspace_id,
        workspace_slug=membership.workspace.slug,
        role=Role(membership.role),
        name=user.display_name,
        joined_at=membership.created_at,
    )


def _fresh(user: User | None, claims: Claims | None) -> User:
    if user is None:
        if claims is None:
            raise SessionEnded
        user = _first_sight(claims)
    if not user.is_active:
        raise Deactivated
    if claims is not None:
        _keep_fresh(user, claims)
    _bootstrap(user)
    return user


def _first_sight(claims: Claims) -> User:
    """Two first requests at once meet at the unique keys and read the same row."""
    with transaction.atomic():
        User.objects.bulk_create([User(pk=claims.sub, **_profile(claims))], ignore_conflicts=True)
        if UserIdentity.objects.filter(user_id=claims.sub).exclude(provider=PROVIDER, subject=str(claims.sub)).exists():
            # A row born of another provider has this id by chance or by design; it is not theirs.
            raise TokenRefused
        mine = UserIdentity(user_id=claims.sub, provider=PROVIDER, subject=str(claims.sub))
        UserIdentity.objects.bulk_create([mine], ignore_conflicts=True)
    return User.objects.get(identities__provider=PROVIDER, identities__subject=str(claims.sub))


def _profile(claims: Claims) -> dict[str, Any]:
    return {
        "email": claims.email,
        "phone": claims.phone,
        "name": claims.name,
        "is_anonymous": claims.is_anonymous,
    }


def _keep_fresh(user: User, claims: Claims) -> None:
    if time.time() - claims.issued_at > FRESH_SECONDS:
        return
    changed = {
        name: value
        for name, value in _profile(claims).items()
        if value != getattr(user, name) and (value or name == "is_anonymous")
    }
    if changed:
        for name, value in changed.items():
            setattr(user, name, value)
        user.save(update_fields=list(changed))


def _bootstrap(user: User) -> None:
    """BOOTSTRAP_ADMINS names who may become the first platform admin. Once there is one, the list says nothing."""
    if settings.BOOTSTRAP_ADMINS and not user.is_platform_admin and _is_listed(user):
        user.roles = grant_first_admin(user_id=user.pk)


def _is_listed(user: User) -> bool:
    listed = {word.lower() for word in settings.BOOTSTRAP_ADMINS}
    return str(user.pk) in listed or (bool(user.email) and user.email.lower() in listed)
