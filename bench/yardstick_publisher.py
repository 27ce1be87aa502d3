"""Publishes for the yardstick, by hand: the number and the event in one transaction, then one Redis message."""

import json
import os
import sys
from datetime import UTC, datetime
from typing import Any

import orjson
import psycopg
from publishing import MESSAGE, pace
from redis import Redis

APPEND = """
with bumped as (
    insert into live_topic as t (name, seq) values (%(topic)s, 1)
    on conflict (name) do update set seq = t.seq + 1
    returning seq
)
insert into live_event (topic, seq, type, version, data, at)
select %(topic)s, seq, 'message.created', 1, %(data)s, %(at)s from bumped
returning seq
"""


def main() -> None:
    spec = json.loads(sys.stdin.readline())
    redis = Redis.from_url(os.environ["REDIS_URL"])
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True, prepare_threshold=0) as connection:

        def publish(topic: str, message: dict[str, Any]) -> None:
            at, data = datetime.now(UTC), orjson.dumps(message)
            row = connection.execute(APPEND, {"topic": topic, "data": data.decode(), "at": at}).fetchone()
            assert row is not None
            event = {"op": "event", "topic": topic, "seq": row[0], "type": "message.created", "version": 1, "at": at}
            redis.publish(topic, orjson.dumps({**event, "data": orjson.Fragment(data)}))

        publish("elsewhere", MESSAGE)
        pace(spec, publish)


if __name__ == "__main__":
    main()
