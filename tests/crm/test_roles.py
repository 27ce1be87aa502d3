from dataclasses import replace

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from config.errors import Forbidden, Invalid, NotFound
from config.live.identity import ACCESS_TOPIC
from config.live.models import LiveEvent
from crm.errors import LastOwner
from crm.identity.people import user_for
from crm.ids import uuid7
from crm.models import BrowserSession, Member, User
from crm.models.people import PLATFORM_ADMIN
from crm.roles import Role
from crm.services import members, roles
from tests.cast import make_user, unique
from tests.crm.conftest import account_for
from tests.crm.test_first_sight import claims_of


def changes_of(user: User) -> int:
    return LiveEvent.objects.filter(topic=ACCESS_TOPIC, data__contains=f"user:{user.pk}").count()


@pytest.fixture
def nobody_is_admin():
    """Tests commit for real; this one is about the whole installation."""
    admins = list(User.objects.filter(roles__contains=[PLATFORM_ADMIN]).values_list("pk", flat=True))
    User.objects.filter(pk__in=admins).update(roles=[])
    yield
    User.objects.filter(pk__in=admins).update(roles=[PLATFORM_ADMIN])


# --- The platform ----------------------------------------------------------------------------------------


def test_a_role_of_the_platform_is_granted_and_revoked_and_announced():
    first, second = make_user("ann"), make_user("ben")
    roles.grant_role(by=None, user_id=first.pk, role="admin")
    first.refresh_from_db()
    roles.grant_role(by=first, user_id=second.pk, role="admin")
    assert User.objects.get(pk=second.pk).is_staff
    assert changes_of(second) == 1
    roles.grant_role(by=first, user_id=second.pk, role="admin")
    assert changes_of(second) == 1
    roles.revoke_role(by=first, user_id=second.pk, role="admin")
    assert User.objects.get(pk=second.pk).roles == []
    assert changes_of(second) == 2


def test_only_a_platform_admin_grants(cast):
    for role in ("admin", "owner", "", "root"):
        with pytest.raises(Forbidden):
            roles.grant_role(by=cast.ada, user_id=cast.ben.pk, role=role)
    with pytest.raises(Invalid):
        roles.grant_role(by=None, user_id=cast.ben.pk, role="root")
    with pytest.raises(NotFound):
        roles.grant_role(by=None, user_id=uuid7(), role="admin")
    with pytest.raises(Forbidden):
        roles.deactivate_user(by=cast.ada, user_id=cast.ben.pk)


@pytest.mark.usefixtures("nobody_is_admin")
def test_the_last_admin_stays_one(at_once):
    first, second = make_user("ann"), make_user("ben")
    roles.grant_role(by=None, user_id=first.pk, role="admin")
    with pytest.raises(roles.LastAdmin):
        roles.revoke_role(by=None, user_id=first.pk, role="admin")
    with pytest.raises(roles.LastAdmin):
        roles.deactivate_user(by=None, user_id=first.pk)
    roles.grant_role(by=None, user_id=second.pk, role="admin")
    results = at_once(
        [
            lambda: roles.revoke_role(by=None, user_id=first.pk, role="admin"),
            lambda: roles.revoke_role(by=None, user_id=second.pk, role="admin"),
        ]
    )
    assert [type(result) for result in results].count(roles.LastAdmin) == 1
    assert User.objects.filter(pk__in=[first.pk, second.pk], roles__contains=["admin"]).count() == 1


