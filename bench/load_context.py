"""Load: a fixed number of GETs for people picked at random, over a fixed number of connections, as fast as they are
answered. Reads one JSON line, prints one."""

import gc
import json
import random
import sys
import time
from typing import Any

from load_deliveries import Tally, _connect, _drive


def run(spec: dict[str, Any]) -> dict[str, Any]:
    rng = random.Random(spec["seed"])
    requests = [_request(spec, rng.randrange(spec["contacts"])) for _ in range(spec["requests"])]
    connections = [_connect(spec["port"]) for _ in range(spec["connections"])]
    gc.collect()
    gc.disable()
    tally = Tally()
    used, began = time.process_time(), time.perf_counter()
    _drive(connections, iter(enumerate(requests)), tally)
    elapsed = time.perf_counter() - began
    for connection in connections:
        connection.client.close()
    tally.waits.sort()
    return {
        "elapsed": elapsed,
        "generator_cores": (time.process_time() - used) / elapsed,
        "answered": len(tally.acknowledged),
        "refused": dict(tally.refused),
        "p95_ms": 1000 * tally.waits[len(tally.waits) * 95 // 100] if tally.waits else 0,
    }


def _request(spec: dict[str, Any], number: int) -> bytes:
    path = f"{spec['path']}1202{5_000_000 + number:07d}"
    head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{spec['port']}\r\nAuthorization: Bearer {spec['key']}\r\n\r\n"
    return head.encode()


if __name__ == "__main__":
    sys.stdout.write(json.dumps(run(json.loads(sys.stdin.readline()))) + "\n")
