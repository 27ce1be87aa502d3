"""What the simulator is told by its environment. The product's own settings are not read here."""

from dataclasses import dataclass
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from config import env

DEMO_PHONE_NUMBER_ID = "100000000000001"
DEMO_PHONE = "+15550100001"
DEMO_CHANNEL = "demo-kapso"
DEMO_SECRET = "demo-kapso-secret"  # noqa: S105 (public: written in the documentation)
DEMO_API_KEY = "demo-kapso-key"
# Kapso's id of the WhatsApp business account, which owns the templates
DEMO_BUSINESS_ACCOUNT = "100000000000009"
DEMO_ACCOUNT_SID = "AC00000000000000000000000000000001"
DEMO_AUTH_TOKEN = "demo-twilio-token"  # noqa: S105
DEMO_TWILIO_PHONE = "+15550100002"
DEMO_TWILIO_CHANNEL = "demo-twilio"
# What `make run` sets where nothing else is given; the process reads its own environment first.
DEMO_SECRETS = {
    "STRIPE_WEBHOOK_SECRET": "whsec_demo_stripe",
    "IDENTITY_WEBHOOK_SECRET": "whsec_ZGVtby1pZGVudGl0eS1zZWNyZXQtMzItYnl0ZXMhIQ==",
    "SCORES_SECRET": "whsec_ZGVtby1zY29yZXMtc2VjcmV0LTMyLWJ5dGVzLWxvbmchIQ==",
}


@dataclass(frozen=True, slots=True)
class Options:
    port: int
    public_url: str  # the product, to which webhooks go
    folder: Path
    status_delays: tuple[float, ...]  # seconds from accepting to sent, delivered, read
    retry_delays: tuple[float, ...]  # seconds before each further attempt at a webhook
    twilio_retry_delays: tuple[float, ...]  # the same for Twilio, which takes as many of them as the address asks for
    blocked_for: float  # how long one undeliverable message may hold up the next of its conversation
    customers: bool
    customer_pauses: tuple[float, ...]  # between two customers who begin to write: from, to
    answer_pauses: tuple[float, ...]  # between a customer's reading and answering: from, to
    stripe_secret: str
    identity_secret: str
    scores_secret: str

    @property
    def own_url(self) -> str:
        """Where links to files point."""
        return f"http://127.0.0.1:{self.port}"


def from_environment() -> Options:
    port = env.whole("PORT", 8000, least=1, most=65535)
    return Options(
        port=env.whole("SIMULATOR_PORT", (port + 10_000) % 65536 or 1, least=1, most=65535),
        public_url=env.url("PUBLIC_URL", f"http://127.0.0.1:{port}"),
        folder=Path(env.text("VAR_DIR", "var")),
        status_delays=_seconds("SIMULATOR_STATUS_DELAYS", (0.2, 0.8, 2.5), count=3),
        retry_delays=_seconds("SIMULATOR_RETRY_DELAYS", (10.0, 40.0, 90.0)),
        twilio_retry_delays=_seconds("SIMULATOR_TWILIO_RETRY_DELAYS", (0.5, 1.0, 2.0, 4.0, 6.0)),
        blocked_for=_seconds("SIMULATOR_BLOCKED_FOR", (30.0,), count=1)[0],
        customers=env.boolean("SIMULATOR_CUSTOMERS", env.boolean("DEMO") and not env.boolean("SWITCHBOARD_TESTING")),
        customer_pauses=_seconds("SIMULATOR_CUSTOMER_PAUSES", (20.0, 40.0), count=2),
        answer_pauses=_seconds("SIMULATOR_ANSWER_PAUSES", (3.0, 12.0), count=2),
        stripe_secret=_secret("STRIPE_WEBHOOK_SECRET"),
        identity_secret=_secret("IDENTITY_WEBHOOK_SECRET"),
        scores_secret=_secret("SCORES_SECRET"),
    )


def _secret(name: str) -> str:
    return env.text(name, DEMO_SECRETS[name])


def _seconds(name: str, default: tuple[float, ...], *, count: int | None = None) -> tuple[float, ...]:
    """Comma-separated seconds."""
    words = env.words(name)
    if not words:
        return default
    try:
        found = tuple(float(word) for word in words)
    except ValueError:
        found = ()
    if not found or any(not 0 <= seconds < 86400 for seconds in found) or count not in {None, len(found)}:
        raise ImproperlyConfigured(f"{name} must be {count or 'some'} numbers of seconds with commas between.")
    return found
