"""Who and what the demo names: constants that documents, tests and the simulator know. Every secret here is public."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from crm.roles import Role
from inbox.states import ChannelKind

PASSWORD = "demo-password"  # noqa: S105 - published on purpose


def _id(kind: int, number: int) -> UUID:
    """The same in every copy, and recognisable."""
    return UUID(f"0198de30-0000-7000-8{kind:03d}-{number:012d}")


@dataclass(frozen=True)
class DemoUser:
    key: str
    id: UUID
    name: str

    @property
    def email(self) -> str:
        return f"{self.key}@demo.example"

    @property
    def first_name(self) -> str:
        return self.name.partition(" ")[0]


USERS = {
    user.key: user
    for user in (
        DemoUser("ada", _id(1, 1), "Ada Osei"),
        DemoUser("ben", _id(1, 2), "Ben Okafor"),
        DemoUser("bea", _id(1, 3), "Bea Lindqvist"),
        DemoUser("tia", _id(1, 4), "Tia Marsh"),
        DemoUser("vic", _id(1, 5), "Vic Moreau"),
        DemoUser("sam", _id(1, 6), "Sam Adeyemi"),
        DemoUser("sue", _id(1, 7), "Sue Tanaka"),
        DemoUser("cleo", _id(1, 8), "Cleo Marchetti"),
    )
}


@dataclass(frozen=True)
class DemoChannel:
    slug: str
    kind: ChannelKind
    name: str
    identifier: str = ""
    phone: str = ""
    credentials: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class DemoWorkspace:
    slug: str
    id: UUID
    name: str
    members: dict[str, Role]
    channels: tuple[DemoChannel, ...]
    labels: dict[str, int]  # name to hue


def _kapso(word: str, identifier: str, phone: str) -> DemoChannel:
    return DemoChannel(
        slug=f"{word}-kapso",
        kind=ChannelKind.KAPSO,
        name="Reception line",
        identifier=identifier,
        phone=phone,
        credentials={
            "api_key": f"{word}-kapso-key",
            "webhook_secrets": [f"{word}-kapso-secret"],
            "app_secrets": [],
            "verify_tokens": [f"{word}-kapso-verify"],
        },
        settings={"business_account_id": "100000000000009"},
    )


DEMO = DemoWorkspace(
    slug="demo",
    id=_id(2, 1),
    name="Demo workspace",
    members={"ada": Role.OWNER, "ben": Role.AGENT, "bea": Role.AGENT, "tia": Role.TUTOR, "vic": Role.VIEWER},
    channels=(
        _kapso("demo", "100000000000001", "+15550100001"),
        DemoChannel(
            slug="demo-twilio",
            kind=ChannelKind.TWILIO,
            name="Text line",
            identifier="AC00000000000000000000000000000001",
            phone="+15550100002",
            credentials={"auth_tokens": ["demo-twilio-token"]},
        ),
        DemoChannel(slug="demo-widget", kind=ChannelKind.WIDGET, name="Website chat"),
    ),
    labels={
        "Billing": 2,
        "Booking": 6,
        "Complaint": 1,
        "Exam": 7,
        "Family": 4,
        "Lead": 8,
        "Onboarding": 3,
        "Refund": 1,
        "Technical": 5,
        "Transfer": 5,
    },
)
ELSEWHERE = DemoWorkspace(
    slug="elsewhere",
    id=_id(2, 2),
    name="Elsewhere music school",
    members={"cleo": Role.OWNER},
    channels=(_kapso("elsewhere", "100000000000002", "+15550100003"),),
    labels={"Lessons": 6, "Tuning": 3},
)
WORKSPACES = (DEMO, ELSEWHERE)
