"""Looking after boards: making, closing, hiding, making private; and renaming or hiding who stands on them."""

import json
import re
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from config.errors import Invalid
from config.live.frames import encode
from config.live.unit import unit_of_work
from crm.access import check
from crm.actors import Actor
from crm.models import User
from crm.roles import Action
from crm.services import audit
from proctoring import access
from proctoring.boards import key_of
from proctoring.errors import CodeTaken
from proctoring.events import announce_board, announce_entry, announce_gone
from proctoring.models import BoardSnapshot, Leaderboard, LeaderboardEntry
from proctoring.queries.boards import board_page, rank_of
from proctoring.services import nicknames

# In an address and in the name of a topic as it stands.
QUIZ_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
JOIN_CODE = re.compile(r"[A-Za-z0-9]{4,40}")
SNAPSHOT_ROWS = 1_000
BATCH = 1_000
_OLD_ENTRIES = """
delete from proctoring_leaderboardentry where id in (
    select e.id from proctoring_leaderboard b join proctoring_leaderboardentry e on e.board_id = b.id
    where e.created_at < now() - b.keep_days * interval '1 day' limit %(batch)s
)
"""
_OLD_SNAPSHOTS = """
delete from proctoring_boardsnapshot where id in (
    select s.id from proctoring_leaderboard b join proctoring_boardsnapshot s on s.board_id = b.id
    where s.taken_at < now() - b.keep_days * interval '1 day' limit %(batch)s
)
"""
FIELDS = ("name", "exam_id", "is_hidden", "join_code", "keep_days")


@unit_of_work
def create_board(*, actor: Actor, quiz_code: str, fields: dict[str, Any]) -> Leaderboard:
    check(actor, Action.MANAGE_EXAMS)
    if not QUIZ_CODE.fullmatch(quiz_code):
        raise Invalid(errors={"quiz_code": "1 to 40 letters, digits, - and _."})
    given = {name: fields[name] for name in FIELDS if name in fields}
    _check_join_code(given)
    try:
        with transaction.atomic():
            board = Leaderboard.objects.create(workspace_id=actor.workspace_id, quiz_code=quiz_code, **given)
    except IntegrityError:
        raise CodeTaken from None
    _record(actor, board, "leaderboard.created", {})
    return board


@unit_of_work
def change_board(*, actor: Actor, quiz_code: str, fields: dict[str, Any]) -> Leaderboard:
    """`fields`: any of FIELDS. Whoever has a board open that is hidden, or whose code changes, sees it go."""
    board = access.board_for(actor, quiz_code, for_update=True)
    _check_join_code(fields)
    key, shown = key_of(board), not board.is_hidden
    changed = {name: [getattr(board, name), fields[name]] for name in FIELDS if name in fields}
    changed = {name: pair for name, pair in changed.items() if pair[0] != pair[1]}
    if not changed:
        return board
    for name, (_before, after) in changed.items():
        setattr(board, name, after)
    board.save(update_fields=[*changed])
    # A code is a secret of the class: that it changed is enough for the log.
    _record(actor, board, "leaderboard.changed", {**changed, **({"join_code": True} if "join_code" in changed else {})})
    if shown:
        announce_board(board, key=key)
    elif not board.is_hidden:
        announce_board(board)
    return board


def _check_join_code(fields: dict[str, Any]) -> None:
    code = fields.get("join_code", "")
    if code and not JOIN_CODE.fullmatch(code):
        raise Invalid(errors={"join_code": "4 to 40 letters and digits, or nothing."})


@unit_of_work
def set_open(*, actor: Actor, board: Leaderboard, is_open: bool, by: User | None = None) -> Leaderboard:
    """Closed, it stays to be seen, how it ended is kept, and what is pushed to it is refused. Twice is once."""
    locked = Leaderboard.objects.select_for_update(no_key=True).get(pk=board.pk, workspace_id=actor.workspace_id)
    if locked.is_open == is_open:
        return locked
    locked.is_open, locked.closed_at = is_open, None if is_open else timezone.now()
    locked.save(update_fields=["is_open", "closed_at"])
    if not is_open:
        _keep_snapshot(locked)
    what = "opened" if is_open else "closed"
    _record(actor, locked, f"leaderboard.{what}", {"by": by.pk} if by is not None else {})
    if not locked.is_hidden:
        announce_board(locked)
    return locked


def _keep_snapshot(board: Leaderboard) -> None:
    page = board_page(board, start=0, limit=SNAPSHOT_ROWS)
    rows = json.loads(encode(page.rows))
    BoardSnapshot.objects.create(workspace_id=board.workspace_id, board=board, players=page.players, rows=rows)


@unit_of_work
def rename_entry(*, actor: Actor, quiz_code: str, entry_id: UUID, nickname: str) -> LeaderboardEntry:
    """The name stays whatever is pushed later."""
    board = access.board_for(actor, quiz_code, for_update=True)
    entry = access.entry_for(actor, board, entry_id)
    name = nicknames.check(nickname)
    if name == entry.nickname:
        return entry
    entry.nickname, entry.is_renamed, entry.revision = name, True, entry.revision + 1
    entry.save(update_fields=["nickname", "is_renamed", "revision", "updated_at"])
    _record(actor, board, "leaderboard.entry_renamed", {"entry": entry.pk})
    announce_entry(board, entry, rank_of(entry))
    return entry


@unit_of_work
def set_entry_hidden(*, actor: Actor, quiz_code: str, entry_id: UUID, is_hidden: bool) -> LeaderboardEntry:
    """Hidden, it counts for nothing: those below move up."""
    board = access.board_for(actor, quiz_code, for_update=True)
    entry = access.entry_for(actor, board, entry_id)
    if entry.is_hidden == is_hidden:
        return entry
    entry.is_hidden, entry.revision = is_hidden, entry.revision + 1
    entry.save(update_fields=["is_hidden", "revision", "updated_at"])
    what = "hidden" if is_hidden else "shown"
    _record(actor, board, f"leaderboard.entry_{what}", {"entry": entry.pk})
    if is_hidden:
        announce_gone(board, entry)
    else:
        announce_entry(board, entry, rank_of(entry))
        announce_board(board)  # players are counted anew
    return entry


def forget_old() -> dict[str, int]:
    """Names and scores past their days, and snapshots as old. Tallies follow by themselves."""
    return {"entries": _forget(_OLD_ENTRIES), "snapshots": _forget(_OLD_SNAPSHOTS)}


def _forget(sql: str) -> int:
    total = 0
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql, {"batch": BATCH})
            if not cursor.rowcount:
                return total
            total += cursor.rowcount


def _record(actor: Actor, board: Leaderboard, action: str, detail: dict[str, Any]) -> None:
    audit.record(
        actor=actor,
        action=action,
        target_kind="leaderboard",
        target_id=board.pk,
        detail={"quiz_code": board.quiz_code, **detail},
    )
