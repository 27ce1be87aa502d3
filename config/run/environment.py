"""Decides the environment of a copy: what was given, what the demo adds, what is ours to generate.

The result goes into `os.environ`, which every process of the copy inherits and which the settings then read.
"""

import base64
import binascii
import ipaddress
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from config import env
from config.run.claims import free_port
from config.run.errors import StartRefused
from config.run.keys import generated_keys

DEMO_DEFAULTS = {
    "CRM_API_KEY": "demo-crm-key",
    "CRM_API_KEY_WORKSPACE": "demo",
    "STRIPE_WORKSPACE": "demo",
    "IDENTITY_WORKSPACE": "demo",
    "STRIPE_API_KEY": "sk_test_demo",
    "STRIPE_WEBHOOK_SECRET": "whsec_demo_stripe",
    "IDENTITY_WEBHOOK_SECRET": "whsec_ZGVtby1pZGVudGl0eS1zZWNyZXQtMzItYnl0ZXMhIQ==",
    "SCORES_SECRET": "whsec_ZGVtby1zY29yZXMtc2VjcmV0LTMyLWJ5dGVzLWxvbmchIQ==",
}
PROVIDERS = ("KAPSO_API_URL", "TWILIO_API_URL", "STRIPE_API_URL")
REQUIRED_OUTSIDE_DEMO = ("SECRET_KEY", "FIELD_ENCRYPTION_KEYS", "PUBLIC_URL", "SUPABASE_URL")
# What a shell beside the copy needs to be the same copy.
FOR_A_SHELL = (
    *("DATABASE_URL", "REDIS_URL", "REDIS_PREFIX", "SECRET_KEY", "FIELD_ENCRYPTION_KEYS", "DEMO", "DEBUG", "VAR_DIR"),
    *("PORT", "BIND", "PUBLIC_URL", "ALLOWED_HOSTS", "TRUSTED_PROXIES", "ASGI_SERVER", "PROCESSES", "SIMULATOR_PORT"),
    *("SUPABASE_URL", "SUPABASE_JWT_SECRET", "SUPABASE_PUBLISHABLE_KEY", "SUPABASE_SECRET_KEY", "BOOTSTRAP_ADMINS"),
    *(*DEMO_DEFAULTS, *PROVIDERS, "ALLOWED_PRIVATE_HOSTS", "METRICS_TOKEN", "METRICS_NETWORKS"),
    *("EMAIL_URL", "VAPID_PRIVATE_KEY", "STORAGE_URL", "LOG_LEVEL"),
    *("PERSON_REQUESTS_PER_MINUTE", "ADDRESS_REQUESTS_PER_MINUTE"),
)
# The simulator stands well away from PORT, where the next copy would be.
SIMULATOR_OFFSET = 10_000


@dataclass(frozen=True)
class Place:
    """Where the copy lives and listens, read before anything is claimed or written."""

    var_dir: Path
    host: str
    port: int
    public_url: str
    demo: bool


def read_place() -> Place:
    port = env.whole("PORT", 8000, least=1, most=65535)
    place = Place(
        var_dir=Path(env.text("VAR_DIR", str(env.BASE_DIR / "var"))).expanduser().resolve(),
        host=env.text("BIND", "127.0.0.1"),
        port=port,
        public_url=env.url("PUBLIC_URL", f"http://127.0.0.1:{port}"),
        demo=env.boolean("DEMO"),
    )
    if place.demo:
        _check_demo_is_private(place)
    else:
        _check_required()
    return place


def _check_demo_is_private(place: Place) -> None:
    for name, host in (("BIND", place.host), ("PUBLIC_URL", urlsplit(place.public_url).hostname or "")):
        if not _is_loopback(host):
            raise StartRefused(
                f"DEMO has public passwords and is refused when {name} ({host}) is not this machine's loopback: "
                f"set DEMO=0 and the variables that docs/environment.md lists, or leave {name} unset."
            )


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _check_required() -> None:
    for name in REQUIRED_OUTSIDE_DEMO:
        if not os.environ.get(name, "").strip():
            raise StartRefused(f"{name} is not set, and outside demo there is no safe value to fall back on.")


def settle(place: Place) -> None:
    """Completes `os.environ`. Where the servers are ours, the caller adds their URLs."""
    given = os.environ
    given.update(VAR_DIR=str(place.var_dir), PORT=str(place.port), BIND=place.host, PUBLIC_URL=place.public_url)
    given.update(DEMO="1" if place.demo else "0", DJANGO_SETTINGS_MODULE="config.settings", PYTHONUNBUFFERED="1")
    if place.demo:
        _settle_demo(place)
    if not given.get("ALLOWED_HOSTS", "").strip():
        host = urlsplit(place.public_url).hostname or ""
        names = ["127.0.0.1", "localhost", "[::1]", f"[{host}]" if ":" in host else host]
        given["ALLOWED_HOSTS"] = ",".join(dict.fromkeys(names))
    for name in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "MAKE_TERMOUT", "MAKE_TERMERR"):
        given.pop(name, None)


def _settle_demo(place: Place) -> None:
    port = _simulator_port(place.port)
    simulator = f"http://127.0.0.1:{port}"
    defaults = DEMO_DEFAULTS | dict.fromkeys(PROVIDERS, simulator) | generated_keys(place.var_dir)
    for name, value in defaults.items():
        if not os.environ.get(name, "").strip():
            os.environ[name] = value
    private = dict.fromkeys([*env.words("ALLOWED_PRIVATE_HOSTS"), "127.0.0.1"])
    os.environ.update(SIMULATOR_PORT=str(port), ALLOWED_PRIVATE_HOSTS=",".join(private))


def _simulator_port(web: int) -> int:
    wanted = env.whole("SIMULATOR_PORT", 0, most=65535)
    port = free_port(wanted or web + SIMULATOR_OFFSET)
    if wanted and port != wanted:
        raise StartRefused(f"Port {wanted} on 127.0.0.1 is taken: choose another with SIMULATOR_PORT.")
    return port


def check_settings() -> None:
    """Reads every value as the product will, so that a malformed one is refused here and not five times in a log."""
    from config import settings

    for key in settings.FIELD_ENCRYPTION_KEYS:
        if not _is_fernet_key(key):
            raise ImproperlyConfigured(
                "FIELD_ENCRYPTION_KEYS must hold URL-safe base64 keys of 32 bytes, newest first."
            )
    if settings.DEMO:
        from webhooks.simulator import options

        options.from_environment()


def _is_fernet_key(key: str) -> bool:
    try:
        return len(base64.urlsafe_b64decode(key)) == 32
    except (binascii.Error, ValueError):
        return False


def connections_needed() -> int:
    """What all processes may open at once, each pool full."""
    from config import settings

    pools = settings.DATABASE_POOL_MAX + settings.HOT_POOL_MAX
    web = settings.PROCESSES * (pools + 1)  # one more for the leader's session lock
    beat_and_a_shell = 4
    return web + pools + beat_and_a_shell


def for_a_shell() -> dict[str, str]:
    return {name: os.environ[name] for name in FOR_A_SHELL if os.environ.get(name)}
