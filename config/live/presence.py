"""Who is where: whoever follows a presence topic is there, for as long as a socket of theirs does.

A row for each topic, person and tab, in an unlogged table. Rows end by themselves, so a process that dies takes its
people with it; readers look at the time and never at whether somebody has cleared away. The processes write and sweep
under one lock, so what is announced and what stands in the table agree, in this order.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, TypedDict

from django.db import connection

from config.live.events import Event, publish
from config.live.unit import unit_of_work

KEPT_SECONDS = 60
# A page that reloads, or a server that restarts, comes back sooner than that: nobody sees it leave.
GRACE_SECONDS = 5
# One lock for everything that writes here; any number that nothing else uses.
_LOCK = 0x70726573

ACTIVE, IDLE = "active", "idle"


class PersonPayload(TypedDict):
    """Somebody on a presence topic, whatever the number of their tabs."""

    id: str
    kind: str  # member, student, customer, visitor
    name: str
    role: str
    state: str  # active, idle
    draft: bool  # has begun to write something that is not sent
    since: datetime


@dataclass(frozen=True, slots=True)
class Who:
    """How a person is shown; made by whoever registered the topic."""

    id: str
    kind: str
    name: str
    role: str = ""


@dataclass(frozen=True, slots=True)
class Here:
    """One tab of one person on one topic."""

    topic: str
    tab: str
    who: Who
    state: str = ACTIVE
    draft: bool = False


@dataclass(frozen=True)
class PresenceJoined(Event):
    type: ClassVar[str] = "presence.joined"
    person: PersonPayload

    def data(self) -> dict[str, Any]:
        return dict(self.person)


@dataclass(frozen=True)
class PresenceUpdated(PresenceJoined):
    type: ClassVar[str] = "presence.updated"


@dataclass(frozen=True)
class PresenceLeft(Event):
    type: ClassVar[str] = "presence.left"
    id: str
    deleted: bool = True


_People = dict[tuple[str, str], PersonPayload]

_LIVE = """
    select topic, person, min(kind), min(name), min(role), bool_or(state = 'active'), bool_or(draft), min(since)
    from live_presence where expires_at > clock_timestamp() and {those}
    group by topic, person order by min(since), person
"""
_OF_TOPIC = _LIVE.format(those="topic = %s")
_OF_PEOPLE = _LIVE.format(those="(topic, person) in (select * from unnest(%s::text[], %s::text[]))")
_AT_HAND = """
    select distinct person from live_presence
    where topic = %s and expires_at > clock_timestamp()
        and (idle_since is null or idle_since > clock_timestamp() - make_interval(secs => %s))
"""
_ARRIVE = """
    insert into live_presence (topic, person, tab, kind, name, role, state, draft, since, idle_since, expires_at)
    select topic, person, tab, kind, name, role, state, draft, clock_timestamp(),
        case when state = 'idle' then clock_timestamp() end, clock_timestamp() + make_interval(secs => %(kept)s)
    from unnest(
        %(topics)s::text[], %(people)s::text[], %(tabs)s::text[], %(kinds)s::text[], %(names)s::text[],
        %(roles)s::text[], %(states)s::text[], %(drafts)s::bool[]
    ) as here(topic, person, tab, kind, name, role, state, draft)
    on conflict (topic, person, tab) do update set name = excluded.name, role = excluded.role,
        state = excluded.state, draft = excluded.draft, expires_at = excluded.expires_at,
        idle_since = case when excluded.state = 'idle' then coalesce(live_presence.idle_since, excluded.idle_since) end
"""
_LEAVE = """
    update live_presence p set expires_at = least(p.expires_at, clock_timestamp() + make_interval(secs => %(grace)s))
    from unnest(%(topics)s::text[], %(people)s::text[], %(tabs)s::text[]) as gone(topic, person, tab)
    where (p.topic, p.person, p.tab) = (gone.topic, gone.person, gone.tab)
