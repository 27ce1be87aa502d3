"""Who follows a presence topic is there: for all to see, over several processes, whatever dies."""

import signal
import time

import pytest
from asgiref.sync import sync_to_async
from django.db import connection

from config.live import presence
from config.live.presence import Here, Who
from tests.live.test_publishing import a_topic
from tests.live.web import connected, web


def here(topic: str) -> list[tuple[str, str, bool]]:
    return [(one["name"], one["state"], one["draft"]) for one in presence.people_on(topic)]


def age(topic: str, seconds: float) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "update live_presence set expires_at = expires_at - make_interval(secs => %s) where topic = %s",
            [seconds, topic],
        )


def wait_until(topic: str, wanted: list[tuple[str, str, bool]]) -> None:
    deadline = time.monotonic() + 20
    while here(topic) != wanted:
        assert time.monotonic() < deadline, here(topic)
        time.sleep(0.05)


wait = sync_to_async(wait_until)


async def test_who_comes_is_announced_and_who_goes_leaves(servers):
    topic = a_topic("presence.test")
    async with connected(servers["daphne"], "ada") as ada:
        await ada.subscribe(topic)
        joined = await ada.event()
        assert (joined["type"], joined["data"]["name"], joined["data"]["state"]) == ("presence.joined", "Ada", "active")
        async with connected(servers["uvicorn"], "ben") as ben:
            await ben.subscribe(topic)
            assert (await ada.event())["data"]["id"] == "ben"
            await wait(topic, [("Ada", "active", False), ("Ben", "active", False)])
        left = await ada.event()
        assert (left["type"], left["data"]) == ("presence.left", {"id": "ben", "deleted": True})
        await wait(topic, [("Ada", "active", False)])


async def test_a_person_with_two_tabs_is_one_and_stays_until_the_last(servers):
    topic = a_topic("presence.test")
    async with connected(servers["daphne"], "ada") as ada, connected(servers["daphne"], "ben") as first:
        await ada.subscribe(topic)
        await ada.event()
        await first.subscribe(topic)
        assert (await ada.event())["data"]["id"] == "ben"
        async with connected(servers["uvicorn"], "ben") as second:
            await second.subscribe(topic)
            await first.tell(op="signal", topic=topic, type="presence", data={"state": "idle"})
            await second.tell(op="signal", topic=topic, type="presence", data={"state": "idle", "draft": True})
            seen = [await ada.event()]
            while not (seen[-1]["data"]["state"] == "idle" and seen[-1]["data"]["draft"]):
                seen.append(await ada.event())
            assert {event["type"] for event in seen} == {"presence.updated"}
        # The draft was on the tab that closed.
        last = await ada.event()
        assert (last["type"], last["data"]["state"], last["data"]["draft"]) == ("presence.updated", "idle", False)
        await wait(topic, [("Ada", "active", False), ("Ben", "idle", False)])


async def test_a_reload_is_nobodys_leaving(server):
    topic = a_topic("presence.test")
    async with connected(server, "ada") as ada:
        await ada.subscribe(topic)
        await ada.event()
        for _ in range(2):
            async with connected(server, "ben") as ben:
                await ben.subscribe(topic)
                await ben.until(lambda frame: frame["op"] == "subscribed" or frame["op"] == "heads")
        async with connected(server, "ben") as ben:
            await ben.subscribe(topic)
            async with connected(server, "bea") as bea:
                await bea.subscribe(topic)
                types: list[tuple[str, str]] = []
                while not types or types[-1][1] != "bea":
                    event = await ada.event()
                    types.append((event["type"], event["data"]["id"]))
        assert types == [("presence.joined", "ben"), ("presence.joined", "bea")]


async def test_who_only_listens_is_not_shown(server):
    topic = a_topic("presence.test")
    async with connected(server, "ghost") as ghost, connected(server, "ada") as ada:
        await ghost.subscribe(topic)
        await ada.subscribe(topic)
        assert (await ghost.event())["data"]["id"] == "ada"
        await wait(topic, [("Ada", "active", False)])


@pytest.mark.parametrize("name", ["daphne", "uvicorn"])
async def test_a_killed_server_takes_its_people_along(servers, tmp_path, name):
    topic = a_topic("presence.test")
    async with connected(servers["uvicorn"], "ada") as ada:
        await ada.subscribe(topic)
        await ada.event()
        with web(name, tmp_path / "web.log") as doomed:
            async with connected(doomed, "ben") as ben:
                await ben.subscribe(topic)
                assert (await ada.event())["data"]["id"] == "ben"
                doomed.process.send_signal(signal.SIGKILL)
                doomed.process.wait()
        assert here_now(await sync_to_async(here)(topic)) == {"Ada", "Ben"}
        await sync_to_async(age_one)(topic, "ben")
        left = await ada.event()
        assert (left["type"], left["data"]["id"]) == ("presence.left", "ben")


def here_now(rows: list[tuple[str, str, bool]]) -> set[str]:
    return {name for name, _, _ in rows}


def age_one(topic: str, person: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "update live_presence set expires_at = clock_timestamp() where topic = %s and person = %s", [topic, person]
        )


def test_readers_look_at_the_time_and_not_at_the_broom():
    topic = a_topic("presence.test")
    presence.touch(Here(topic, "tab", Who("cleo", "member", "Cleo")))
    assert here(topic) == [("Cleo", "active", False)]
    age(topic, presence.KEPT_SECONDS + 1)
    assert here(topic) == []
