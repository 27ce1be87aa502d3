"""A machine asks with an API key: in its workspace, within its scopes, and no longer than it is good for."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from crm.api_keys import VISIBLE, digest_of, new_key
from crm.ids import uuid7
from crm.models import ApiKey, Member
from crm.roles import Action, Role
from tests.cast import receive


def make_key(cast, *scopes: Action, user=None, **fields: Any) -> str:
    raw = new_key()
    ApiKey.objects.create(
        workspace=cast.workspace,
        name="Assistant",
        prefix=raw[:VISIBLE],
        digest=digest_of(raw),
        scopes=[scope.value for scope in scopes or (Action.READ_INBOX,)],
        created_by=user or cast.ada,
        **fields,
    )
    return raw


def ask(raw: str, workspace, path: str = "conversations/", *, header: str = "authorization") -> Any:
    value = f"Bearer {raw}" if header == "authorization" else raw
    return Client(headers={header: value}).get(f"/api/v1/workspaces/{workspace.slug}/{path}")


@pytest.mark.parametrize("header", ["authorization", "x-api-key"])
def test_a_key_opens_its_workspace(cast, header):
    receive(cast)
    answer = ask(make_key(cast), cast.workspace, header=header)
    assert answer.status_code == 200
    assert len(answer.json()["results"]) == 1


def test_another_workspace_is_not_there_for_it(cast):
    raw = make_key(cast)
    foreign, missing = ask(raw, cast.elsewhere), Client(headers={"x-api-key": raw}).get("/api/v1/workspaces/nowhere/x")
    assert foreign.status_code == missing.status_code == 404
    assert ask(raw, cast.elsewhere, "members/").content == ask(raw, cast.elsewhere, "contacts/").content


@pytest.mark.parametrize("raw", ["sb_", "sb_short", "sb_" + "x" * 43, "demo-crm-key", ""])
@pytest.mark.parametrize("header", ["authorization", "x-api-key"])
def test_what_is_no_key_is_nobody(cast, raw, header):
    answer = ask(raw, cast.workspace, header=header)
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Bearer"


def test_a_revoked_and_an_expired_key_are_nobody(cast):
    now = timezone.now()
    assert ask(make_key(cast, revoked_at=now), cast.workspace).json()["code"] == "key_invalid"
    assert ask(make_key(cast, expires_at=now - timedelta(seconds=1)), cast.workspace).json()["code"] == "key_expired"
    assert ask(make_key(cast, expires_at=now + timedelta(hours=1)), cast.workspace).status_code == 200


def test_it_does_what_its_scopes_say_and_nothing_more(cast):
    conversation = receive(cast)
    client = Client(headers={"x-api-key": make_key(cast)})
    path = f"/api/v1/workspaces/{cast.workspace.slug}/conversations/{conversation.pk}/messages/"
    body = {"client_id": str(uuid4()), "type": "text", "body": "Hi"}
    assert client.post(path, body, content_type="application/json").status_code == 403
    writer = Client(headers={"x-api-key": make_key(cast, Action.READ_INBOX, Action.REPLY)})
    made = writer.post(path, body, content_type="application/json")
    assert made.status_code == 201
    assert made.json()["sender"] == {"kind": "bot", "id": str(ApiKey.objects.latest("id").pk), "name": "Assistant"}
    assert writer.post(path, body, content_type="application/json").status_code == 200


def test_it_is_never_wider_than_its_creator(cast):
    raw = make_key(cast, Action.READ_INBOX, Action.MANAGE)
    assert ask(raw, cast.workspace, "jobs/").status_code == 200
    Member.objects.filter(workspace=cast.workspace, user=cast.ada).update(role=Role.AGENT)
    assert ask(raw, cast.workspace, "jobs/").status_code == 403
    assert ask(raw, cast.workspace).status_code == 200
    Member.objects.filter(workspace=cast.workspace, user=cast.ada).delete()
    assert ask(raw, cast.workspace).status_code == 401


def test_a_key_whose_creator_was_deactivated_is_nobody(cast):
    raw = make_key(cast, user=cast.ben)
    cast.ben.deactivated_at = timezone.now()
    cast.ben.save()
    assert ask(raw, cast.workspace).status_code == 401


def test_what_is_a_persons_own_is_not_for_machines(cast):
    conversation = receive(cast)
    client = Client(headers={"x-api-key": make_key(cast, *Action)})
    read = client.post(
        f"/api/v1/workspaces/{cast.workspace.slug}/conversations/{conversation.pk}/read",
        "{}",
        content_type="application/json",
    )
    assert (read.status_code, read.json()["code"]) == (403, "person_needed")
    me = client.get("/api/v1/me")
    assert (me.status_code, me.json()["code"]) == (403, "person_needed")


def test_too_many_requests_say_when_to_come_again(cast):
    raw = make_key(cast, rate_per_minute=3)
    answers = [ask(raw, cast.workspace) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert 1 <= int(answers[-1]["Retry-After"]) <= 60
    assert ask(make_key(cast), cast.workspace).status_code == 200


def test_last_use_is_written_beside_the_request_and_not_with_each(cast, assert_queries):
    from crm.identity import last_use

    raw = make_key(cast)
    ask(raw, cast.workspace, "billing-accounts/")
    with assert_queries(1):
        ask(raw, cast.workspace, "billing-accounts/")
    last_use.flush()
    row = ApiKey.objects.get(digest=digest_of(raw))
    assert row.last_used_at is not None
    ask(raw, cast.workspace)
    last_use.flush()
    assert ApiKey.objects.get(pk=row.pk).last_used_at == row.last_used_at


def test_the_old_single_key_opens_nothing_by_itself(cast, settings):
    settings.CRM_API_KEY, settings.CRM_API_KEY_WORKSPACE = f"old-{uuid7()}", cast.workspace.slug
    for path in ("conversations/", "contacts/", "members/", "jobs/"):
        for header in ("authorization", "x-api-key"):
            assert ask(settings.CRM_API_KEY, cast.workspace, path, header=header).status_code in {401, 404}
    assert ask(settings.CRM_API_KEY, cast.workspace).status_code == 401
