import time
from dataclasses import replace
from uuid import uuid4

import pytest
from django.utils import timezone

from crm.identity.errors import Deactivated, TokenRefused
from crm.identity.people import FRESH_SECONDS, user_for
from crm.identity.tokens import Claims
from crm.ids import uuid7
from crm.models import User, UserIdentity
from tests.cast import make_user, unique


def claims_of(**changed) -> Claims:
    usual = Claims(
        sub=uuid4(),
        email=f"{unique('ann')}@demo.example",
        phone="",
        name="Ann",
        session_id=None,
        is_anonymous=False,
        issued_at=time.time(),
        expires_at=time.time() + 3600,
        issuer="https://abcdefghijklmnopqrst.supabase.co/auth/v1",
        aal="aal1",
    )
    return replace(usual, **changed)


def test_the_first_token_makes_the_user_with_the_issuers_id():
    claims = claims_of()
    user = user_for(claims)
    assert (user.pk, user.email, user.name, user.roles) == (claims.sub, claims.email, "Ann", [])
    identity = UserIdentity.objects.get(user=user)
    assert (identity.provider, identity.subject) == ("supabase", str(claims.sub))


def test_eight_first_requests_at_once_make_one_user(at_once):
    claims = claims_of()
    users = at_once(lambda: user_for(claims), 8)
    assert {user.pk for user in users} == {claims.sub}
    assert UserIdentity.objects.filter(subject=str(claims.sub)).count() == 1


def test_a_known_user_costs_one_query_and_no_write(assert_queries):
    claims = claims_of()
    user_for(claims)
    with assert_queries(1):
        user_for(claims)


def test_the_identity_decides_and_never_the_email():
    known = make_user("ann")
    other = user_for(claims_of(email=known.email))
    assert other.pk != known.pk


def test_a_linked_identity_leads_to_the_user_it_was_linked_to():
    known, sub = make_user("ann"), uuid4()
    UserIdentity.objects.create(user=known, provider="supabase", subject=str(sub))
    assert user_for(claims_of(sub=sub, email=known.email)).pk == known.pk
    assert not User.objects.filter(pk=sub).exists()


def test_a_row_that_came_before_its_first_token_is_found_by_its_id():
    waiting = User.objects.create(pk=uuid7(), name="Ann", email=f"{unique('ann')}@demo.example")
    assert user_for(claims_of(sub=waiting.pk)).pk == waiting.pk


def test_a_row_born_of_another_provider_is_not_taken_over():
    theirs = User.objects.create(pk=uuid7(), email=f"{unique('ann')}@demo.example")
    UserIdentity.objects.create(user=theirs, provider="clerk", subject=unique("user"))
    with pytest.raises(TokenRefused):
        user_for(claims_of(sub=theirs.pk))
    assert theirs.identities.count() == 1


def test_a_new_address_or_name_is_taken_over_from_a_fresh_token(assert_queries):
    claims = claims_of()
    user_for(claims)
    changed = replace(claims, email=f"{unique('new')}@demo.example", name="Ann Lee")
    with assert_queries(2):
        user_for(changed)
    found = User.objects.get(pk=claims.sub)
    assert (found.email, found.name) == (changed.email, "Ann Lee")


def test_an_old_token_does_not_bring_an_old_address_back(assert_queries):
    claims = claims_of()
    user_for(claims)
    old = replace(claims, email="before@demo.example", issued_at=time.time() - FRESH_SECONDS - 1)
    with assert_queries(1):
        assert user_for(old).email == claims.email


def test_a_token_without_a_name_leaves_the_name():
    claims = claims_of()
    user_for(claims)
    assert user_for(replace(claims, name="", email="", phone="")).name == "Ann"


def test_a_deactivated_user_stays_out():
    claims = claims_of()
    User.objects.filter(pk=user_for(claims).pk).update(deactivated_at=timezone.now())
    with pytest.raises(Deactivated):
        user_for(claims)


def test_an_anonymous_user_is_known_as_one_until_they_give_a_name():
    claims = claims_of(is_anonymous=True, email="", name="")
    assert user_for(claims).is_anonymous
    assert not user_for(replace(claims, is_anonymous=False)).is_anonymous
