"""Thousands who come at once are answered in a few lists, each with their own answer."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest
from asgiref.sync import sync_to_async
from django.db import connection

from config.errors import NotFound, Unavailable
from config.live import reader
from config.live.models import LiveTopic
from config.live.pool import close_hot_pool
from config.live.together import Together
from tests.cast import unique


class Desk:
    """Answers with ten times the number, when it is let go; negative ones are not found, and 99 breaks everything."""

    def __init__(self) -> None:
        self.lists: list[list[int]] = []
        self.go = asyncio.Event()

    async def answer(self, asked: Sequence[int]) -> list[int | Exception]:
        self.lists.append(list(asked))
        await self.go.wait()
        if 99 in asked:
            raise RuntimeError("away")
        return [NotFound() if number < 0 else number * 10 for number in asked]


async def asking(together: Together[int, int], *numbers: int) -> list["asyncio.Task[int]"]:
    tasks = [asyncio.create_task(together.ask(number)) for number in numbers]
    for _ in range(3):  # the questions are put, and whoever answers has begun
        await asyncio.sleep(0)
    return tasks


async def test_who_comes_while_others_are_answered_is_in_the_next_list():
    desk = Desk()
    together = Together(desk.answer)
    first = await asking(together, 1)
    others = await asking(together, 2, 3) + await asking(together, 4)
    desk.go.set()
    assert await asyncio.gather(*first, *others) == [10, 20, 30, 40]
    assert desk.lists == [[1], [2, 3, 4]]


async def test_what_one_is_refused_the_others_are_given():
    desk = Desk()
    desk.go.set()
    found = await asyncio.gather(*await asking(Together(desk.answer), 1, -1, 2), return_exceptions=True)
    assert found[0::2] == [10, 20]
    assert isinstance(found[1], NotFound)


async def test_what_breaks_is_told_to_all_of_the_list_and_the_next_is_answered():
    desk = Desk()
    together = Together(desk.answer)
    tasks = await asking(together, 1, 99)
    later = await asking(together, 2)
    desk.go.set()
    for broken in await asyncio.gather(*tasks, return_exceptions=True):
        assert isinstance(broken, Unavailable)
    assert await asyncio.gather(*later) == [20]
    assert await together.ask(3) == 30


async def test_who_has_left_is_not_asked_for_and_holds_up_nobody():
    desk = Desk()
    together = Together(desk.answer)
    first = await asking(together, 1)
    gone, stays = await asking(together, 2, 3)
    gone.cancel()
    first[0].cancel()
    await asyncio.sleep(0)
    desk.go.set()
    assert await stays == 30
    assert desk.lists == [[1], [3]]


async def test_a_slow_list_does_not_hold_up_the_one_beside_it():
    slow = asyncio.Event()
    lists: list[list[int]] = []

    async def answer(asked: Sequence[int]) -> list[int]:
        lists.append(list(asked))
        if 1 in asked:
            await slow.wait()
        return [number * 10 for number in asked]

    together = Together(answer, lists=2)
    first = await asking(together, 1)
    assert await together.ask(2) == 20
    assert await together.ask(3) == 30
    slow.set()
    assert await asyncio.gather(*first) == [10]
    assert lists == [[1], [2], [3]]


@pytest.fixture
async def pool() -> AsyncIterator[None]:
    yield
    await close_hot_pool()


def make_topics(number: int) -> list[str]:
    names = [unique(f"topic{place}") for place in range(number)]
    LiveTopic.objects.bulk_create([LiveTopic(name=name, seq=place + 1) for place, name in enumerate(names)])
    connection.close()
    return names


async def test_many_heads_are_a_few_statements_and_each_gets_its_own(monkeypatch, pool):
    names = await sync_to_async(make_topics)(20)
    statements: list[set[str]] = []
    ask = reader.heads

    async def counted(topics: set[str]) -> dict[str, int]:
        statements.append(set(topics))
        return await ask(topics)

    monkeypatch.setattr(reader, "heads", counted)
    nowhere = unique("nowhere")
    found = await asyncio.gather(*(reader.head(name) for name in [*names, nowhere, names[0]]))
    assert found == [*range(1, 21), 0, 1]
    assert len(statements) == 1
    assert await reader.head(names[4]) == 5


async def test_an_error_of_the_database_hits_all_who_asked_and_the_next_ask_works(monkeypatch, pool):
    names = await sync_to_async(make_topics)(3)
    ask = reader.heads

    async def broken(topics: set[str]) -> dict[str, int]:
        raise OSError

    monkeypatch.setattr(reader, "heads", broken)
    for refused in await asyncio.gather(*(reader.head(name) for name in names), return_exceptions=True):
        assert isinstance(refused, Unavailable)
    monkeypatch.setattr(reader, "heads", ask)
    assert await asyncio.gather(*(reader.head(name) for name in names)) == [1, 2, 3]
