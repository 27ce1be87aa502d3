"""Our own client against the simulated provider, over real HTTP: the two must agree on every outcome."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from inbox.clients import kapso
from inbox.clients.outgoing import Kind, Outgoing
from jobs.errors import ProviderError
from tests.simulator.harness import API_KEY, NUMBER_ID


@pytest.fixture
def client(simulator, settings):
    settings.KAPSO_API_URL = simulator.url
    settings.ALLOWED_PRIVATE_HOSTS = ["127.0.0.1"]
    return kapso.KapsoClient(api_key=API_KEY, phone_number_id=NUMBER_ID)


def find(client, callback_data, *, to="+15551234567", body="Hello", **more):
    since = datetime.now(UTC) - timedelta(seconds=5)
    return client.find_sent(Outgoing(Kind.TEXT, to, callback_data, body), since=since, **more)


def send(client, **given):
    return client.send(Outgoing(kind=Kind.TEXT, **given))


def test_a_text_is_sent_and_found_again(simulator, client):
    ours = str(uuid.uuid4())

    sent = send(client, to="15551234567", body="Hello", callback_data=ours)

    (row,) = simulator.accepted()
    assert (row["id"], row["to"], row["callback_data"]) == (sent.provider_id, "+15551234567", ours)
    assert find(client, ours) == sent
    assert find(client, str(uuid.uuid4())) is None


def test_a_reply_to_a_person_without_a_number_is_sent(simulator, client):
    send(client, to="US.13491208655302741918", body="Hello", reply_to="wamid.asked", callback_data=str(uuid.uuid4()))

    (row,) = simulator.accepted()
    assert (row["to"], row["reply_to"]) == ("US.13491208655302741918", "wamid.asked")


@pytest.mark.parametrize("fail", ["drop_after_accept", "500_after_accept"])
def test_what_was_taken_before_the_call_broke_is_found(simulator, client, fail):
    simulator.behave(fail=fail, next_n=1)
    ours = str(uuid.uuid4())

    with pytest.raises(ProviderError) as caught:
        send(client, to="+15551234567", body="Hello", callback_data=ours)

    assert caught.value.maybe_sent
    found = find(client, ours)
    assert found
    assert [row["id"] for row in simulator.accepted()] == [found.provider_id]


@pytest.mark.parametrize("fail", ["drop_before", "500"])
def test_what_was_not_taken_is_not_found(simulator, client, fail):
    simulator.behave(fail=fail, next_n=1)
    ours = str(uuid.uuid4())

    with pytest.raises(ProviderError) as caught:
        send(client, to="+15551234567", body="Hello", callback_data=ours)

    assert caught.value.maybe_sent
    assert find(client, ours) is None


def test_without_echo_words_and_person_find_it_in_the_number_s_other_form(simulator, client):
    simulator.behave(echo="off")
    one = send(client, to="+525512345678", body="Hola", callback_data="a")
    two = send(client, to="+525512345678", body="Hola", callback_data="b")
    more = {"to": "+525512345678", "body": "Hola"}

    assert one.wa_id == "5215512345678"
    assert find(client, "a", **more) == one
    assert find(client, "b", **more, known={one.provider_id}) == two
    assert find(client, "c", **more, known={one.provider_id, two.provider_id}) is None


def test_a_look_up_reads_every_page(simulator, client):
    simulator.behave(statuses="off")
    first = send(client, to="+15551234567", body="The first", callback_data="first")
    for n in range(120):
        assert simulator.send(body=f"Message {n}").status_code == 200

    assert find(client, "first") == first


@pytest.mark.parametrize(
    ("told", "permanent", "maybe_sent", "code"),
    [
        ({"fail": "409"}, False, False, "http_409"),
        ({"fail": "429", "retry_after": 3}, False, False, "http_429"),
        ({"fail": "window"}, True, False, "131047"),
        ({"fail": "code", "code": 131056}, False, False, "131056"),
    ],
)
def test_refusals_are_understood(simulator, client, told, permanent, maybe_sent, code):
    simulator.behave(**told)

    with pytest.raises(ProviderError) as caught:
        send(client, to="+15551234567", body="Hello", callback_data="x")

    error = caught.value
    assert (error.permanent, error.maybe_sent, error.code) == (permanent, maybe_sent, code)
    if "retry_after" in told:
        assert error.retry_after == 3.0


def test_the_connection_is_checked(client):
    assert client.check_connection().phone == "+15550100001"
    with pytest.raises(ProviderError, match="API key"):
        kapso.KapsoClient("wrong", NUMBER_ID).check_connection()
    with pytest.raises(ProviderError, match="no longer connected"):
        kapso.KapsoClient(API_KEY, "999").check_connection()
