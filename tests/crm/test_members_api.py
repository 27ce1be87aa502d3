"""Who belongs to a workspace: listed, changed, removed, invited; every way in which an owner could be lost is shut."""

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from crm.errors import LastOwner
from crm.models import AuditEntry, Invitation, Member
from crm.roles import Role
from crm.services import members
from jobs.models import Job
from tests.api import Api
from tests.cast import make_user, unique
from tests.jobs_at_hand import run_job

pytestmark = pytest.mark.usefixtures("own_issuer")


@pytest.fixture
def ada(cast):
    return Api(cast.ada).of(cast.workspace.slug)


def role_of(cast, user) -> str | None:
    return Member.objects.filter(workspace=cast.workspace, user=user).values_list("role", flat=True).first()


def token_of(link: str) -> str:
    return link.rpartition("/")[2]


# --- Members ------------------------------------------------------------------------------------------------


def test_an_owner_sees_everybody_and_changes_roles(cast, ada):
    people = {row["name"]: row for row in ada.get("members/").json()["results"]}
    assert people["Ben"] == {
        "id": str(cast.ben.pk),
        "name": "Ben",
        "email": cast.ben.email,
        "role": "agent",
        "is_active": True,
        "joined_at": people["Ben"]["joined_at"],
    }
    changed = ada.patch(f"members/{cast.ben.pk}/", {"role": "admin"})
    assert (changed.status_code, changed.json()["role"]) == (200, "admin")
    entry = AuditEntry.objects.get(workspace=cast.workspace, action="member.role_changed")
    assert entry.detail == {"role": ["agent", "admin"]}
    assert (entry.actor_id, entry.target_id) == (cast.ada.pk, str(cast.ben.pk))


@pytest.mark.parametrize("name", ["ben", "vic", "tia"])
def test_who_manages_nobody_is_refused(cast, name):
    api = Api(getattr(cast, name)).of(cast.workspace.slug)
    assert api.get("members/").status_code == 403
    assert api.patch(f"members/{cast.ben.pk}/", {"role": "owner"}).status_code == 403
    assert api.delete(f"members/{cast.bea.pk}/").status_code == 403
    assert api.get("invitations/").status_code == 403
    assert api.post("invitations/", {"email": "a@demo.example", "role": "viewer"}).status_code == 403
    assert role_of(cast, cast.bea) == "agent"


