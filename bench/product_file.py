"""For bench/filing.py: imports a file of so many contacts as a worker does, in this thread alone. With `known` they are
updated from the same file a second time.

Reads one JSON line, prints one.
"""

import io
import json
import sys
import time
from typing import Any

import django


def main() -> None:
    spec = json.loads(sys.stdin.readline())
    django.setup()
    from jobs import engine

    engine.drain(only=["none"])  # everything is loaded before the clock starts
    answer = {"new": take(spec["rows"], "skip"), "again": take(spec["rows"], "update")}
    sys.stdout.write(json.dumps(answer) + "\n")


def take(rows: int, known: str) -> dict[str, Any]:
    from crm.actors import System
    from crm.models import Workspace
    from crm.services.imports import change_import, start_run, upload_import
    from jobs import engine

    content = _file(rows)
    actor = System(Workspace.objects.get(slug="bench").pk, "bench")
    row = upload_import(actor=actor, content=io.BytesIO(content), size=len(content), name="bench.csv")
    change_import(actor=actor, import_id=row.pk, known=known)
    start_run(actor=actor, import_id=row.pk)
    began = time.monotonic()
    engine.drain()
    seconds = time.monotonic() - began
    row.refresh_from_db()
    return {"seconds": seconds, "state": row.state, "created": row.created_rows, "updated": row.updated_rows}


def _file(rows: int) -> bytes:
    lines = "".join(f"Person {row},+1303{5550000 + row},file{row}@bench.example,new\n" for row in range(rows))
    return f"Name,Phone,E-Mail,Tags\n{lines}".encode()


if __name__ == "__main__":
    main()
