"""Reads of boards. No writes. A page costs what it shows, however long the board is."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Lower

from config.live import prepared
from crm.features import Feature, is_on
from proctoring import topics
from proctoring.boards import key_of, opens
from proctoring.errors import BoardCodeNeeded, NoSuchBoard
from proctoring.models import Leaderboard, LeaderboardEntry
from proctoring.payloads.boards import (
    EntryPayload,
    KeptEntryPayload,
    OwnPlacePayload,
    entry_payload,
    kept_entry_payload,
)

NEIGHBOURS = 2
ORDER = ("-score", "submitted_at", "id")
# Better than a score: whole buckets above, the wide ones first and each finer one only within the last of the wider.
_COUNTED = """
select coalesce(sum(count), 0) from (
    select count from proctoring_leaderboardtally where board_id = {board} and level = 3 and bucket > {n3}
    union all select count from proctoring_leaderboardtally
    where board_id = {board} and level = 2 and bucket > {n2} and bucket < {n3} * 1000 + 1000
    union all select count from proctoring_leaderboardtally
    where board_id = {board} and level = 1 and bucket > {n1} and bucket < {n2} * 1000 + 1000
    union all select count from proctoring_leaderboardtally
    where board_id = {board} and level = 0 and bucket > {n0} and bucket < {n1} * 1000 + 1000
) as above
"""
_LEVELS = ("n0", "n1", "n2", "n3")
_BETTER = _COUNTED.format(board="%(board)s::uuid", **{level: f"%({level})s::bigint" for level in _LEVELS})
_BETTER_EACH = f"""
select ({_COUNTED.format(board="g.board", **{level: f"g.{level}" for level in _LEVELS})})
from unnest(%(boards)s::uuid[], %(n0)s::bigint[], %(n1)s::bigint[], %(n2)s::bigint[], %(n3)s::bigint[])
    with ordinality as g (board, n0, n1, n2, n3, place)
