"""What people write goes over threads of its own, and is answered as everywhere."""

import asyncio
from threading import Barrier
from typing import Any
from uuid import uuid4

import httpx
import pytest
from asgiref.sync import sync_to_async
from django.db import DEFAULT_DB_ALIAS, connection, connections

from config import asgi, writing
from inbox.models import Message
from tests.api import token_for
from tests.cast import Cast
from tests.inbox.context_scene import asgi_client
from tests.inbox.test_chats import admit, make_widget

AT_ONCE = 24  # more than there are connections


@pytest.fixture(autouse=True)
def _own_issuer(settings: Any) -> None:
    settings.SUPABASE_URL = ""


@pytest.fixture
def on_the_road(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths that went over it."""
    taken: list[str] = []
    known = asgi.writing_application

    async def road(scope: Any, receive: Any, send: Any) -> None:
        taken.append(scope["path"])
        await known(scope, receive, send)

    monkeypatch.setattr(asgi, "writing_application", road)
    return taken


def _written(chat: str) -> list[str]:
    rows = Message.objects.filter(conversation_id=chat, direction__in=["in", "out"]).order_by("pk")
    return list(rows.values_list("body", flat=True))


async def test_visitors_and_agents_write_over_it_and_nothing_is_lost_or_doubled(cast: Cast, on_the_road: list[str]):
    widget = await sync_to_async(make_widget)(cast)
    guests = [await sync_to_async(admit)(widget) for _ in range(AT_ONCE)]
    chats = [(await sync_to_async(guest.start)(widget)).json()["id"] for guest in guests]
    team = {"Authorization": f"Bearer {await sync_to_async(token_for)(cast.ben)}"}
    ids = [str(uuid4()) for _ in guests]

    async def write(client: httpx.AsyncClient, place: int) -> list[int]:
        chat, visitor = chats[place], {"Authorization": f"Bearer {guests[place].token}"}
        mine, ours = f"/api/v1/chats/{chat}/messages", f"/api/v1/workspaces/{cast.workspace.slug}/conversations/{chat}"
        body = {"client_id": ids[place], "body": "Hola"}
        first = await client.post(mine, json=body, headers=visitor)
        again = await client.post(mine, json=body, headers=visitor)
        answer = await client.post(f"{ours}/messages/", json={"client_id": str(uuid4()), "body": "Sí"}, headers=team)
        assert first.json() == again.json()
        assert answer.json()["sender"]["name"] == "Ben"
        return [first.status_code, again.status_code, answer.status_code]

    async with asgi_client() as client:
        answers = await asyncio.gather(*(write(client, place) for place in range(AT_ONCE)))
    assert answers == [[201, 200, 201]] * AT_ONCE
    assert len(on_the_road) == 3 * AT_ONCE
    for chat in chats:
        assert await sync_to_async(_written)(chat) == ["Hola", "Sí"]


def _backends() -> list[int]:
    """Of the connections that its threads keep, each asked in turn."""
    together = Barrier(writing.THREADS)

    def pid() -> int:
        together.wait(60)
        own = connections[DEFAULT_DB_ALIAS].connection
        return 0 if own is None else own.info.backend_pid

    asked = [writing._threads().submit(pid) for _ in range(writing.THREADS)]
    return [found for found in (one.result() for one in asked) if found]


def _end(backends: list[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("select pg_terminate_backend(pid, 10000) from unnest(%s) as pid", [backends])


async def test_a_connection_that_the_server_has_closed_costs_nobody_a_message(cast: Cast, on_the_road: list[str]):
    widget = await sync_to_async(make_widget)(cast)
    guest = await sync_to_async(admit)(widget)
    chat = (await sync_to_async(guest.start)(widget)).json()["id"]
    path, headers = f"/api/v1/chats/{chat}/messages", {"Authorization": f"Bearer {guest.token}"}
    said = [f"Hola {number}" for number in range(2 * writing.THREADS)]
    async with asgi_client() as client:
        for half in (said[: writing.THREADS], said[writing.THREADS :]):
            for words in half:
                answer = await client.post(path, json={"client_id": str(uuid4()), "body": words}, headers=headers)
                assert answer.status_code == 201
            kept = await sync_to_async(_backends)()
            assert kept
            await sync_to_async(_end)(kept)
    assert len(on_the_road) == len(said)
    assert await sync_to_async(_written)(chat) == said


async def test_refusals_are_those_of_every_road(cast: Cast, on_the_road: list[str]):
    widget = await sync_to_async(make_widget)(cast)
    guest, stranger = [await sync_to_async(admit)(widget) for _ in range(2)]
    chat = (await sync_to_async(guest.start)(widget)).json()["id"]
    path, good = f"/api/v1/chats/{chat}/messages", {"client_id": str(uuid4()), "body": "Hola"}
    of_guest = {"Authorization": f"Bearer {guest.token}"}
    async with asgi_client() as client:
        for headers, content, status, code in [
            ({}, good, 401, "not_signed_in"),
            ({"Authorization": "Bearer vis_forged.token"}, good, 401, "not_signed_in"),
            ({"Authorization": f"Bearer {stranger.token}"}, good, 404, "not_found"),
            (of_guest, {"client_id": "no", "body": "Hola"}, 400, "invalid"),
            (of_guest, {"client_id": str(uuid4()), "body": " "}, 400, "invalid"),
        ]:
            answer = await client.post(path, json=content, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (status, code)
            assert answer.headers["content-type"] == "application/problem+json"
        broken = await client.post(path, content="{", headers={**of_guest, "Content-Type": "application/json"})
        assert (broken.status_code, broken.json()["code"]) == (400, "malformed")
    assert len(on_the_road) == 6
    assert await sync_to_async(_written)(chat) == []


async def test_a_conversation_is_opened_over_it_by_those_who_may(cast: Cast, on_the_road: list[str]):
    widget = await sync_to_async(make_widget)(cast)
    guest = await sync_to_async(admit)(widget)
    chat = (await sync_to_async(guest.start)(widget)).json()["id"]
    ours, other = (f"/api/v1/workspaces/{place.slug}/conversations/" for place in (cast.workspace, cast.elsewhere))
    team = {"Authorization": f"Bearer {await sync_to_async(token_for)(cast.ben)}"}
    async with asgi_client() as client:
        one, page = [await client.get(f"{ours}{chat}/{rest}", headers=team) for rest in ("", "messages/?limit=1")]
        assert (one.json()["id"], one.json()["live"]["topic"]) == (chat, f"conversation.{chat}")
        assert len(page.json()["results"]) <= 1
        for rest in ("", "messages/"):
            for path, headers, status in [
                (f"{ours}{chat}/{rest}", {}, 401),
                (f"{ours}{chat}/{rest}", {"Authorization": f"Bearer {guest.token}"}, 401),
                (f"{ours}{uuid4()}/{rest}", team, 404),
                (f"{other}{chat}/{rest}", team, 404),
            ]:
                refused = await client.get(path, headers=headers)
                assert refused.status_code == status
                assert refused.headers["content-type"] == "application/problem+json"
    assert len(on_the_road) == 10


def test_only_words_go_over_it():
    chat = f"/api/v1/chats/{uuid4()}"
    room = f"/api/v1/workspaces/demo/conversations/{uuid4()}"
    length = (b"content-length", b"80")
    json = [(b"content-type", b"application/json; charset=utf-8"), length]
    form = [(b"content-type", b"multipart/form-data"), length]

    def takes(path: str, headers: Any = json, method: str = "POST") -> bool:
        return writing.takes({"path": path, "headers": headers, "method": method})

    assert all(takes(path) for path in (f"{chat}/messages", f"{chat}/read", f"{chat}/typing", f"{room}/messages/"))
    assert not any(takes(f"{chat}/messages", headers) for headers in (form, json[:1], [length]))
    assert not takes(f"{chat}/messages", [json[0], (b"content-length", b"%d" % (writing.MOST + 1))])
    assert all(takes(f"{room}/{rest}", [], method="GET") for rest in ("", "messages/"))
    assert not any(takes(f"{room}/{rest}", json, method="GET") for rest in ("", "messages/"))
    assert not any(takes(path, [], method="GET") for path in (f"{chat}/messages", f"{room}/read/", f"{room}/labels"))
    assert not takes(f"{room}/")
    assert not takes(f"{room}/", [], method="DELETE")
    assert not any(
        takes(path) for path in (f"{chat}/transcript", f"{chat}/end", f"{room}/assign", f"{room}/messages/x")
    )
