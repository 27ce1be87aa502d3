"""A board with very many entries in the product's own tables, and how long its ranks take there."""

import json
import random
import sys
import time

import django

FILL = """
insert into proctoring_leaderboardentry (id, created_at, updated_at, workspace_id, board_id, submission_id, exam_id,
    nickname, is_renamed, is_hidden, conflicts, revision, score, max_score, percentage, submitted_at)
select gen_random_uuid(), now(), now(), %(workspace)s, %(board)s, 'rank-' || n, 'bench', 'Rank ' || n, false, false, 0,
    0, s, 1000, s / 10, now() - n * interval '1 second'
from (select n, round((random() * 1000)::numeric, 3) as s from generate_series(1, %(entries)s) n) made
"""


def main() -> None:
    django.setup()
    from django.db import connection

    from proctoring.models import Leaderboard, LeaderboardEntry
    from proctoring.queries import rank_of
    from proctoring.queries.boards import own_place

    wanted = json.loads(sys.stdin.readline())
    workspace = Leaderboard.objects.get(quiz_code="BENCH1").workspace_id
    board = Leaderboard.objects.create(workspace_id=workspace, quiz_code="RANKS1", name="Ranks")
    with connection.cursor() as cursor:
        cursor.execute(FILL, {"workspace": workspace, "board": board.pk, "entries": wanted["entries"]})
        cursor.execute("analyze proctoring_leaderboardentry")
        cursor.execute("analyze proctoring_leaderboardtally")
    dice = random.Random(1)
    names = [f"Rank {dice.randrange(1, wanted['entries'] + 1)}" for _ in range(wanted["asked"])]
    entries = list(LeaderboardEntry.objects.filter(board=board, nickname__in=names))
    ranks, took, places = [], [], []
    for entry in entries:
        began = time.perf_counter()
        ranks.append(rank_of(entry))
        took.append((time.perf_counter() - began) * 1000)
    better = "select count(*) from proctoring_leaderboardentry where board_id = %s and not is_hidden and score > %s"
    with connection.cursor() as cursor:
        wrong = 0
        for entry, rank in list(zip(entries, ranks, strict=True))[:50]:
            cursor.execute(better, [board.pk, entry.score])
            wrong += cursor.fetchone()[0] + 1 != rank
    for name in names:
        began = time.perf_counter()
        own_place(board, name)
        places.append((time.perf_counter() - began) * 1000)
    sys.stdout.write(json.dumps({"rank_ms": took, "place_ms": places, "wrong": wrong}) + "\n")


if __name__ == "__main__":
    main()
