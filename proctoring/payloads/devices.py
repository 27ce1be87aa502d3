"""What the outside sees of the browsers that a session is open on."""

from datetime import datetime
from typing import TypedDict
from uuid import UUID

from proctoring.models import SessionDevice
from proctoring.user_agents import browser_of


class DevicePayload(TypedDict):
    id: UUID
    name: str  # the client's own for itself
    browser: str
    system: str
    first_seen_at: datetime
    ended_at: datetime | None


def device_payload(device: SessionDevice) -> DevicePayload:
    words = browser_of(device.user_agent)
    return {
        "id": device.pk,
        "name": device.name,
        "browser": words.get("browser", ""),
        "system": words.get("system", ""),
        "first_seen_at": device.first_seen_at,
        "ended_at": device.ended_at,
    }
