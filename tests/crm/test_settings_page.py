"""/settings works as plain forms: every section by whom it is for, and nothing for whom it is not."""

import re
from typing import Any

import pytest
from django.test import Client

from crm.models import ApiKey, AuditEntry, Invitation, Member
from tests.api import Api
from tests.crm.conftest import account_for

pytestmark = pytest.mark.usefixtures("own_issuer")
MANAGING = ("general", "members", "api-keys", "features", "audit")


def signed_in(user) -> Client:
    client = Client()
    account_for(user).sign_in(client)
    return client


@pytest.fixture
def ada(cast) -> Client:
    return signed_in(cast.ada)


def post(client: Client, section: str, **fields: Any) -> Any:
    return client.post(f"/settings/{section}", fields)


def test_an_owner_opens_every_section(cast, ada, assert_queries):
    assert 'href="/settings/general" aria-current="page"' in ada.get("/settings").content.decode()
    for section in (*MANAGING, "profile"):
        with assert_queries(8):
            answer = ada.get(f"/settings/{section}")
        assert answer.status_code == 200
        assert not re.search(r"\{[{%]", answer.content.decode())
        assert f'href="/settings/{section}" aria-current="page"' in answer.content.decode()
    assert ada.get("/settings/nothing").status_code == 404


@pytest.mark.parametrize("name", ["ben", "tia", "vic"])
def test_who_manages_nothing_sees_the_profile_alone(cast, name):
    client = signed_in(getattr(cast, name))
    assert 'href="/settings/profile" aria-current="page"' in client.get("/settings").content.decode()
    shown = client.get("/settings/profile").content.decode()
    assert not any(f'href="/settings/{section}"' in shown for section in MANAGING)
    for section in MANAGING:
        assert client.get(f"/settings/{section}").status_code == 403
        assert client.post(f"/settings/{section}", {"do": "save"}).status_code == 403


def test_a_stranger_has_no_settings_here(cast):
    cleo = signed_in(cast.cleo)
    assert cleo.get(f"/settings/members?workspace={cast.workspace.slug}").status_code == 404
    assert signed_in(cast.sam).get("/settings").status_code == 404
    assert Client().get("/settings/members")["Location"].startswith("/login")


def test_somebody_is_invited_and_joins(cast, ada):
    from tests.cast import make_user

    guest = make_user("gil")
    made = post(ada, "members", do="invite", email=guest.email, role="agent")
    link = re.search(r"/invitations/[\w-]+", made.content.decode())
    assert link is not None
    assert link[0] not in ada.get("/settings/members").content.decode()
    assert signed_in(cast.cleo).get(link[0]).status_code == 403
    client = signed_in(guest)
    assert cast.workspace.name in client.get(link[0]).content.decode()
    assert client.post(link[0]).status_code == 303
    assert Member.objects.get(workspace=cast.workspace, user=guest).role == "agent"
    assert client.get(link[0]).status_code == 409


def test_what_was_wrong_stands_beside_its_field(cast, ada):
    answer = post(ada, "members", do="invite", email="nobody", role="agent")
    assert answer.status_code == 400
    assert 'value="nobody" aria-invalid="true"' in answer.content.decode()
    assert post(ada, "members", do="role", id=str(cast.ada.pk), role="viewer").status_code == 409
    assert (
        post(ada, "general", do="save", name="X", timezone="Moon", default_region="ES", lead_statuses="new").status_code
        == 400
    )
    assert Invitation.objects.filter(workspace=cast.workspace).count() == 0


def test_roles_change_and_people_go(cast, ada):
    assert post(ada, "members", do="role", id=str(cast.ben.pk), role="viewer").status_code == 303
    assert Member.objects.get(workspace=cast.workspace, user=cast.ben).role == "viewer"
    assert post(ada, "members", do="remove", id=str(cast.ben.pk)).status_code == 303
    assert not Member.objects.filter(workspace=cast.workspace, user=cast.ben).exists()
    assert post(ada, "members", do="remove", id="x").status_code == 404
    assert post(ada, "members", do="context").status_code == 404


