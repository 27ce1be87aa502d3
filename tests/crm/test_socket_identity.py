import time
from dataclasses import replace

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from config.errors import DomainError, NotSignedIn
from config.live import topics
from config.live.identity import Brought, Identity, authenticator
from crm.identity import cookies, sessions
from crm.identity.cookies import Cookie
from crm.issuer import sessions as issuer
from crm.models import User
from tests.api import token_for
from tests.cast import make_user
from tests.crm.test_browser_session import age, held_by

pytestmark = pytest.mark.usefixtures("own_issuer")
NAME = django_settings.SIGN_IN_COOKIE_NAME


def cookies_of(client):
    return {name: morsel.value for name, morsel in client.cookies.items()}


def test_a_bearer_token_opens_as_its_user_until_it_expires(ann):
    issued = issuer.sign_in(ann.email, ann.password)
    found = authenticator.from_bearer(issued.access_token)
    assert (found.user_id, found.subject, found.actor) == (ann.id, f"user:{ann.id}", ann.id)
    assert found.expires_at == issued.expires_at


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "sb_publishable_x"])
def test_a_wrong_bearer_token_is_refused(token):
    with pytest.raises(NotSignedIn):
        authenticator.from_bearer(token)


def test_a_cookie_opens_as_its_user(ann):
    client = ann.sign_in(Client())
    found = authenticator.from_cookies(cookies_of(client))
    assert found
    assert (found.user_id, found.subject) == (ann.id, f"user:{ann.id}")
    assert found.expires_at == held_by(client).expires_at


def test_a_cookie_that_is_missing_made_up_expired_or_signed_out_is_nobody(ann):
    client = ann.sign_in(Client())
    assert authenticator.from_cookies({}) is None
    assert authenticator.from_cookies({NAME: "made-up"}) is None
    expired = replace(held_by(client), expires_at=int(time.time()) - 1)
    assert authenticator.from_cookies({NAME: cookies.write(expired)}) is None
    held = cookies_of(client)
    client.post("/logout")
    assert authenticator.from_cookies(held) is None


def test_a_cookie_socket_renews_from_the_session_on_the_server(ann):
    client = ann.sign_in(Client())
    old = age(client, left=60)
    handshake = {NAME: cookies.write(old)}
    found = authenticator.renew(handshake)
    assert found
    assert found.expires_at is not None
    assert found.expires_at > old.expires_at
    # Renewed by a page meanwhile: the same session gives what it has.
    assert authenticator.renew(handshake) == found
    sessions.end(old.session_id)
    assert authenticator.renew(handshake) is None
    assert authenticator.renew({}) is None


def test_after_an_access_change_the_person_is_read_anew(ann):
    found = authenticator.from_bearer(issuer.sign_in(ann.email, ann.password).access_token)
    User.objects.filter(pk=ann.id).update(name="Ann Lee")
    again = authenticator.reload(found)
    assert again == replace(found, name="Ann Lee")  # type: ignore[call-arg]
    User.objects.filter(pk=ann.id).update(deactivated_at=timezone.now())
    assert authenticator.reload(found) is None


def test_signing_out_in_one_browser_closes_its_sockets_alone(ann):
    here, there = ann.sign_in(Client()), ann.sign_in(Client())
    both = [authenticator.from_cookies(cookies_of(client)) for client in (here, there)]
    here.post("/logout")
    assert both[0] is not None
    assert both[1] is not None
    assert authenticator.reload(both[0]) is None
    assert authenticator.reload(both[1]) == both[1]


def test_a_signal_names_its_sender_by_id_and_name(ann):
    found = authenticator.from_bearer(issuer.sign_in(ann.email, ann.password).access_token)
    assert authenticator.describe(found) == {"user": {"id": str(ann.id), "name": "Ann"}}


def test_ones_own_topic_is_for_oneself(ann, cast):
    me = Identity(user_id=ann.id, subject=f"user:{ann.id}")
    assert topics.may_listen(me, f"user.{ann.id}")
    for topic in (f"user.{cast.ben.pk}", "user.", "user.x", f"user.{str(ann.id).upper()}x", f"user.{ann.id}.more"):
        assert not topics.may_listen(me, topic), topic
    assert not topics.may_listen(None, f"user.{ann.id}")
    assert not topics.may_listen(Identity(user_id=None, subject="key:1"), "user.None")


def test_a_cookie_names_one_session_of_one_user(ann, cast):
    held = held_by(ann.sign_in(Client()))
    mixed = Cookie(cast.ben.pk, held.session_id, held.expires_at)
    assert authenticator.from_cookies({NAME: cookies.write(mixed)}) is None
    assert authenticator.renew({NAME: cookies.write(mixed)}) is None


def said_of_each(brought: list[Brought]) -> list[object]:
    """What is said of one who comes alone; of a refusal, which."""
    found: list[object] = []
    for one in brought:
        try:
            found.append(authenticator.from_bearer(one) if isinstance(one, str) else authenticator.from_cookies(one))
        except DomainError as refused:
            found.append(type(refused))
    return found


def test_many_who_come_at_once_are_who_they_are_alone_in_two_statements(ann, cast):
    client = ann.sign_in(Client())
    held, gone = held_by(client), held_by(ann.sign_in(Client()))
    sessions.end(gone.session_id)
    deactivated = make_user("deactivated")
    User.objects.filter(pk=deactivated.pk).update(deactivated_at=timezone.now())
    brought: list[Brought] = [
        issuer.sign_in(ann.email, ann.password).access_token,
        "a.b.c",
        token_for(cast.ben),
        token_for(deactivated),
        token_for(cast.ben, seconds=-60),
        "sb_nothing",
        cookies_of(client),
        {},
        {NAME: "made-up"},
        {NAME: cookies.write(replace(held, expires_at=int(time.time()) - 1))},
        {NAME: cookies.write(Cookie(cast.ben.pk, held.session_id, held.expires_at))},
        {NAME: cookies.write(gone)},
    ]
    alone = said_of_each(brought)
    with CaptureQueriesContext(connection) as captured:
        together = authenticator.from_many(brought)
    assert [type(one) if isinstance(one, DomainError) else one for one in together] == alone
    assert [isinstance(one, Identity) for one in together] == [place in {0, 2, 6} for place in range(len(brought))]
    assert len(captured) == 2


def test_somebody_seen_for_the_first_time_among_many_gets_their_row(cast):
    new = User(name="New", email="new@demo.example")
    first, again = authenticator.from_many([token_for(new), token_for(new)])
    assert isinstance(first, Identity)
    assert first == again
    assert User.objects.filter(pk=new.pk).exists()
