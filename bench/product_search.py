"""For bench/search.py: the words of the demo's texts as the product keeps them, and requests timed in process, with the
garbage collector set as in a web process.

Reads one JSON line, prints one.
"""

import gc
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import django

LEAST_TIMES = 5
NAMES = (
    "Budi Santoso",
    "Lucía Fernández",
    "王小明",
    "Priya Sharma",
    "Omar Haddad",
    "Anna Schmidt",
    "佐藤 健",
    "สมชาย ใจดี",
)
ROUNDS = 20_000  # of the tokeniser's clock


def phrases(root: str) -> list[str]:
    return [
        line[1:].strip()
        for file in sorted(Path(root, "config/run/demo/texts").glob("*.txt"))
        for line in file.read_text().splitlines()
        if line[:1] in {">", "<", "*"} and len(line) > 8
    ]


def words(spec: dict[str, Any]) -> dict[str, Any]:
    from crm.search import vector_of

    return {
        "phrases": [(text, vector_of(text)) for text in phrases(spec["root"])],
        "names": [(name, vector_of(name)) for name in NAMES],
    }


def micros(root: str) -> float:
    """What the tokeniser takes for a message."""
    from crm.search import vector_of

    texts = phrases(root)
    began = time.perf_counter()
    for turn in range(ROUNDS):
        vector_of(texts[turn % len(texts)])
    return (time.perf_counter() - began) / ROUNDS * 1e6


class Reader:
    def __init__(self, spec: dict[str, Any]) -> None:
        from django.test import Client

        self.spec = spec
        self.client = Client(headers={"authorization": f"Bearer {spec['token']}", "host": "127.0.0.1"})
        self.base = f"/api/v1/workspaces/{spec['workspace']}/"

    def take(self) -> dict[str, Any]:
        return {
            "search": {
                name: self._timed(f"search/?q={quote(text)}", lambda answer: sum(map(len, _groups(answer))))
                for name, text in self.spec["searches"].items()
            },
            "list": {name: self._timed(f"contacts/?{query}", _rows) for name, query in self.spec["lists"].items()},
            "view": {
                name: self._timed(f"contacts/?view={self._view(name, tree)}", _rows)
                for name, tree in self.spec["views"].items()
            },
            "micros": micros(self.spec["root"]),
        }

    def _view(self, name: str, tree: Any) -> str:
        from crm.models import Member, SavedView

        member = Member.objects.select_related("workspace").get(workspace__slug=self.spec["workspace"], role="agent",
            user__email="ben@bench.example")  # fmt: skip
        SavedView.objects.filter(owner_id=member.user_id, name=name).delete()  # an earlier run's
        view = SavedView.objects.create(
            workspace=member.workspace, owner_id=member.user_id, scope="contacts", name=name, filters=tree
        )
        return str(view.pk)

    def _timed(self, path: str, count: Callable[[Any], int]) -> dict[str, Any]:
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        with CaptureQueriesContext(connection) as captured:
            answer = self._get(path)
        queries = list(captured.captured_queries)  # the next request forgets them
        taken: list[float] = []
        until = time.monotonic() + self.spec["seconds"]
        while len(taken) < LEAST_TIMES or (len(taken) < self.spec["times"] and time.monotonic() < until):
            began = time.perf_counter()
            self._get(path)
            taken.append(1000 * (time.perf_counter() - began))
        return {
            "queries": len(queries),
            "rows": count(answer),
            "ms": taken,
            "sql": [(query["time"], query["sql"][:3000]) for query in queries],
        }

    def _get(self, path: str) -> Any:
        response = self.client.get(self.base + path)
        if response.status_code != 200:
            raise SystemExit(f"{path} answered {response.status_code}: {response.content[:300]!r}")
        return response.json()


def _groups(answer: Any) -> list[Any]:
    return [answer["contacts"], answer["messages"], answer["notes"]]


def _rows(answer: Any) -> int:
    return len(answer["results"])


def settle() -> None:
    """All that a server has loaded when it begins to listen."""
    from config import urls
    from config.servers.start import GC_THRESHOLDS

    assert urls.urlpatterns
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)


def main() -> None:
    spec = json.loads(sys.stdin.readline())
    django.setup()
    settle()
    answer = words(spec) if spec["do"] == "words" else Reader(spec).take()
    sys.stdout.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main()