"""
_ANY_OVER = "select exists (select 1 from live_presence where expires_at <= clock_timestamp())"
_SWEEP = "delete from live_presence where expires_at <= clock_timestamp() returning topic, person"


def people_on(topic: str) -> list[PersonPayload]:
    """Longest here first. For a snapshot, read the topic's number before."""
    return list(_read(_OF_TOPIC, [topic]).values())


def at_hand(topic: str, *, idle_seconds: float) -> set[str]:
    """Ids of those who are there and have had a hand on one of their tabs within that time."""
    with closing(connection.cursor()) as cursor:
        cursor.execute(_AT_HAND, [topic, idle_seconds])
        return {str(person) for (person,) in cursor.fetchall()}


def touch(here: Here) -> None:
    """Somebody without a socket says that they are there: good for 60 s."""
    write([here], [])


@unit_of_work
def write(here: Sequence[Here], gone: Sequence[Here]) -> None:
    """Puts down who is there, whether they were already or not, and who has gone; announces what that changed."""
    with closing(connection.cursor()) as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s)", [_LOCK])
        affected = {(one.topic, one.who.id) for one in (*here, *gone)}
        before = _these(affected)
        if here:
            cursor.execute(_ARRIVE, _columns(here) | {"kept": KEPT_SECONDS})
        if gone:
            cursor.execute(_LEAVE, _columns(gone) | {"grace": GRACE_SECONDS})
    _announce(affected, before, _these(affected))


def sweep() -> int:
    """Clears away what is over; answers how many tabs. When another process is at it, that one does it."""
    with closing(connection.cursor()) as cursor:
        cursor.execute(_ANY_OVER)
        (is_any,) = cursor.fetchone()
    return _sweep() if is_any else 0


@unit_of_work
def _sweep() -> int:
    with closing(connection.cursor()) as cursor:
        cursor.execute("select pg_try_advisory_xact_lock(%s)", [_LOCK])
        if not cursor.fetchone()[0]:
            return 0
        cursor.execute(_SWEEP)
        rows = cursor.fetchall()
    affected = set(rows)
    after = _these(affected)
    for topic, person in sorted(affected):
        if (topic, person) in after:
            publish(topic, PresenceUpdated(after[topic, person]))
        else:
            publish(topic, PresenceLeft(id=person))
    return len(rows)


def _announce(affected: Iterable[tuple[str, str]], before: _People, after: _People) -> None:
    for place in sorted(affected):
        was, now = before.get(place), after.get(place)
        if now is not None and was is None:
            publish(place[0], PresenceJoined(now))
        elif now is not None and now != was:
            publish(place[0], PresenceUpdated(now))


def _these(places: Iterable[tuple[str, str]]) -> _People:
    wanted = sorted(places)
    return _read(_OF_PEOPLE, [[topic for topic, _ in wanted], [person for _, person in wanted]])


def _read(sql: str, parameters: list[Any]) -> _People:
    with closing(connection.cursor()) as cursor:
        cursor.execute(sql, parameters)
        return {(row[0], row[1]): _payload(row) for row in cursor.fetchall()}


def _payload(row: Sequence[Any]) -> PersonPayload:
    _, person, kind, name, role, is_active, draft, since = row
    state = ACTIVE if is_active else IDLE
    return {"id": person, "kind": kind, "name": name, "role": role, "state": state, "draft": draft, "since": since}


def _columns(tabs: Sequence[Here]) -> dict[str, Any]:
    columns: Mapping[str, Callable[[Here], object]] = {
        "topics": lambda one: one.topic,
        "people": lambda one: one.who.id,
        "tabs": lambda one: one.tab,
        "kinds": lambda one: one.who.kind,
        "names": lambda one: one.who.name,
        "roles": lambda one: one.who.role,
        "states": lambda one: one.state,
        "drafts": lambda one: one.draft,
    }
    return {name: [read(one) for one in tabs] for name, read in columns.items()}
