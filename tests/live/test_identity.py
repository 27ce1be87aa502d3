"""Who a socket is: cookies, tokens, renewal, expiry, and access that changes while it is open."""

import time
from uuid import uuid4

import pytest
import websockets
from asgiref.sync import sync_to_async

from config.live.identity import publish_access_change
from config.live.models import LiveTopic
from config.live.unit import unit_of_work
from tests.live.test_publishing import a_topic
from tests.live.test_socket import say
from tests.live.web import Client, Web, connected


def someone() -> str:
    return f"p{uuid4().hex}"


def until(seconds: float) -> float:
    return time.time() + seconds


def cookie(name: str) -> dict[str, str]:
    return {"Cookie": f"theme=dark; who={name}"}


@sync_to_async
def mark(name: str, *, tells: str | None = None) -> None:
    """As tests.live.asgi reads it; a person whose access this changes is named in `tells`."""
    with unit_of_work():
        LiveTopic.objects.create(name=f"mark.{name}", seq=0)
        if tells:
            publish_access_change(f"user:{tells}")


def by_cookie(server: Web, name: str, origin: str | None):
    return connected(server, None, additional_headers=cookie(name), origin=origin)


async def _wait(client: Client, seconds: float) -> None:
    """Until what was about to expire has expired; only heads may come in the meantime."""
    later = until(seconds)
    while time.time() < later:
        await client.op("heads", 5)


@pytest.mark.parametrize("token", ["wrong", "ben~1", ""])
async def test_a_wrong_or_expired_token_is_told_after_the_handshake(server, token):
    async with connected(server, token) as ben:
        assert await ben.closed() == 4401


async def test_a_cookie_counts_with_an_origin_of_our_own(server):
    for origin in ("http://testserver", f"http://127.0.0.1:{server.port}"):
        async with by_cookie(server, someone(), origin) as ben:
            assert (await ben.subscribe(a_topic()))["op"] == "subscribed"


async def test_a_cookie_without_origin_is_nobody(server):
    async with by_cookie(server, someone(), None) as ben:
        assert (await ben.subscribe(a_topic()))["code"] == "not_found"


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://testserver.evil.example", "null", "http://testserver:81"]
)
async def test_a_foreign_origin_is_refused(server, origin):
    with pytest.raises(websockets.InvalidStatus) as refused:
        await by_cookie(server, someone(), origin).__aenter__()
    assert refused.value.response.status_code == 403


async def test_an_expired_cookie_is_nobody(server):
    async with by_cookie(server, f"{someone()}~1", "http://testserver") as ben:
        assert (await ben.subscribe(a_topic()))["code"] == "not_found"
        assert (await ben.subscribe(a_topic("board")))["op"] == "subscribed"


@pytest.mark.parametrize("protocols", [None, ["live.v2"], ["bearer.ben"]])
async def test_the_protocol_has_to_be_named(server, protocols):
    with pytest.raises(websockets.InvalidStatus) as refused:
        await connected(server, subprotocols=protocols).__aenter__()
    assert refused.value.response.status_code in {400, 403}


async def test_another_path_or_host_is_refused(server):
    for path, headers in (("/ws/other", {}), ("/ws/live", {"Host": "evil.example"})):
        with pytest.raises(websockets.InvalidStatus) as refused:
            await websockets.connect(
                server.url.replace("/ws/live", path),
                subprotocols=["live.v1"],  # type: ignore[list-item]
                additional_headers=headers,
                proxy=None,
            )
        assert refused.value.response.status_code in {400, 403, 404}


async def test_a_token_that_runs_out_closes(server):
    async with connected(server, f"{someone()}~{until(1.5)}") as ben:
        await ben.subscribe(a_topic())
        assert await ben.closed(5) == 4401


async def test_a_token_renewed_in_time_keeps_the_socket(server):
    name, topic = someone(), a_topic()
    async with connected(server, f"{name}~{until(1.5)}") as ben:
        await ben.subscribe(topic)
        later = until(3600)
        await ben.tell(op="token", token=f"{name}~{later}")
        assert await ben.op("token_ok") == {"op": "token_ok", "expires_at": later}
        await _wait(ben, 2.5)
        await say(topic, "still here")
        assert (await ben.event())["seq"] == 1


async def test_a_cookie_socket_renews_without_a_token_from_the_session_on_the_server(server):
    name, topic = someone(), a_topic()
    async with by_cookie(server, f"{name}~{until(1.5)}", "http://testserver") as ben:
        await ben.subscribe(topic)
        await ben.tell(op="token")
        assert (await ben.op("token_ok"))["expires_at"] > time.time() + 30
        await _wait(ben, 2.5)
        await mark(f"session-over.{name}")
        await ben.tell(op="token")
        assert (await ben.op("error"))["code"] == "not_signed_in"
        await say(topic, "still here")
        assert (await ben.event())["seq"] == 1


async def test_a_renewal_that_is_wrong_or_somebody_elses_changes_nothing(server):
    async with connected(server, f"{someone()}~{until(60)}") as ben:
        await ben.tell(op="token", token="wrong")
        assert (await ben.op("error"))["code"] == "not_signed_in"
        await ben.tell(op="token", token=someone())
        assert (await ben.op("error"))["code"] == "forbidden"
        await ben.tell(op="token")
        assert (await ben.op("error"))["code"] == "not_signed_in"
        assert (await ben.subscribe(a_topic()))["op"] == "subscribed"


async def test_an_anonymous_socket_may_become_somebody(server):
    async with connected(server, None) as ben:
        topic = a_topic()
        assert (await ben.subscribe(topic))["code"] == "not_found"
        await ben.tell(op="token", token=someone())
        await ben.op("token_ok")
        assert (await ben.subscribe(topic))["op"] == "subscribed"


async def test_who_only_listens_to_what_is_public_stays_when_the_token_runs_out(server):
    board = a_topic("board")
    async with connected(server, f"{someone()}~{until(1.5)}") as ben:
        await ben.subscribe(board)
        await _wait(ben, 2.5)
        await say(board, "for all")
        assert (await ben.event())["seq"] == 1
        assert (await ben.subscribe(a_topic()))["code"] == "not_found"


@pytest.mark.parametrize("nudged", [True, False])
async def test_what_was_taken_away_is_gone_within_two_seconds(server, nudged, request):
    if not nudged:
        request.getfixturevalue("no_nudges")
    name, kept, lost = someone(), a_topic(), a_topic()
    async with connected(server, name) as ben, connected(server, someone()) as bea:
        for client in (ben, bea):
            await client.subscribe(kept)
            await client.subscribe(lost)
        await mark(f"revoked.{name}.{lost.removeprefix('test.')}", tells=name)
        error = (await ben.until(lambda f: f["op"] != "heads", seconds=2))[-1]
        assert (error["op"], error["code"], error["topic"]) == ("error", "not_found", lost)
        await say(lost, "not for ben")
        await say(kept, "for both")
        assert (await ben.event())["topic"] == kept
        assert [(await bea.event())["topic"], (await bea.event())["topic"]] in ([lost, kept], [kept, lost])
        assert (await ben.subscribe(lost))["code"] == "not_found"


@pytest.mark.parametrize("nudged", [True, False])
async def test_somebody_who_is_gone_is_closed_within_two_seconds(server, nudged, request):
    if not nudged:
        request.getfixturevalue("no_nudges")
    name = someone()
    async with connected(server, name) as ben:
        await ben.subscribe(a_topic("board"))
        await mark(f"gone.{name}", tells=name)
        assert await ben.closed(2) == 4401