def test_an_admin_neither_makes_nor_unmakes_owners(cast, ada):
    ada.patch(f"members/{cast.ben.pk}/", {"role": "admin"})
    admin = Api(cast.ben).of(cast.workspace.slug)
    for answer in (
        admin.patch(f"members/{cast.bea.pk}/", {"role": "owner"}),
        admin.patch(f"members/{cast.ben.pk}/", {"role": "owner"}),
        admin.patch(f"members/{cast.ada.pk}/", {"role": "agent"}),
        admin.delete(f"members/{cast.ada.pk}/"),
        admin.post("invitations/", {"email": "new@demo.example", "role": "owner"}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, "owners_alone")
    assert admin.patch(f"members/{cast.bea.pk}/", {"role": "viewer"}).status_code == 200


def test_the_last_owner_stays(cast, ada):
    for answer in (
        ada.patch(f"members/{cast.ada.pk}/", {"role": "admin"}),
        ada.delete(f"members/{cast.ada.pk}/"),
        ada.post("members/leave"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "last_owner")
    assert role_of(cast, cast.ada) == "owner"


def test_two_owners_who_demote_each_other_leave_one(cast, at_once):
    Member.objects.filter(workspace=cast.workspace, user=cast.ben).update(role=Role.OWNER)
    for _ in range(5):
        first, second = cast.actor(cast.ada), cast.actor(cast.ben)
        done = at_once(
            [
                lambda by=first: members.change_role(actor=by, user_id=cast.ben.pk, role="admin"),
                lambda by=second: members.change_role(actor=by, user_id=cast.ada.pk, role="admin"),
            ]
        )
        assert sorted(isinstance(answer, LastOwner) for answer in done) == [False, True]
        assert Member.objects.filter(workspace=cast.workspace, role=Role.OWNER).count() == 1
        Member.objects.filter(workspace=cast.workspace, user__in=[cast.ada, cast.ben]).update(role=Role.OWNER)


def test_anybody_leaves_by_themselves(cast):
    vic = Api(cast.vic).of(cast.workspace.slug)
    assert vic.post("members/leave").status_code == 204
    assert role_of(cast, cast.vic) is None
    assert vic.get("conversations/").status_code == 404
    assert AuditEntry.objects.filter(workspace=cast.workspace, action="member.left").count() == 1


def test_a_stranger_finds_no_member(cast, ada):
    theirs = Api(cast.cleo).of(cast.workspace.slug)
    assert theirs.get("members/").status_code == 404
    assert ada.patch(f"members/{cast.cleo.pk}/", {"role": "agent"}).status_code == 404
    assert ada.get(f"members/{cast.cleo.pk}/").status_code == 404


def test_what_is_wrong_is_said_by_field(cast, ada):
    wrong = ada.patch(f"members/{cast.ben.pk}/", {"role": "king", "rank": 1})
    assert wrong.status_code == 400
    assert set(wrong.json()["errors"]) == {"role", "rank"}
    assert set(ada.post("invitations/", {"email": "no address", "role": "agent"}).json()["errors"]) == {"email"}


# --- Invitations --------------------------------------------------------------------------------------------


def invite(ada, email: str, role: str = "agent"):
    answer = ada.post("invitations/", {"email": email, "role": role})
    assert answer.status_code == 201
    return answer.json()


def test_an_invitation_is_taken_by_the_address_it_is_for(cast, ada):
    guest = make_user("gil")
    made = invite(ada, guest.email.upper())
    token = token_of(made["link"])
    assert token.encode() not in bytes(Invitation.objects.get(pk=made["id"]).digest)
    assert "link" not in ada.get("invitations/").json()["results"][0]
    other = Api(cast.cleo).post("/api/v1/invitations/accept", {"token": token})
    assert (other.status_code, other.json()["code"]) == (403, "other_address")
    assert Api().post("/api/v1/invitations/accept", {"token": token}).status_code == 401
    taken = Api(guest).post("/api/v1/invitations/accept", {"token": token})
    assert taken.json() == {"workspace": cast.workspace.slug, "role": "agent"}
    assert role_of(cast, guest) == "agent"
    again = Api(guest).post("/api/v1/invitations/accept", {"token": token})
    assert (again.status_code, again.json()["code"]) == (409, "invitation_closed")
    assert ada.get("invitations/").json()["results"][0]["status"] == "accepted"


def test_a_link_taken_twice_at_once_makes_one_member(cast, ada, at_once):
    from crm.services.invitations import accept_invitation

    guest = make_user("gil")
    token = token_of(invite(ada, guest.email)["link"])
    done = at_once(lambda: accept_invitation(user=guest, token=token), 4)
    assert sum(not isinstance(answer, Exception) for answer in done) == 1
    assert Member.objects.filter(workspace=cast.workspace, user=guest).count() == 1


def test_a_link_that_was_replaced_taken_back_or_ran_out_is_good_for_nothing(cast, ada):
    guest = make_user("gil")
    made = invite(ada, guest.email)
    again = ada.post(f"invitations/{made['id']}/resend").json()

    def take(link: str):
        return Api(guest).post("/api/v1/invitations/accept", {"token": token_of(link)})

    assert take(made["link"]).status_code == 404
    Invitation.objects.filter(pk=made["id"]).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert take(again["link"]).status_code == 409
    third = ada.post(f"invitations/{made['id']}/resend").json()
    assert ada.delete(f"invitations/{made['id']}/").status_code == 204
    assert take(third["link"]).status_code == 409
    assert ada.delete(f"invitations/{made['id']}/").status_code == 409
    assert role_of(cast, guest) is None


def test_one_open_invitation_for_an_address(cast, ada):
    email = f"{unique('gil')}@demo.example"
    made = invite(ada, email)
    again = ada.post("invitations/", {"email": email.title(), "role": "viewer"})
    assert (again.status_code, again.json()["code"]) == (409, "already_invited")
    member = ada.post("invitations/", {"email": cast.ben.email, "role": "viewer"})
    assert (member.status_code, member.json()["code"]) == (409, "already_member")
    Invitation.objects.filter(pk=made["id"]).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert invite(ada, email, "viewer")["id"] != made["id"]


def test_an_invitation_of_somebody_who_may_not_invite_any_more_is_closed(cast, ada):
    guest = make_user("gil")
    ada.patch(f"members/{cast.ben.pk}/", {"role": "admin"})
    made = invite(Api(cast.ben).of(cast.workspace.slug), guest.email)
    ada.patch(f"members/{cast.ben.pk}/", {"role": "agent"})
    taken = Api(guest).post("/api/v1/invitations/accept", {"token": token_of(made["link"])})
    assert (taken.status_code, taken.json()["code"]) == (409, "invitation_closed")


def test_the_link_is_mailed_where_a_mail_server_is_known(cast, ada, settings):
    assert not Job.objects.filter(workspace_id=cast.workspace.pk, type="crm.mail_invitation").exists()
    settings.EMAIL_URL = "memory://"
    made = invite(ada, f"{unique('gil')}@demo.example")
    job = Job.objects.get(workspace_id=cast.workspace.pk, type="crm.mail_invitation")
    assert token_of(made["link"]) not in str(job.payload)
    run_job(job.pk)
    job.refresh_from_db()
    assert job.status == "completed", job.last_error
    message = next(message for message in mail.outbox if message.to == [made["email"]])
    assert made["link"] in message.body
    assert cast.workspace.name in message.subject


# --- Features -----------------------------------------------------------------------------------------------


def test_a_feature_that_is_off_says_so_and_keeps_its_data(cast, ada):
    from tests.cast import receive

    receive(cast)
    ben = Api(cast.ben).of(cast.workspace.slug)
    assert ben.patch("features", {"inbox": False}).status_code == 403
    assert ada.patch("features", {"inboxes": False}).status_code == 400
    assert ada.patch("features", {"inbox": False}).json()["inbox"] is False
    off = ben.get("conversations/")
    assert (off.status_code, off.json()["code"], off.json()["feature"]) == (403, "feature_off", "inbox")
    assert Api(cast.cleo).of(cast.workspace.slug).get("conversations/").status_code == 404
    assert ada.get("webhook-subscriptions/").status_code == 200
    ada.patch("features", {"inbox": True})
    assert len(ben.get("conversations/").json()["results"]) == 1
    entries = AuditEntry.objects.filter(workspace=cast.workspace, action="features.changed").order_by("id")
    assert [entry.detail for entry in entries] == [{"inbox": [True, False]}, {"inbox": [False, True]}]