def test_a_key_is_shown_once_and_revoked(cast, ada):
    made = post(ada, "api-keys", do="create", name="Bot", scopes=["read_inbox"], days="30")
    raw = re.search(r"sb_[\w-]{43}", made.content.decode())
    assert raw is not None
    assert raw[0] not in ada.get("/settings/api-keys").content.decode()
    path = f"/api/v1/workspaces/{cast.workspace.slug}/conversations/"
    assert Client(headers={"x-api-key": raw[0]}).get(path).status_code == 200
    key = ApiKey.objects.get(workspace=cast.workspace)
    assert key.expires_at is not None
    assert post(ada, "api-keys", do="revoke", id=str(key.pk)).status_code == 303
    assert Client(headers={"x-api-key": raw[0]}).get(path).status_code == 401
    assert post(ada, "api-keys", do="create", name="Bot", days="30").status_code == 400


def test_a_workspace_is_set_up_and_a_feature_switched_off(cast, ada):
    fields = {
        "name": "Café",
        "timezone": "Europe/Madrid",
        "default_region": "es",
        "lead_statuses": "new\n won \n\nlost",
    }
    assert post(ada, "general", do="save", **fields).status_code == 303
    cast.workspace.refresh_from_db()
    assert (cast.workspace.name, cast.workspace.default_region) == ("Café", "ES")
    assert cast.workspace.lead_statuses == ["new", "won", "lost"]
    assert ">new\nwon\nlost</textarea>" in ada.get("/settings/general").content.decode()
    assert post(ada, "features", do="save", proctoring="on").status_code == 303
    features = Api(cast.ada).of(cast.workspace.slug).get("features").json()
    assert features["proctoring"] is True
    assert features["inbox"] is False


def test_the_audit_log_is_read_filtered_and_exported(cast, ada):
    post(ada, "members", do="role", id=str(cast.ben.pk), role="viewer")
    post(ada, "api-keys", do="create", name="=1+1", scopes=["read_inbox"], days="0")
    shown = ada.get("/settings/audit").content.decode()
    assert "member.role_changed" in shown
    assert "agent → viewer" in shown
    assert (
        "api_key.created"
        not in ada.get("/settings/audit?action=member.role_changed").content.decode().split("<table")[1]
    )
    api = Api(cast.ada).of(cast.workspace.slug)
    assert api.post("contacts/", {"name": "Zoë"}).status_code == 201
    made = ada.get("/settings/audit?action=contact.created").content.decode().split("<table")[1]
    assert '<td dir="auto">contact</td>' in made
    assert AuditEntry.objects.get(workspace=cast.workspace, action="contact.created").detail["request"] not in made
    assert [row["action"] for row in api.get("audit/", action="api_key.created").json()["results"]] == [
        "api_key.created"
    ]
    assert api.get("audit/", since="x").status_code == 400
    AuditEntry.objects.filter(action="api_key.created", workspace=cast.workspace).update(actor_name="=cmd()")
    lines = b"".join(api.get("audit.csv").streaming_content).decode("utf-8-sig").splitlines()
    assert lines[0].startswith("at,actor_kind")
    assert "'=cmd()" in lines[2]
    assert len(lines) == 4
    assert Api(cast.ben).of(cast.workspace.slug).get("audit.csv").status_code == 403


def test_the_audit_log_offers_the_kinds_of_what_happened_lately(cast, ada, monkeypatch):
    AuditEntry.objects.bulk_create(
        AuditEntry(workspace=cast.workspace, actor_kind="system", action=action, target_kind="x")
        for action in ("long.ago", "now.this", "now.that")
    )
    monkeypatch.setattr("crm.sections.workspace.LATELY", 2)
    shown = ada.get("/settings/audit").content.decode()
    assert re.findall(r"<option>([\w.]+)</option>", shown) == ["now.that", "now.this"]
    assert "long.ago" in shown.split("<table")[1]
