"""Typed readers for the environment. A missing or malformed value stops the start with a sentence that names it."""

import base64
import os
import re
import shlex
from collections.abc import Callable
from ipaddress import ip_network
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit
from uuid import UUID

import environ
from django.core.exceptions import ImproperlyConfigured

T = TypeVar("T")
BASE_DIR = Path(__file__).resolve().parent.parent
# What a running copy writes into its VAR_DIR for a shell beside it
RUN_FILE = "run.env"
# Private keys of the curve are the whole numbers below it
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off", ""}
_HOST = re.compile(r"\*|\.?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*|\[[0-9A-Fa-f:.]+\]")


def _fail(name: str, why: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"{name} {why}")


def text(name: str, default: str | None = None) -> str:
    value = os.environ.get(name, "").strip() or default
    if value is None:
        raise _fail(name, "is not set, and there is no safe value to fall back on.")
    return value


def slug(name: str) -> str:
    """A workspace's name in addresses; empty where none is meant."""
    value = text(name, "")
    if not re.fullmatch(r"[A-Za-z0-9_-]*", value):
        raise _fail(name, f"must be a workspace's name as its addresses have it, not {value!r}.")
    return value


def boolean(name: str, default: bool = False) -> bool:
    raw = os.environ.get(name)
    if raw is None:
        return default
    word = raw.strip().lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise _fail(name, f"must be yes or no, not {raw!r}.")


def whole(name: str, default: int, *, least: int = 0, most: int = 2**31) -> int:
    raw = os.environ.get(name, "").strip()
    if not raw:
        return default
    try:
        value = int(raw)
    except ValueError:
        raise _fail(name, f"must be a whole number, not {raw!r}.") from None
    if not least <= value <= most:
        raise _fail(name, f"must be between {least} and {most}, not {value}.")
    return value


def words(name: str, default: tuple[str, ...] = ()) -> list[str]:
    """Comma-separated words."""
    raw = os.environ.get(name, "")
    return [word.strip() for word in raw.split(",") if word.strip()] or list(default)


def secrets(name: str, *, base64_encoded: bool = False) -> list[str]:
    """Secrets with commas or spaces between, several while one is rotated. Supabase writes `v1,` before its own."""
    found = re.split(r"[\s,]+", os.environ.get(name, "").replace("v1,whsec_", "whsec_"))
    for secret in found if base64_encoded else ():
        coded = secret.removeprefix("whsec_").rstrip("=")
        try:
            base64.b64decode(coded + "=" * (-len(coded) % 4), validate=True)
        except ValueError:
            raise _fail(name, "must hold secrets of the form whsec_ and base64, with commas between.") from None
    return [secret for secret in found if secret]


def networks(name: str) -> list[str]:
    """Comma-separated addresses or networks, such as 10.0.0.0/8."""
    found = words(name)
    for network in found:
        try:
            ip_network(network)
        except ValueError:
            raise _fail(name, f"must be addresses or networks with commas between; {network!r} is none.") from None
    return found


def hosts(name: str, default: tuple[str, ...] = ()) -> list[str]:
    """Comma-separated names of hosts, as Django's ALLOWED_HOSTS takes them: without scheme and port."""
    found = words(name, default)
    for host in found:
        if not _HOST.fullmatch(host):
            raise _fail(name, f"must be names of hosts with commas between, without scheme or port; {host!r} is none.")
    return found


def people(name: str) -> list[str]:
    """Comma-separated ids of users or e-mail addresses."""
    found = words(name)
    for person in found:
        if "@" not in person and not _is_uuid(person):
            raise _fail(name, f"must be ids of users or e-mail addresses with commas between; {person!r} is neither.")
    return found


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False


def _split(name: str, raw: str) -> SplitResult:
    """Brackets that are left open and ports that are no numbers are found out here, and not at their first use."""
    try:
        parts = urlsplit(raw)
        _ = parts.port
    except ValueError:
        raise _fail(name, "cannot be read as a URL: look at its port and its brackets.") from None
    return parts


def url(name: str, default: str | None = None, *, schemes: tuple[str, ...] = ("https", "http")) -> str:
    """An absolute URL without its trailing slash; an empty default means that it may be unset."""
    value = text(name, default)
    if not value:
        return ""
    parts = _split(name, value)
    if parts.scheme not in schemes or not (parts.hostname or (parts.scheme == "unix" and parts.path)):
        raise _fail(name, f"must be a URL beginning with {' or '.join(f'{scheme}://' for scheme in schemes)}.")
    return value.rstrip("/")


def choice(name: str, default: str, among: tuple[str, ...]) -> str:
    value = text(name, default)
    if value not in among:
        raise _fail(name, f"must be one of {', '.join(among)}, not {value!r}.")
    return value


def parsed(name: str, default: str, parse: Callable[[str], T]) -> T:
    """Reads a value that a library knows how to parse, such as a database or e-mail URL."""
    try:
        return parse(text(name, default))
    except ImproperlyConfigured:
        raise
    except (ValueError, LookupError, TypeError) as error:
        raise _fail(name, f"could not be read: {error}.") from None


def database(name: str) -> dict[str, Any]:
    """A Postgres URL as Django's database dict. A socket folder is written `postgres:///name?host=/folder&user=postgres`."""
    raw = text(name)
    parts = _split(name, raw)
    if parts.scheme not in {"postgres", "postgresql"}:
        raise _fail(name, "must be a Postgres URL beginning with postgres://.")
    config: dict[str, Any] = parsed(name, raw, environ.Env.db_url_config)
    config["ENGINE"] = "django.db.backends.postgresql"
    options = config.pop("OPTIONS", {})
    for key in ("host", "user", "port", "password"):
        if key in options:
            config[key.upper()] = options.pop(key)
    config["OPTIONS"] = options
    return config


