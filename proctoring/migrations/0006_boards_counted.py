from django.db import migrations

from crm.tenancy import TenantForeignKey

# What a statement added to and took from each bucket. Sorted, so that writers never wait for each other in a ring.
COUNT = """
CREATE FUNCTION leaderboard_tally_of(board uuid, score numeric)
RETURNS TABLE (board_id uuid, level smallint, bucket bigint) LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT board, level::smallint, floor(score * 1000 / width)::bigint
    FROM (VALUES (0, 1::numeric), (1, 1000), (2, 1000000), (3, 1000000000)) AS wide (level, width)
$$;

CREATE FUNCTION leaderboard_tally_add() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO proctoring_leaderboardtally AS tally (board_id, level, bucket, count)
    SELECT t.board_id, t.level, t.bucket, count(*) FROM new_rows AS n, leaderboard_tally_of(n.board_id, n.score) AS t
    WHERE NOT n.is_hidden GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    ON CONFLICT (board_id, level, bucket) DO UPDATE SET count = tally.count + excluded.count;
    RETURN NULL;
END $$;

CREATE FUNCTION leaderboard_tally_take() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO proctoring_leaderboardtally AS tally (board_id, level, bucket, count)
    SELECT t.board_id, t.level, t.bucket, -count(*) FROM old_rows AS o, leaderboard_tally_of(o.board_id, o.score) AS t
    WHERE NOT o.is_hidden GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    ON CONFLICT (board_id, level, bucket) DO UPDATE SET count = tally.count + excluded.count;
    RETURN NULL;
END $$;

CREATE FUNCTION leaderboard_tally_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO proctoring_leaderboardtally AS tally (board_id, level, bucket, count)
    SELECT t.board_id, t.level, t.bucket, sum(x.one)
    FROM (
        SELECT board_id, score, -1 AS one FROM old_rows WHERE NOT is_hidden
        UNION ALL SELECT board_id, score, 1 FROM new_rows WHERE NOT is_hidden
    ) AS x, leaderboard_tally_of(x.board_id, x.score) AS t
    GROUP BY 1, 2, 3 HAVING sum(x.one) <> 0 ORDER BY 1, 2, 3
    ON CONFLICT (board_id, level, bucket) DO UPDATE SET count = tally.count + excluded.count;
    RETURN NULL;
END $$;

CREATE TRIGGER leaderboard_tally_add AFTER INSERT ON proctoring_leaderboardentry
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION leaderboard_tally_add();
CREATE TRIGGER leaderboard_tally_take AFTER DELETE ON proctoring_leaderboardentry
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION leaderboard_tally_take();
CREATE TRIGGER leaderboard_tally_move AFTER UPDATE ON proctoring_leaderboardentry
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION leaderboard_tally_move();

INSERT INTO proctoring_leaderboardtally (board_id, level, bucket, count)
SELECT t.board_id, t.level, t.bucket, count(*)
FROM proctoring_leaderboardentry AS e, leaderboard_tally_of(e.board_id, e.score) AS t
WHERE NOT e.is_hidden GROUP BY 1, 2, 3;
"""
FORGET = """
DROP TRIGGER leaderboard_tally_add ON proctoring_leaderboardentry;
DROP TRIGGER leaderboard_tally_take ON proctoring_leaderboardentry;
DROP TRIGGER leaderboard_tally_move ON proctoring_leaderboardentry;
DROP FUNCTION leaderboard_tally_add();
DROP FUNCTION leaderboard_tally_take();
DROP FUNCTION leaderboard_tally_move();
DROP FUNCTION leaderboard_tally_of(uuid, numeric);
"""


class Migration(migrations.Migration):
    dependencies = [("proctoring", "0005_boards_looked_after")]

    operations = [
        TenantForeignKey("proctoring_boardsnapshot", "board_id", "proctoring_leaderboard", on_delete="CASCADE"),
        TenantForeignKey("proctoring_examreminder", "exam_id", "proctoring_exam", on_delete="CASCADE"),
        TenantForeignKey("proctoring_examreminder", "enrolment_id", "proctoring_enrolment", on_delete="CASCADE"),
        migrations.RunSQL(COUNT, FORGET),
    ]
