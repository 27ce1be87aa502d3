"""Keeps deliveries as the road does once their signature is checked. Reads one JSON line, prints one."""

import asyncio
import json
import sys
from typing import Any

import django


def main() -> None:
    spec = json.loads(sys.stdin.readline())
    django.setup()
    asyncio.run(_keep(spec))
    sys.stdout.write("{}\n")


async def _keep(spec: dict[str, Any]) -> None:
    from config.live.pool import close_hot_pool
    from webhooks.journal import Arrival, keep

    for number, body in enumerate(spec["bodies"]):
        await keep(
            Arrival(
                provider="kapso",
                channel_id=spec["channel_id"],
                workspace_id=spec["workspace_id"],
                event_key=f"key-{number:05}",
                event="whatsapp.message.received",
                headers={"x-webhook-event": "whatsapp.message.received"},
                body=body.encode(),
            )
        )
    await close_hot_pool()


if __name__ == "__main__":
    main()