@pytest.mark.usefixtures("nobody_is_admin")
def test_whoever_alone_owns_a_workspace_is_not_deactivated_by_an_admin(cast, at_once):
    admin = roles.grant_role(by=None, user_id=make_user("ann").pk, role="admin")
    with pytest.raises(LastOwner) as refused:
        roles.deactivate_user(by=admin, user_id=cast.ada.pk)
    assert refused.value.data == {"workspaces": [cast.workspace.slug]}
    assert User.objects.get(pk=cast.ada.pk).is_active
    members.change_role(actor=cast.system, user_id=cast.bea.pk, role="owner")
    # Both at once, and one of them made something else meanwhile: one stays whatever comes first
    results = at_once(
        [
            lambda: roles.deactivate_user(by=admin, user_id=cast.ada.pk),
            lambda: members.change_role(actor=cast.system, user_id=cast.bea.pk, role="agent"),
        ]
    )
    assert [type(result) for result in results].count(LastOwner) == 1
    owners = Member.objects.filter(workspace=cast.workspace, role="owner", user__deactivated_at=None)
    assert owners.count() == 1
    # What the identity provider says of somebody holds: whoever is gone there cannot sign in here either
    roles.deactivate_user(by=None, user_id=owners.get().user_id)
    assert not owners.exists()


@pytest.mark.usefixtures("nobody_is_admin")
def test_a_listed_person_becomes_the_first_admin_and_then_the_list_is_silent(settings):
    first, second = claims_of(), claims_of()
    settings.BOOTSTRAP_ADMINS = [str(first.sub), second.email.upper()]
    assert user_for(first).is_staff
    assert User.objects.get(pk=first.sub).roles == ["admin"]
    assert not user_for(second).is_staff
    stranger = claims_of()
    assert not user_for(stranger).is_staff


@pytest.mark.usefixtures("nobody_is_admin")
def test_a_list_of_emails_works_for_somebody_known_already(settings):
    claims = claims_of()
    assert not user_for(claims).is_staff
    settings.BOOTSTRAP_ADMINS = [claims.email]
    assert user_for(claims).is_staff


@pytest.mark.usefixtures("nobody_is_admin")
def test_two_listed_people_arriving_at_once_make_one_admin(settings, at_once):
    arrivals = [claims_of(), claims_of()]
    settings.BOOTSTRAP_ADMINS = [str(claims.sub) for claims in arrivals]
    at_once([lambda claims=claims: user_for(claims) for claims in arrivals])
    assert User.objects.filter(roles__contains=["admin"]).count() == 1


@pytest.mark.usefixtures("nobody_is_admin")
def test_nobody_without_an_address_matches_an_empty_entry(settings):
    settings.BOOTSTRAP_ADMINS = [""]
    assert not user_for(claims_of(email="")).is_staff


@pytest.mark.usefixtures("own_issuer")
def test_deactivating_signs_out_everywhere_and_is_announced(cast):
    ben = account_for(cast.ben)
    client = ben.sign_in(Client())
    roles.deactivate_user(by=None, user_id=ben.id)
    assert changes_of(cast.ben) == 1
    assert not BrowserSession.objects.filter(user_id=ben.id).exists()
    assert client.get("/api/v1/me").status_code == 401
    response = Client().post("/login", {"email": ben.email, "password": ben.password})
    assert response.status_code == 401
    roles.deactivate_user(by=None, user_id=ben.id)
    assert changes_of(cast.ben) == 1
    roles.reactivate_user(by=None, user_id=ben.id)
    assert ben.sign_in(Client()).get("/api/v1/me").status_code == 200


# --- The workspace ---------------------------------------------------------------------------------------


def test_members_come_change_and_go_and_every_step_is_announced(cast):
    ada, sam = cast.actor(cast.ada), cast.sam
    members.add_member(actor=ada, user_id=sam.pk, role="viewer")
    assert cast.actor(sam).role is Role.VIEWER
    members.change_role(actor=ada, user_id=sam.pk, role="agent")
    assert cast.actor(sam).role is Role.AGENT
    assert changes_of(sam) == 2
    members.change_role(actor=ada, user_id=sam.pk, role="agent")
    assert changes_of(sam) == 2
    members.remove_member(actor=ada, user_id=sam.pk)
    assert changes_of(sam) == 3
    with pytest.raises(NotFound):
        cast.actor(sam)


def test_somebody_is_a_member_once(cast, at_once):
    ada = cast.actor(cast.ada)
    results = at_once(lambda: members.add_member(actor=ada, user_id=cast.sam.pk, role="viewer"), 4)
    assert [type(result) for result in results].count(members.AlreadyMember) == 3
    assert changes_of(cast.sam) == 1


