"""Which topics exist and who may listen. Apps register here at start; what nobody registered is refused."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from config.errors import DomainError
from config.live.identity import Identity
from config.live.presence import Who

# Sync and free to use the ORM: the socket calls it in a thread. Gets what follows "<prefix>." in the topic. Raises a
# DomainError where whoever would be let in is to know why not now.
MayListen = Callable[[Identity | None, str], bool]
# The same of many at once, in their order, for topics that thousands come back to
MayListenMany = Callable[[Sequence[tuple[Identity | None, str]]], Sequence[bool | DomainError]]
# How a listener is shown to the others on a presence topic; None for one who only listens
Show = Callable[[Identity, str], Who | None]
# Where else a signal goes, and as what: customers and agents follow topics of their own about one conversation. Gets
# the sender, what follows the prefix, the type and the data with the sender's name in it; neither waits nor queries.
Relay = Callable[[Identity, str, str, Mapping[str, Any]], tuple[str, Mapping[str, Any]] | None]
# Longer names cannot be anything we ever publish to.
LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Kind:
    """One family of topics: `inbox.<slug>` is the kind with the prefix `inbox`."""

    prefix: str
    may_listen: MayListen
    public: bool
    signals: frozenset[str]
    presence: Show | None = None
    relay: Relay | None = None
    many: MayListenMany | None = None


_kinds: dict[str, Kind] = {}


def register(
    prefix: str,
    may_listen: MayListen,
    *,
    public: bool = False,
    signals: tuple[str, ...] = (),
    presence: Show | None = None,
    relay: Relay | None = None,
    many: MayListenMany | None = None,
) -> None:
    """`public`: open to sockets without an identity too, if `may_listen` says so.
    `signals`: the types of signal that listeners may send to each other.
    `presence`: makes it a topic on which following is being there; called in a thread, may query.
    `relay`: where else the signals of listeners are heard.
    `many`: answers for all who ask at once what `may_listen` answers for one."""
    known = _kinds.get(prefix)
    if known and known.may_listen is not may_listen:
        raise RuntimeError(f"two apps register the topic {prefix!r}")
    _kinds[prefix] = Kind(prefix, may_listen, public, frozenset(signals), presence, relay, many)


def kind_of(topic: str) -> Kind | None:
    """The kind with the longest prefix that fits, or None for a topic nobody registered."""
    prefix = topic if len(topic) <= LONGEST_NAME else ""
    while "." in prefix:
        prefix = prefix.rpartition(".")[0]
        if prefix in _kinds:
            return _kinds[prefix]
    return None


def may_listen(identity: Identity | None, topic: str) -> bool:
    """Sync, may query. The one place that decides; not allowed, not registered and not there look the same.

    Raises the DomainError of a topic that is closed to those who may hear it otherwise."""
    kind = kind_of(topic)
    if kind is None or (identity is None and not kind.public):
        return False
    rest = topic[len(kind.prefix) + 1 :]
    return bool(rest) and kind.may_listen(identity, rest)


def is_asked_together(topic: str) -> bool:
    kind = kind_of(topic)
    return kind is not None and kind.many is not None


def who_may_listen(asked: Sequence[tuple[Identity | None, str]]) -> Sequence[bool | DomainError]:
    """`may_listen` for many at once, of topics that are asked for together."""
    answers: dict[int, bool | DomainError] = {}
    for kind, places in _by_kind(asked).items():
        if kind.many is not None:
            rests = [(asked[place][0], asked[place][1][len(kind.prefix) + 1 :]) for place in places]
            answers |= zip(places, kind.many(rests), strict=True)
    return [answers.get(place, False) for place in range(len(asked))]


def _by_kind(asked: Sequence[tuple[Identity | None, str]]) -> dict[Kind, list[int]]:
    """The places of those who may be let in at all."""
    found: dict[Kind, list[int]] = {}
    for place, (identity, topic) in enumerate(asked):
        kind = kind_of(topic)
        if kind is not None and topic[len(kind.prefix) + 1 :] and (identity is not None or kind.public):
            found.setdefault(kind, []).append(place)
    return found
