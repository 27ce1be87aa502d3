"""Topics on which much happens: several events in one frame, for those who ask for it and for nobody else."""

import pytest

from config.live.feed import MOST_GATHERED, Feed
from tests.live.test_publishing import a_topic
from tests.live.test_socket import say
from tests.live.web import Client, connected


class Reader:
    """As the feed sees a socket."""

    identity = None

    def __init__(self) -> None:
        self.heard: list[str] = []

    def write(self, frame: str) -> None:
        self.heard.append(frame)

    def topic_reset(self, topic: str, seq: int, head: int) -> None:
        self.heard.append(f"reset {seq} {head}")


@pytest.fixture
def feed() -> Feed:
    made = Feed("board")
    made.seq = 0
    return made


def hand_on(feed: Feed, *numbers: int) -> None:
    for number in numbers:
        feed.hand_on(number, str(number))


def together(*numbers: int) -> str:
    return f'{{"op":"events","topic":"board","events":[{",".join(str(number) for number in numbers)}]}}'


async def until_flushed(feed: Feed) -> None:
    """As the clock would: the handle's own callback."""
    assert feed._breath is not None
    feed._breath.cancel()
    feed._breathed()


@pytest.mark.parametrize(("listeners", "seconds"), [(1, 0.04), (400, 0.04), (800, 0.08), (5_000, 0.1)])
def test_few_wait_less_than_many(feed, listeners, seconds):
    for _ in range(listeners):
        feed.enter(Reader(), 0, gather=True)
    assert feed._pause == pytest.approx(seconds)


async def test_the_first_comes_at_once_and_what_follows_comes_together(feed):
    gatherer, plain = Reader(), Reader()
    feed.enter(gatherer, 0, gather=True)
    feed.enter(plain, 0)
    hand_on(feed, 1, 2, 3)
    assert gatherer.heard == ["1"]
    await until_flushed(feed)
    hand_on(feed, 4)
    assert gatherer.heard == ["1", together(2, 3)]
    await until_flushed(feed)
    assert gatherer.heard[2:] == ["4"]
    assert plain.heard == ["1", "2", "3", "4"]


async def test_after_a_quiet_time_the_next_one_comes_at_once_again(feed):
    gatherer = Reader()
    feed.enter(gatherer, 0, gather=True)
    hand_on(feed, 1)
    await until_flushed(feed)
    hand_on(feed, 2)
    assert gatherer.heard == ["1", "2"]


async def test_no_frame_grows_without_end(feed):
    gatherer = Reader()
    feed.enter(gatherer, 0, gather=True)
    hand_on(feed, *range(1, MOST_GATHERED + 2))
    assert gatherer.heard == ["1", together(*range(2, MOST_GATHERED + 2))]


async def test_who_comes_while_something_waits_gets_it_neither_twice_nor_not_at_all(feed):
    early, late, ahead = Reader(), Reader(), Reader()
    feed.enter(early, 0, gather=True)
    hand_on(feed, 1, 2)
    feed.enter(late, 2, gather=True)
    feed.enter(ahead, 4, gather=True)
    hand_on(feed, 3, 4, 5)
    feed.flush()
    assert early.heard == ["1", "2", together(3, 4), "5"]
    assert late.heard == [together(3, 4), "5"]
    assert ahead.heard == ["5"]


async def test_who_leaves_or_has_to_start_over_gets_nothing_more(feed):
    left, stays = Reader(), Reader()
    feed.enter(left, 0, gather=True)
    feed.enter(stays, 0, gather=True)
    hand_on(feed, 1, 2)
    feed.leave(left)
    feed.start_over(9)
    feed.flush()
    assert left.heard == ["1"]
    assert stays.heard == ["1", "reset 2 9"]


async def seqs(client: Client, last: int) -> tuple[list[int], int]:
    """The numbers up to the last one, and how many frames they took."""
    heard: list[int] = []
    frames = 0
    while not heard or heard[-1] != last:
        frame = await client.hear()
        if frame["op"] in {"event", "events"}:
            frames += 1
            heard += [event["seq"] for event in frame.get("events", [frame])]
    return heard, frames


async def test_a_burst_arrives_whole_in_few_frames_and_as_ever_for_others(server):
    topic = a_topic()
    async with connected(server) as many, connected(server) as plain:
        await many.tell(op="subscribe", topic=topic, after=None, gather=True)
        assert (await many.op("subscribed"))["seq"] == 0
        await plain.subscribe(topic)
        for number in range(30):
            await say(topic, f"{number}")
        heard, frames = await seqs(many, 30)
        assert heard == list(range(1, 31))
        assert frames <= 30
        assert await seqs(plain, 30) == (list(range(1, 31)), 30)


async def test_what_was_missed_comes_together_too_each_as_it_would_alone(server):
    topic = a_topic()
    await say(topic, *(str(number) for number in range(1, 131)))
    async with connected(server) as many, connected(server) as plain:
        await many.tell(op="subscribe", topic=topic, after=5, gather=True)
        replayed = await many.until(lambda frame: frame["op"] == "subscribed")
        assert [frame["op"] for frame in replayed] == ["events", "events", "subscribed"]
        await plain.tell(op="subscribe", topic=topic, after=5)
        alone = await plain.until(lambda frame: frame["op"] == "subscribed")
        assert [event for frame in replayed[:-1] for event in frame["events"]] == alone[:-1]