@pytest.mark.parametrize("who", ["ben", "tia", "vic"])
def test_only_those_who_manage_the_workspace_change_its_members(cast, who):
    actor = cast.actor(getattr(cast, who))
    for change in (
        lambda: members.add_member(actor=actor, user_id=cast.sam.pk, role="viewer"),
        lambda: members.change_role(actor=actor, user_id=cast.bea.pk, role="viewer"),
        lambda: members.change_role(actor=actor, user_id=actor.user_id, role="owner"),
        lambda: members.remove_member(actor=actor, user_id=cast.bea.pk),
    ):
        with pytest.raises(Forbidden):
            change()


def test_an_admin_makes_no_owner_and_unmakes_none(cast):
    Member.objects.filter(user=cast.ben, workspace=cast.workspace).update(role=Role.ADMIN)
    ben = cast.actor(cast.ben)
    members.change_role(actor=ben, user_id=cast.bea.pk, role="admin")
    for change in (
        lambda: members.change_role(actor=ben, user_id=cast.ben.pk, role="owner"),
        lambda: members.add_member(actor=ben, user_id=cast.sam.pk, role="owner"),
        lambda: members.change_role(actor=ben, user_id=cast.ada.pk, role="viewer"),
        lambda: members.remove_member(actor=ben, user_id=cast.ada.pk),
    ):
        with pytest.raises(Forbidden):
            change()


def test_a_workspace_keeps_an_owner_even_when_two_leave_at_once(cast, at_once):
    ada = cast.actor(cast.ada)
    for change in (
        lambda: members.remove_member(actor=ada, user_id=cast.ada.pk),
        lambda: members.change_role(actor=ada, user_id=cast.ada.pk, role="viewer"),
    ):
        with pytest.raises(LastOwner):
            change()
    members.change_role(actor=ada, user_id=cast.ben.pk, role="owner")
    ben = cast.actor(cast.ben)
    results = at_once(
        [
            lambda: members.remove_member(actor=ada, user_id=cast.ada.pk),
            lambda: members.remove_member(actor=ben, user_id=cast.ben.pk),
        ]
    )
    assert [type(result) for result in results].count(LastOwner) == 1


def test_people_of_another_workspace_are_out_of_reach(cast):
    cleo = cast.actor(cast.cleo, cast.elsewhere)
    for change in (
        lambda: members.change_role(actor=cleo, user_id=cast.ben.pk, role="viewer"),
        lambda: members.remove_member(actor=cleo, user_id=cast.ben.pk),
    ):
        with pytest.raises(NotFound):
            change()
    assert cast.actor(cast.ben).role is Role.AGENT


def test_unknown_people_and_unknown_roles_are_refused(cast):
    ada = cast.actor(cast.ada)
    with pytest.raises(NotFound):
        members.add_member(actor=ada, user_id=uuid7(), role="viewer")
    with pytest.raises(Invalid):
        members.change_role(actor=ada, user_id=cast.ben.pk, role=unique("role"))
    with pytest.raises(Forbidden):
        members.change_role(actor=replace(ada, role=Role.AGENT), user_id=cast.ben.pk, role="viewer")


# --- At the command line ---------------------------------------------------------------------------------


def test_the_operator_grants_and_revokes_by_email_or_id(capsys):
    ann, other = make_user("ann"), make_user("ben")
    call_command("grant_role", ann.email.upper())
    call_command("grant_role", str(other.pk), "admin")
    assert User.objects.get(pk=ann.pk).is_staff
    call_command("grant_role", str(ann.pk), "admin", "--revoke")
    assert not User.objects.get(pk=ann.pk).is_staff
    assert "no longer admin" in capsys.readouterr().out


def test_the_operator_is_told_when_a_name_does_not_say_who():
    twice = make_user("ann")
    User.objects.create(pk=uuid7(), email=twice.email)
    for name in (twice.email, f"{unique('nobody')}@demo.example", str(uuid7())):
        with pytest.raises(CommandError, match="Give the id"):
            call_command("grant_role", name)
