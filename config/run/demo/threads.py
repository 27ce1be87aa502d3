"""What was said, when and by whom, and how each conversation stands now. Plain values; rows.py makes models of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random

from config.run.demo.files import DemoFile
from config.run.demo.people import DEMO, ELSEWHERE, USERS
from config.run.demo.persons import Crowd, Person
from config.run.demo.texts import Episode, Kind, Line, Pool, plain_lines, pool, spoken
from inbox.states import ConversationStatus, Priority

LANGUAGES = {
    "en": 46, "es": 38, "ar": 32, "pt": 29, "id": 29, "hi": 16, "zh": 15, "de": 14, "fr": 14, "he": 12, "ja": 12,
    "uk": 12, "sw": 10, "it": 8, "ko": 8, "th": 8, "tr": 8, "vi": 6,
}  # fmt: skip
ELSEWHERE_COUNT = 9

# Minutes since a customer wrote who still waits. A WhatsApp window shuts after 1,440.
WAITING = (
    *(1, 2, 4, 7, 11, 16, 22, 29, 38, 47, 58, 70, 84, 101, 122, 148, 180, 215, 260, 315, 380, 450, 540, 640, 760),
    *(880, 1010, 1150, 1290, 1392, 1404, 1416, 1425, 1432, 1470, 1700, 2000, 2500, 3100, 3900, 5200, 7300),
)
ANSWERED_COUNT = 56
PENDING_COUNT = 22
SNOOZED_COUNT = 2
RESOLVED, REOPENED = "resolved", "reopened"
HOUR, DAY = 60.0, 60.0 * 24

# Whose it is, by how many of a hundred
OF_WAITING = {"ben": 30, "bea": 28, "ada": 8, "": 34}
OF_ANSWERED = {"ben": 42, "bea": 42, "ada": 11, "": 5}
OF_REST = {"ben": 40, "bea": 39, "ada": 13, "": 8}
AGENTS = ("ben", "bea", "ada")


@dataclass(frozen=True, slots=True)
class Long:
    """Months of weekly check-ins with one coach: something to scroll through."""

    texts: str
    language: str
    region: str
    name: str
    given: str
    messages: int


LONG = (
    Long("checkins.en", "en", "US", "Hannah Whitlock", "Hannah", 400),
    Long("checkins.es", "es", "MX", "Valeria Montes", "Valeria", 150),
    Long("checkins.id", "id", "ID", "Ratna Suryani", "Ratna", 110),
)


@dataclass(slots=True)
class Said:
    kind: Kind
    text: str
    at: datetime
    by: str = ""  # a member's key
    file: DemoFile | None = None
    type: str = ""  # of a line that tells how the conversation stood


@dataclass
class Thread:
    person: Person
    channel: str
    status: ConversationStatus
    assignee: str
    said: list[Said]
    labels: tuple[str, ...] = ()
    priority: Priority = Priority.NONE
    unread_by: frozenset[str] = frozenset()
    failure: str = ""  # the provider's code for the last message that went out

    @property
    def is_waiting(self) -> bool:
        spoken_last = [said.kind for said in self.said if said.kind in (Kind.IN, Kind.OUT)]
        return self.status == ConversationStatus.OPEN and spoken_last[-1:] == [Kind.IN]


@dataclass(frozen=True, slots=True)
class Fate:
    """How a conversation stands, and for how long."""

    status: ConversationStatus
    minutes: float
    ends: Kind | None  # who spoke last; None: the matter is closed
    of: dict[str, int] = field(hash=False)


def demo_threads(now: datetime, rng: Random, crowd: Crowd) -> list[Thread]:
    people = [crowd.person(language) for language, count in LANGUAGES.items() for _ in range(count)]
    rng.shuffle(people)
    teller = Teller(now, rng)
    fates = _fates(len(people), rng)
    threads = [
        teller.thread(person, fate, _channel_for(person, rng)) for person, fate in zip(people, fates, strict=True)
    ]
    threads += [teller.earlier(thread) for thread in threads[:40]]
    threads += [teller.long_one(crowd, long) for long in LONG]
    _let_fail(threads)
    return threads


def elsewhere_threads(now: datetime, rng: Random, crowd: Crowd) -> list[Thread]:
    teller = Teller(now, rng, agents=tuple(ELSEWHERE.members))
    fates = [
        Fate(ConversationStatus.OPEN, 7.0 * 3**place, Kind.IN, {"cleo": 1, "": 1}) for place in range(ELSEWHERE_COUNT)
    ]
    return [teller.thread(crowd.person("elsewhere"), fate, ELSEWHERE.channels[0].slug) for fate in fates]


def _fates(count: int, rng: Random) -> list[Fate]:
    status = ConversationStatus
    fates = [Fate(status.OPEN, minutes, Kind.IN, OF_WAITING) for minutes in WAITING]
    fates += [Fate(status.OPEN, minutes, Kind.OUT, OF_ANSWERED) for minutes in _between(3, 6 * DAY, ANSWERED_COUNT)]
    fates += [
        Fate(status.PENDING, minutes, Kind.OUT, OF_REST) for minutes in _between(5 * HOUR, 9 * DAY, PENDING_COUNT)
    ]
    fates += [Fate(status.SNOOZED, minutes, Kind.OUT, OF_REST) for minutes in _between(DAY, 3 * DAY, SNOOZED_COUNT)]
    rest = count - len(fates)
    fates += [Fate(status.RESOLVED, minutes, None, OF_REST) for minutes in _evenly(2 * HOUR, 80 * DAY, rest)]
    rng.shuffle(fates)
    return fates


def _between(least: float, most: float, count: int) -> Iterator[float]:
    """Ages in minutes, denser towards the present."""
    for place in range(count):
        yield least * (most / least) ** (place / max(count - 1, 1))


def _evenly(least: float, most: float, count: int) -> Iterator[float]:
    """The same, a little denser towards the present: a desk that has a few more to do every week."""
    for place in range(count):
        yield least + (most - least) * (place / max(count - 1, 1)) ** 1.2


def _in_office(at: datetime) -> datetime:
    """Not later than it was, on a weekday mostly, between nine and six."""
    then = at.replace(hour=9 + at.minute * (at.day + 1) % 9)
    if then > at:
        then -= timedelta(days=1)
    return then - timedelta(days=then.weekday() - 4) if then.weekday() > 4 and then.minute % 4 else then


def _channel_for(person: Person, rng: Random) -> str:
    chance = rng.random()
    if chance < 0.08:
        return "demo-widget"
    by_text = 0.3 if person.digits.startswith("1") else 0.13
    return "demo-twilio" if chance < by_text else "demo-kapso"


def _let_fail(threads: Sequence[Thread]) -> None:
    """A person without WhatsApp, and a reply that came ten minutes after the window had shut."""
    answered = [
        thread
        for thread in threads
        if thread.channel == "demo-kapso"
        and thread.status == ConversationStatus.OPEN
        and thread.said[-1].kind == Kind.OUT
    ]
    answered[0].failure = "131026"
    late = next(thread for thread in answered[1:] if thread.said[-2].kind == Kind.IN)
    late.failure = "131047"
    for said in late.said[:-1]:
        said.at = said.at - timedelta(hours=24, minutes=10)


class Teller:
    """Puts episodes together and gives every line its time, backwards from how long ago the last one was."""

    def __init__(self, now: datetime, rng: Random, agents: tuple[str, ...] = AGENTS) -> None:
        self._now = now
        self._rng = rng
        self._agents = agents
        self._decks: dict[int, list[Episode]] = {}

    def thread(self, person: Person, fate: Fate, channel: str) -> Thread:
        rng = self._rng
        episode = self._fitting(person.pool, fate.ends)
        assignee = rng.choices(list(fate.of), list(fate.of.values()))[0]
        last = _cut(self._said(episode, person, assignee), fate.ends, rng)
        last = self._with_asides(last, assignee)
        before = self._earlier_episodes(person, episode)
        ends_at = self._now - timedelta(minutes=fate.minutes, seconds=rng.uniform(0, 40))
        thread = Thread(
            person=person,
            channel=channel,
            status=fate.status,
            assignee=assignee,
            said=self._timed([*before, last], ends_at if fate.ends else _in_office(ends_at)),
            labels=episode.labels if rng.random() < 0.75 else (),
            priority=episode.priority if fate.ends is Kind.IN else Priority.NONE,
        )
        thread.unread_by = self._unread_by(thread, fate.minutes)
        return thread

    def told(self, person: Person, episode: Episode, *, channel: str, minutes: float, assignee: str) -> Thread:
        """An episode as it stands."""
        return Thread(
            person=person,
            channel=channel,
            status=ConversationStatus.OPEN,
            assignee=assignee,
            said=self._timed([self._said(episode, person, assignee)], self._now - timedelta(minutes=minutes)),
            labels=episode.labels,
            priority=episode.priority,
        )

    def earlier(self, thread: Thread) -> Thread:
        """The same person on another channel, long resolved."""
        channel = "demo-twilio" if thread.channel == "demo-kapso" else "demo-kapso"
        days_before = (self._now - thread.said[0].at) / timedelta(minutes=1) + self._rng.uniform(5, 90) * DAY
        fate = Fate(ConversationStatus.RESOLVED, days_before, None, OF_REST)
        return self.thread(thread.person, fate, channel)

    def long_one(self, crowd: Crowd, long: Long) -> Thread:
        person = crowd.known(long.language, long.name, long.given, woman=True, region=long.region)
        told: list[list[Said]] = []
        while sum(map(len, told)) < long.messages:
            told.append(self._said(self._next(pool(long.texts)), person, "bea", pool(long.texts)))
        said = self._timed(told, self._now - timedelta(hours=3), days=(3, 7))
        return Thread(person, "demo-kapso", ConversationStatus.OPEN, "bea", said, ("Onboarding",))

    # --- Which words --------------------------------------------------------------------------------------

    def _fitting(self, of: Pool, ends: Kind | None) -> Episode:
        while True:
            episode = self._next(of)
            if ends is None or any(line.kind is ends for line in episode.lines):
                return episode

    def _next(self, of: Pool) -> Episode:
        """Every episode of a language once before any comes again."""
        deck = self._decks.setdefault(id(of), [])
        if not deck:
            deck += self._rng.sample(of.episodes, len(of.episodes))
        return deck.pop()

    def _earlier_episodes(self, person: Person, but: Episode) -> list[list[Said]]:
        others = [episode for episode in person.pool.episodes if episode is not but]
        count = min(self._rng.choices((0, 1, 2, 5), (46, 34, 15, 5))[0], len(others))
        told = [self._said(episode, person, "") for episode in self._rng.sample(others, count)]
        for said in told:
            if self._rng.random() < 0.6 and len(self._agents) > 1:
                by = next((line.by for line in said if line.by), "ada")
                said.append(Said(Kind.ACTIVITY, "Resolved", self._now, by, type=RESOLVED))
        return told

    def _said(self, episode: Episode, person: Person, assignee: str, words: Pool | None = None) -> list[Said]:
        """One colleague answers all through it, another leaves the notes."""
        by = assignee or self._rng.choice(self._agents)
        other = self._rng.choice([key for key in self._agents if key != by] or [by])
        author = {Kind.OUT: by, Kind.NOTE: other}
        lines: list[Line] = spoken(episode, (words or person.pool).words, person.reader, self._rng)
        return [Said(line.kind, line.text, self._now, author.get(line.kind, "")) for line in lines]

    def _with_asides(self, said: list[Said], assignee: str) -> list[Said]:
        """Now and then a note or an assignment, never as the last word."""
        if len(said) < 3 or assignee not in DEMO.members:
            return said
        said = list(said)
        other = self._rng.choice([key for key in self._agents if key != assignee])
        if self._rng.random() < 0.3:
            text = f"{USERS[other].first_name} assigned this to {USERS[assignee].first_name}"
            said.insert(1, Said(Kind.ACTIVITY, text, self._now))
        if self._rng.random() < 0.2:
            text = self._rng.choice(plain_lines("notes")).format(colleague=USERS[assignee].first_name)
            said.insert(-1, Said(Kind.NOTE, text, self._now, other))
        return said

    # --- When ---------------------------------------------------------------------------------------------

    def _timed(
        self, episodes: Sequence[Sequence[Said]], ends_at: datetime, days: tuple[float, float] = (2, 40)
    ) -> list[Said]:
        at, later, timed = ends_at, None, []
        for episode in reversed(episodes):
            for said in reversed(episode):
                if later is not None:
                    at -= timedelta(seconds=self._pause(said.kind, later))
                timed.append(replace(said, at=at))
                later = said.kind
            at -= timedelta(days=self._rng.uniform(*days))
            later = None
        return timed[::-1]

    def _pause(self, kind: Kind, then: Kind) -> float:
        """Seconds between two lines."""
        uniform = self._rng.uniform
        if kind is Kind.BOT:
            return uniform(2 * 60, 90 * 60)
        if then is Kind.IN:
            return uniform(8, 60) if kind is Kind.IN else uniform(40, 25 * 60)
        if then is Kind.OUT:
            return uniform(15, 90) if kind is Kind.OUT else uniform(25, 9 * 60)
        return uniform(20, 120)

    def _unread_by(self, thread: Thread, minutes: float) -> frozenset[str]:
        if not thread.is_waiting:
            return frozenset()
        readers = [thread.assignee] if thread.assignee else list(self._agents)
        chance = 0.6 if minutes < 8 * HOUR else 0.2
        return frozenset(key for key in readers if self._rng.random() < chance)


def _cut(said: list[Said], ends: Kind | None, rng: Random) -> list[Said]:
    if ends is None:
        return said
    places = [place for place, line in enumerate(said, start=1) if line.kind is ends]
    return said[: rng.choice(places)]
