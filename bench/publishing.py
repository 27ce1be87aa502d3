"""What both publishers share: when to publish, and what a message of the inbox weighs."""

import json
import sys
import time
from collections.abc import Callable
from typing import Any

BODY = "Halo, apakah pesanan saya sudah dikirim? Saya butuh sebelum hari Jumat. "
MESSAGE: dict[str, Any] = {
    "id": "0199a0b0-0000-7000-8000-000000000001",
    "conversation": "0199a0b0-0000-7000-8000-000000000002",
    "client_id": None,
    "provider_id": "wamid.HBgMNjI4MTIzNDU2Nzg5FQIAEhgUM0E0QTY1OTlBRUUwMzgxMDE0NEYA",
    "direction": "in",
    "sender": {"kind": "contact", "id": None, "name": "Budi Santoso"},
    "type": "text",
    "body": BODY * 2,
    "attachments": [],
    "reply_to": None,
    "status": "received",
    "error": None,
    "status_times": {},
    "provider_time": "2026-11-20T19:59:50Z",
    "created_at": "2026-11-20T19:59:51Z",
}
HEAVY: dict[str, Any] = {**MESSAGE, "body": BODY * 830}  # some 60 kB, the longest note


def pace(spec: dict[str, Any], publish: Callable[[str, dict[str, Any]], None]) -> None:
    """Says when it is ready, waits for a word, publishes `messages` at `rate` a second, prints when each began.

    The heavy topic gets its message half a beat later, so that the one that is measured never waits for it.
    """
    _say({"ready": True})
    sys.stdin.readline()
    began = time.monotonic()
    moments = []
    for number in range(spec["messages"]):
        _sleep_until(began + number / spec["rate"])
        moments.append(time.monotonic_ns())
        publish(spec["topic"], MESSAGE)
        if spec.get("heavy"):
            _sleep_until(began + (number + 0.5) / spec["rate"])
            publish(spec["heavy"], HEAVY)
    _say({"moments": moments})


def _sleep_until(moment: float) -> None:
    time.sleep(max(0.0, moment - time.monotonic()))


def _say(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
