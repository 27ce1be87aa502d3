"""Asks the product for its list through the whole of Django, in process: how many queries, how long, and how long the
page's own SQL takes without anything around it. Reads one JSON line, prints one."""

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import django
import psycopg
from product_search import settle

LEAST_TIMES = 5


class Reader:
    def __init__(self, spec: dict[str, Any]) -> None:
        from django.test import Client

        self.spec = spec
        self.client = Client(headers={"authorization": f"Bearer {spec['token']}", "host": "127.0.0.1"})
        self.path = f"/api/v1/workspaces/{spec['workspace']}/conversations/"
        self.bare = psycopg.connect(os.environ["DATABASE_URL"], autocommit=True)

    def view(self, query: str, deeper: int) -> dict[str, Any]:
        counts = [self._count(f"{self.path}?{query}&limit={limit}") for limit in self.spec["limits"]]
        path = f"{self.path}?{query}&limit={self.spec['timed']}"
        for _ in range(deeper):
            path = self._get(path)["next"] or path
        answer, queries = self._counted(path)
        page = next(sql for sql in queries if 'FROM "inbox_conversation"' in sql and " LIMIT " in sql)
        return {
            "queries": [*counts, len(queries)] if deeper else counts,
            "rows": len(answer["results"]),
            "page_ms": self._times(lambda: self._get(path)),
            "sql_ms": self._times(lambda: self._run(page)),
            "all_sql_ms": self._times(lambda: [self._run(sql) for sql in queries]),
            "sql": page,
        }

    def _get(self, path: str) -> Any:
        response = self.client.get(path)
        if response.status_code != 200:
            raise SystemExit(f"{path} answered {response.status_code}: {response.content[:300]!r}")
        return response.json()

    def _count(self, path: str) -> int:
        return len(self._counted(path)[1])

    def _counted(self, path: str) -> tuple[Any, list[str]]:
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        with CaptureQueriesContext(connection) as captured:
            answer = self._get(path)
        # A saved view's own limit of time, and what a search tells the planner, stand around the page: not queries
        told = [query["sql"] for query in captured.captured_queries]
        return answer, [sql for sql in told if not sql.upper().startswith(("BEGIN", "SET ", "COMMIT"))]

    def _run(self, sql: str) -> None:
        self.bare.execute(sql.encode()).fetchall()

    def _times(self, do: Callable[[], object]) -> list[float]:
        """As often as the time for one view allows; the first does not count."""
        do()
        taken: list[float] = []
        until = time.monotonic() + self.spec["seconds"]
        while len(taken) < LEAST_TIMES or (len(taken) < self.spec["times"] and time.monotonic() < until):
            began = time.perf_counter()
            do()
            taken.append(1000 * (time.perf_counter() - began))
        return taken


def main() -> None:
    spec = json.loads(sys.stdin.readline())
    django.setup()
    settle()
    reader = Reader(spec)
    asked = {name: reader.view(query, deeper) for name, (query, deeper) in spec["views"].items()}
    sys.stdout.write(json.dumps(asked) + "\n")


if __name__ == "__main__":
    main()