order by g.place
"""  # noqa: S608  # constants of the code
# The live number and the players in one statement: each event after that number is one that is not counted yet.
_STANDING = """
select (select seq from live_topic where name = %(topic)s), (
    select coalesce(sum(count), 0) from proctoring_leaderboardtally where board_id = %(board)s and level = 3
)
"""
_PLAYERS = "select coalesce(sum(count), 0) from proctoring_leaderboardtally where board_id = %(board)s and level = 3"


@dataclass(frozen=True, slots=True)
class BoardPage:
    board: Leaderboard
    topic: str
    seq: int
    players: int
    rows: list[EntryPayload]
    has_more: bool


def boards_by_code(quiz_code: str) -> "QuerySet[Leaderboard]":
    """One or none, whatever the case of the code."""
    return Leaderboard.objects.alias(code=Lower("quiz_code")).filter(code=quiz_code.lower())


def public_board(quiz_code: str) -> Leaderboard:
    """As far as strangers may know of it: private ones by name alone, hidden ones not at all."""
    board = boards_by_code(quiz_code).select_related("workspace").first()
    if board is None or board.is_hidden or not is_on(board.workspace, Feature.LEADERBOARD):
        raise NoSuchBoard
    return board


def open_board(quiz_code: str, *, key: str) -> Leaderboard:
    """BoardCodeNeeded where it is private and the key is not its own."""
    board = public_board(quiz_code)
    if not opens(board, key):
        raise BoardCodeNeeded
    return board


def topic_of(board: Leaderboard) -> str:
    return topics.leaderboard(board.quiz_code, key_of(board))


def shown_entries(board: Leaderboard) -> "QuerySet[LeaderboardEntry]":
    return LeaderboardEntry.objects.filter(board=board, is_hidden=False)


def board_page(board: Leaderboard, *, start: int, limit: int) -> BoardPage:
    """Best first, of equals the earlier. The live number is read before the state."""
    topic = topic_of(board)
    with connection.cursor() as cursor:
        cursor.execute(_STANDING, {"topic": topic, "board": board.pk})
        seq, players = cursor.fetchone()
    found = list(shown_entries(board).order_by(*ORDER)[start : start + limit + 1])
    return BoardPage(board, topic, seq or 0, int(players), _ranked(found[:limit], start), len(found) > limit)


def own_place(board: Leaderboard, nickname: str) -> OwnPlacePayload | None:
    """The best entry of that name in any case, with who stands around it."""
    wanted = nickname.strip()
    if not wanted:
        return None
    entry = shown_entries(board).alias(name=Lower("nickname")).filter(name=wanted.lower()).order_by(*ORDER).first()
    if entry is None:
        return None
    above, below = _above(board, entry), _below(board, entry)
    rows = _ranked([*above, entry, *below], start=None)
    return {"row": rows[len(above)], "before": rows[: len(above)], "after": rows[len(above) + 1 :]}


def taken_names(board: Leaderboard, names: list[str]) -> set[str]:
    """Those of them that stand on the board, in small letters."""
    wanted = [name.lower() for name in names]
    rows = LeaderboardEntry.objects.filter(board=board).alias(name=Lower("nickname")).filter(name__in=wanted)
    return {name.lower() for name in rows.values_list("nickname", flat=True)}


def kept_entries(
    board: Leaderboard, *, start: int, limit: int, search: str = ""
) -> tuple[list[KeptEntryPayload], bool]:
    """For those who look after it: hidden ones too, each with the rank it has or would have."""
    rows = LeaderboardEntry.objects.filter(board=board)
    if search.strip():
        rows = rows.filter(nickname__icontains=search.strip())
    found = list(rows.order_by(*ORDER)[start : start + limit + 1])
    ranks: dict[Decimal, int] = {}
    for entry in found[:limit]:
        if entry.score not in ranks:
            ranks[entry.score] = rank_of(entry)
    return [kept_entry_payload(entry, ranks[entry.score]) for entry in found[:limit]], len(found) > limit


def players_of(board_id: UUID) -> int:
    return _sum(_PLAYERS, {"board": board_id})


def rank_of(entry: LeaderboardEntry) -> int:
    """As in sports: equals share a rank, and the next one counts all before it."""
    return 1 + _sum(_BETTER, {"board": entry.board_id, **_buckets(entry)})


def ranks_of(entries: Sequence[LeaderboardEntry]) -> list[int]:
    """Of many, in one statement."""
    if not entries:
        return []
    buckets = [_buckets(entry) for entry in entries]
    columns = {level: [of[level] for of in buckets] for level in _LEVELS}
    found = prepared.fetch(_BETTER_EACH, {"boards": [entry.board_id for entry in entries], **columns})
    return [1 + int(better) for (better,) in found]


def _buckets(entry: LeaderboardEntry) -> dict[str, int]:
    thousandths = int(entry.score * 1000)
    return {name: thousandths // 1000**level for level, name in enumerate(_LEVELS)}


def _sum(sql: str, params: dict[str, Any]) -> int:
    return int(prepared.fetch(sql, params)[0][0])


def _ranked(entries: list[LeaderboardEntry], start: int | None) -> list[EntryPayload]:
    """Neighbours of each other, in order. `start` is how many stand before the first, where that is known."""
    rows: list[EntryPayload] = []
    rank = place = 0
    for position, entry in enumerate(entries):
        if not position:
            rank = 1 if start == 0 else rank_of(entry)
            # Of those before it with its own score nothing has to be known until the score changes.
            place = rank if start is None else start + 1
        elif entry.score != entries[position - 1].score:
            rank = place + position if start is not None else rank_of(entry)
        rows.append(entry_payload(entry, rank))
    return rows


def _above(board: Leaderboard, entry: LeaderboardEntry) -> list[LeaderboardEntry]:
    """The last ones before it, in the board's order. Equals and better ones apart: each is a range of the index."""
    earlier = Q(submitted_at__lt=entry.submitted_at) | Q(submitted_at=entry.submitted_at, id__lt=entry.pk)
    equals = shown_entries(board).filter(earlier, score=entry.score).order_by("-submitted_at", "-id")
    found = list(equals[:NEIGHBOURS])
    if len(found) < NEIGHBOURS:
        better = shown_entries(board).filter(score__gt=entry.score).order_by("score", F("submitted_at").desc(), "-id")
        found += better[: NEIGHBOURS - len(found)]
    return found[::-1]


def _below(board: Leaderboard, entry: LeaderboardEntry) -> list[LeaderboardEntry]:
    later = Q(submitted_at__gt=entry.submitted_at) | Q(submitted_at=entry.submitted_at, id__gt=entry.pk)
    found = list(shown_entries(board).filter(later, score=entry.score).order_by("submitted_at", "id")[:NEIGHBOURS])
    if len(found) < NEIGHBOURS:
        found += shown_entries(board).filter(score__lt=entry.score).order_by(*ORDER)[: NEIGHBOURS - len(found)]
    return found