def redis(name: str) -> str:
    return url(name, schemes=("redis", "rediss", "unix"))


def storage(name: str, default: Path) -> dict[str, Any]:
    """Where files are kept, as Django's STORAGES writes it: `file:///folder`, or `s3://key:secret@bucket` with
    `?endpoint=https://...&region=...&prefix=...`; without key and secret, what the machine itself is allowed."""
    raw = os.environ.get(name, "").strip()
    parts = _split(name, raw or default.as_uri())
    if parts.scheme == "file" and not parts.netloc and parts.path.startswith("/") and not parts.query:
        return _folder(Path(unquote(parts.path)))
    if parts.scheme == "s3" and parts.hostname and parts.path in {"", "/"}:
        return _s3(name, parts)
    raise _fail(name, "must be file:///folder or s3://key:secret@bucket?endpoint=https://...&region=....")


def _folder(path: Path) -> dict[str, Any]:
    # No base_url: nothing of it is public.
    options = {"location": path, "base_url": None, "file_permissions_mode": 0o600, "directory_permissions_mode": 0o700}
    return {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": options}


def _s3(name: str, parts: SplitResult) -> dict[str, Any]:
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    if unknown := given.keys() - {"endpoint", "region", "prefix", "style"}:
        raise _fail(name, f"has {sorted(unknown)[0]!r} in its query; endpoint, region, prefix and style are known.")
    if bool(parts.username) != bool(parts.password):
        raise _fail(name, "needs both a key and its secret, or neither.")
    endpoint = _split(name, given.get("endpoint", ""))
    if given.get("endpoint") and (endpoint.scheme not in {"https", "http"} or not endpoint.netloc):
        raise _fail(name, "has an endpoint that is no URL.")
    if given.get("style", "auto") not in {"auto", "path", "virtual"}:
        raise _fail(name, "has a style that is none of auto, path and virtual.")
    options = {
        # As written: urlsplit's hostname would be in lower case
        "bucket_name": parts.netloc.rpartition("@")[2],
        "access_key": unquote(parts.username or "") or None,
        "secret_key": unquote(parts.password or "") or None,
        "endpoint_url": given.get("endpoint") or None,
        "region_name": given.get("region") or None,
        "location": given.get("prefix", ""),
        "addressing_style": given.get("style") or None,
        "default_acl": None,
        "file_overwrite": False,
        "querystring_auth": True,
        "max_memory_size": 256 * 1024,  # what is read beyond it goes through a file
    }
    if given.get("endpoint"):
        options["client_config"] = _for_others_than_amazon(given.get("style"))
    return {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}


def _for_others_than_amazon(style: str | None) -> Any:
    """Checksums only where the protocol asks for them: many who speak S3 do not know the newer ones."""
    from botocore.config import Config  # type: ignore[import-untyped]

    when = "when_required"
    return Config(s3={"addressing_style": style}, request_checksum_calculation=when, response_checksum_validation=when)


def mail(name: str, sender: str) -> dict[str, Any]:
    """Django's settings for `smtp://user:password@host:587` (which turns to TLS before it says the password),
    `smtps://…` (TLS from the first byte) or, for tests, `memory://`. `?from=` names the sender."""
    raw = os.environ.get(name, "").strip()
    parts = _split(name, raw)
    given = dict(parse_qsl(parts.query))
    settings: dict[str, Any] = {"EMAIL_URL": raw, "DEFAULT_FROM_EMAIL": given.pop("from", sender), "EMAIL_TIMEOUT": 10}
    if parts.scheme in {"", "memory"} and raw in {"", "memory:", "memory://"}:
        return {**settings, "EMAIL_BACKEND": "django.core.mail.backends.locmem.EmailBackend"}
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname or given or parts.path not in {"", "/"}:
        raise _fail(name, "must be smtp://user:password@host:587 or smtps://user:password@host, with ?from= at most.")
    over_tls = parts.scheme == "smtps"
    return {
        **settings,
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": parts.port or (465 if over_tls else 587 if parts.username else 25),
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_SSL": over_tls,
        "EMAIL_USE_TLS": not over_tls and bool(parts.username),
    }


def vapid(name: str) -> str:
    """The private key of Web Push, 32 bytes in URL-safe base64, as every tool for it prints; empty where not set."""
    raw = os.environ.get(name, "").strip().rstrip("=")
    if not raw:
        return ""
    try:
        key = base64.b64decode(raw + "=" * (-len(raw) % 4), altchars=b"-_", validate=True)
    except ValueError:
        key = b""
    if len(key) != 32 or not 0 < int.from_bytes(key, "big") < P256_ORDER:
        raise _fail(name, "must be a P-256 private key: 32 bytes in URL-safe base64, as tools for Web Push print it.")
    return raw


def shell_file(path: Path) -> dict[str, str]:
    """NAME=value lines in the shell's quoting; a missing file holds nothing."""
    try:
        words_of_file = shlex.split(path.read_text(), comments=True)
        pairs = [word.partition("=") for word in words_of_file]
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ImproperlyConfigured(f"{path} could not be read: {error}.") from None
    if any(not name.isidentifier() or not equals for name, equals, _ in pairs):
        raise ImproperlyConfigured(f"{path} must hold NAME=value lines and nothing else.")
    return {name: value for name, _, value in pairs}


def load_run_environment() -> None:
    """Where DATABASE_URL is not set, a command beside a running copy takes what that copy wrote down."""
    if os.environ.get("DATABASE_URL"):
        return
    var_dir = Path(os.environ.get("VAR_DIR") or BASE_DIR / "var")
    for name, value in shell_file(var_dir / RUN_FILE).items():
        os.environ.setdefault(name, value)
