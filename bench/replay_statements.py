"""Sends recorded statements again over one plain psycopg connection, in the same transactions. Reads one JSON line,
prints one: how long it took."""

import json
import pickle
import sys
import time
from pathlib import Path

import psycopg


def main() -> None:
    spec = json.loads(sys.stdin.readline())
    said = pickle.loads(Path(spec["path"]).read_bytes())  # our own file of a minute ago
    with psycopg.connect(spec["url"], autocommit=True) as connection:
        connection.prepare_threshold = 0
        began = time.perf_counter()
        for query, params in said:
            if query == "commit":
                connection.commit()
            elif query == "rollback":
                connection.rollback()
            elif query == "autocommit":
                connection.autocommit = params
            else:
                cursor = connection.execute(query, params)
                if cursor.description:
                    cursor.fetchall()
        seconds = time.perf_counter() - began
    sys.stdout.write(json.dumps({"seconds": seconds}) + "\n")


if __name__ == "__main__":
    main()
