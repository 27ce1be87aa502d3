"""Outgoing webhooks in /settings: a secret is shown once, calls are seen and sent again, nobody else comes near."""

import re
from typing import Any

import pytest
from django.test import Client

from crm.models import AuditEntry
from inbox.models import Conversation
from jobs import http
from jobs.models import Job
from tests.api import token_for
from tests.cast import Cast, receive
from tests.jobs_at_hand import run_job
from tests.webhooks.receiver import receiving
from webhooks.models import Call, Subscription
from webhooks.services import fanout

PATH = "/settings/webhooks"


@pytest.fixture(autouse=True)
def _own_issuer(settings: Any) -> None:
    settings.SUPABASE_URL = ""
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "whitenoise" not in name]


@pytest.fixture
def receiver() -> Any:
    with receiving() as receiver:
        yield receiver
    http.close()


def signed_in(user: Any) -> Client:
    return Client(headers={"authorization": f"Bearer {token_for(user)}"})


def post(user: Any, **fields: Any) -> Any:
    return signed_in(user).post(PATH, fields)


def shown(user: Any, **query: str) -> str:
    answer = signed_in(user).get(PATH, query)
    assert answer.status_code == 200, answer.content
    text: str = answer.content.decode()
    assert not re.search(r"\{[{%]", text)
    return text


def secret_in(answer: Any) -> str:
    found = re.search(r"whsec_[\w+/=]+", answer.content.decode())
    assert found, answer.content
    return found[0]


def subscribed(cast: Cast, url: str, **fields: Any) -> tuple[Subscription, str]:
    answer = post(cast.ada, do="create", url=url, description="CRM", which="all", **fields)
    assert answer.status_code == 200, answer.content
    return Subscription.objects.get(workspace=cast.workspace, deleted_at=None), secret_in(answer)


def deliver(cast: Cast, subscription: Subscription) -> None:
    fanout.dispatch(workspace_id=cast.workspace.pk)
    waiting = Job.objects.filter(lane=f"hook:{subscription.pk}", status="pending").order_by("id")
    for job_id in list(waiting.values_list("pk", flat=True)):
        run_job(job_id)


def test_a_secret_is_shown_once_and_signs_what_is_sent(cast: Cast, receiver: Any):
    made, secret = subscribed(cast, receiver.url)
    assert secret not in shown(cast.ada)
    receive(cast, "Hola")
    deliver(cast, made)
    assert "message.created" in receiver.types
    assert all(got.verified_by(secret) for got in receiver.got)
    renewed = secret_in(post(cast.ada, do="rotate", id=str(made.pk)))
    assert renewed != secret
    assert renewed not in shown(cast.ada)
    told = list(AuditEntry.objects.filter(workspace=cast.workspace).order_by("pk").values_list("action", "detail"))
    assert [action for action, _detail in told] == ["webhook.created", "webhook.changed"]
    assert secret not in str(told)
    assert renewed not in str(told)


def test_what_it_hears_of_is_chosen_and_private_notes_only_by_name(cast: Cast, receiver: Any):
    made, _secret = subscribed(cast, receiver.url)
    assert made.event_types == []
    fields = {"do": "save", "id": str(made.pk), "url": receiver.url, "description": "Only notes"}
    refused = post(cast.ada, **fields, which="some")
    assert refused.status_code == 400
    assert "Tick what it should hear of." in refused.content.decode()
    assert post(cast.ada, **fields, which="some", event_types=["note.created"]).status_code == 303
    made.refresh_from_db()
    assert (made.event_types, made.description) == (["note.created"], "Only notes")
    assert "Only notes" in shown(cast.ada)
    assert post(cast.ada, **fields, which="some", event_types=["nothing.known"]).status_code == 400
    assert post(cast.ada, **fields, which="all", event_types=["note.created"]).status_code == 303
    made.refresh_from_db()
    assert made.event_types == []


def test_an_address_that_cannot_be_called_is_said_beside_it_and_nothing_is_kept(cast: Cast, settings: Any):
    settings.ALLOWED_PRIVATE_HOSTS = []
    for url in ("nonsense", "https://10.0.0.1/hook", "https://user:secret@crm.example/", "ftp://crm.example/"):
        refused = post(cast.ada, do="create", url=url, description="As typed", which="all")
        assert refused.status_code == 400, url
        text = refused.content.decode()
        assert 'id="error-url-new"' in text
        assert 'value="As typed"' in text
    assert not Subscription.objects.filter(workspace=cast.workspace).exists()


def test_what_failed_stands_in_the_log_and_goes_out_again(cast: Cast, receiver: Any):
    made, _secret = subscribed(cast, receiver.url)
    receiver.answers = [(500, {})]
    assert post(cast.ada, do="test", id=str(made.pk)).status_code == 303
    deliver(cast, made)
    log = shown(cast.ada, subscription=str(made.pk))
    call = Call.objects.get(subscription=made)
    assert f'data-call="{call.pk}" data-state="{call.state}"' in log
    assert ">500<" in log
    again = post(cast.ada, do="redeliver", id=str(made.pk), call=str(call.pk))
    assert again.status_code == 303
    assert f"subscription={made.pk}" in again["Location"]
    deliver(cast, made)
    assert receiver.types == ["test.ping", "test.ping"]
    assert 'data-state="delivered"' in shown(cast.ada, subscription=str(made.pk), state="delivered")
    assert "No call is in this state" in shown(cast.ada, subscription=str(made.pk), state="failed")
    assert post(cast.ada, do="redeliver", id=str(made.pk), call="x").status_code == 404


def test_paused_nobody_is_called_and_what_was_missed_follows(cast: Cast, receiver: Any):
    made, _secret = subscribed(cast, receiver.url)
    assert post(cast.ada, do="pause", id=str(made.pk)).status_code == 303
    assert "Switched off by an administrator." in shown(cast.ada)
    conversation: Conversation = receive(cast, "While it was paused")
    deliver(cast, made)
    assert receiver.types == []
    assert post(cast.ada, do="catch_up", id=str(made.pk)).status_code == 303
    deliver(cast, made)
    assert str(conversation.pk) in str([got.raw for got in receiver.got])
    assert post(cast.ada, do="pause", id=str(made.pk)).status_code == 303
    receive(cast, "Nobody will hear this")
    assert post(cast.ada, do="from_now", id=str(made.pk)).status_code == 303
    deliver(cast, made)
    assert "Nobody will hear this" not in str([got.raw for got in receiver.got])


def test_one_is_removed_and_its_secret_with_it(cast: Cast, receiver: Any):
    made, _secret = subscribed(cast, receiver.url)
    assert post(cast.ada, do="delete", id=str(made.pk)).status_code == 303
    made.refresh_from_db()
    assert (made.secrets, made.is_active) == ({}, False)
    assert str(made.pk) not in shown(cast.ada)
    assert "No other system listens yet" in shown(cast.ada)


def test_without_an_address_events_are_fetched_and_nothing_is_sent(cast: Cast):
    made, _secret = subscribed(cast, "")
    text = shown(cast.ada)
    assert "calls nobody" in text
    assert 'value="test"' not in text
    assert post(cast.ada, do="test", id=str(made.pk)).status_code == 409


def test_with_the_feature_off_it_says_so_and_changes_nothing(cast: Cast, receiver: Any):
    made, _secret = subscribed(cast, receiver.url)
    cast.workspace.refresh_from_db()
    cast.workspace.features = {"outgoing_webhooks": False}
    cast.workspace.save()
    assert "switched off for this workspace" in shown(cast.ada)
    assert post(cast.ada, do="pause", id=str(made.pk)).status_code == 403
    made.refresh_from_db()
    assert made.is_active


def test_who_does_not_manage_neither_sees_nor_changes_it(cast: Cast, receiver: Any):
    made, _secret = subscribed(cast, receiver.url)
    for user in (cast.ben, cast.vic, cast.tia):
        assert signed_in(user).get(PATH).status_code == 403
        assert post(user, do="delete", id=str(made.pk)).status_code == 403
    assert str(made.pk) not in shown(cast.cleo)
    assert "Calls of" not in shown(cast.cleo, subscription=str(made.pk))
    for do in ("pause", "rotate", "test", "delete", "save"):
        assert post(cast.cleo, do=do, id=str(made.pk), url=receiver.url, which="all").status_code == 404
    made.refresh_from_db()
    assert made.is_active


def test_the_log_of_many_calls_is_paged(cast: Cast, receiver: Any, assert_queries: Any):
    made, _secret = subscribed(cast, receiver.url)
    Call.objects.bulk_create(
        Call(workspace=cast.workspace, subscription=made, seq=number, event_type="message.created", body="{}")
        for number in range(1, 31)
    )
    client = signed_in(cast.ada)
    client.get(PATH)
    with assert_queries(14):
        first = client.get(PATH, {"subscription": str(made.pk)}).content.decode()
    older = re.search(r'href="(\?[^"]*cursor=[^"]+)">Older', first)
    assert older
    rest = client.get(PATH + older[1].replace("&amp;", "&")).content.decode()
    assert (first.count("data-call="), rest.count("data-call=")) == (25, 5)
    assert ">Newer</a>" in rest
