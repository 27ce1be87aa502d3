"""manage.py benchmark: how long by-phone and context take, beside the old way, and what that means for the move."""

import json
import os
import socket
import subprocess
import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from random import Random
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from crm import api_keys
from crm.models import ApiKey, Contact, Member, Workspace
from crm.roles import Action, Role, is_allowed
from inbox.benchmark.figures import Comparison, Report, figures
from inbox.benchmark.ways import (
    Caller,
    Place,
    Way,
    four_queries,
    four_requests,
    one_request,
    one_statement,
    planned_once,
)
from inbox.models import Conversation, Message

RUNS = 50
WARM_UP = 5
KINDS = ("by-phone", "context")
START_SECONDS = 60.0
KEY_LIFE = timedelta(minutes=15)
SEED = 11  # the same people each time


class Command(BaseCommand):
    help = "Measures by-phone and context against four queries one after the other, direct and over HTTP."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--workspace", default="", help="its slug; the one with the most contacts if not given")
        parser.add_argument("--runs", type=int, default=RUNS, help=f"of each way ({RUNS})")
        parser.add_argument("--url", default="", help="a running server; PUBLIC_URL, else one is started for the while")
        parser.add_argument("--direct-only", action="store_true", help="without HTTP")
        parser.add_argument("--json", action="store_true", help="for programs")

    def handle(self, *args: Any, **options: Any) -> None:
        if not 1 <= options["runs"] <= 100_000:
            raise CommandError("--runs is a whole number from 1 to 100000.")
        workspace = _workspace(options["workspace"])
        place = Place(workspace.pk, workspace.slug)
        phones = _phones(workspace, options["runs"] + WARM_UP)
        report = Report(workspace.slug, _sizes(workspace))
        with planned_once():
            for what in KINDS:
                ours, old = one_statement(place, what), four_queries(place, what)
                report.comparisons.append(_compared(what, "direct", ours, old, phones))
        if not options["direct_only"]:
            with _server(options["url"]) as url, _key(workspace) as key:
                for what in KINDS:
                    report.comparisons.append(_over_http(url, key, place, what, phones))
        text = json.dumps(report.as_json(), indent=1) if options["json"] else report.as_text()
        self.stdout.write(text)


# --- On what -----------------------------------------------------------------------------------------------------


def _workspace(slug: str) -> Workspace:
    found = Workspace.objects.filter(slug=slug.lower()).first() if slug else _largest()
    if found is None:
        raise CommandError(f"There is no workspace {slug!r}." if slug else "There is no workspace yet.")
    return found


def _largest() -> Workspace | None:
    most: tuple[int, Workspace | None] = (-1, None)
    for workspace in Workspace.objects.order_by("created_at"):
        count = Contact.objects.filter(workspace=workspace).count()
        if count > most[0]:
            most = (count, workspace)
    return most[1]


def _phones(workspace: Workspace, count: int) -> list[str]:
    """Of people picked at random, those with a conversation first."""
    contacts = Contact.objects.alive().filter(workspace=workspace, merged_into=None).exclude(phone_normalized="")
    talking = Conversation.objects.filter(workspace=workspace, deleted_at=None).values("contact")
    some = list(contacts.filter(pk__in=talking).values_list("phone_normalized", flat=True)[:10_000])
    some = some or list(contacts.values_list("phone_normalized", flat=True)[:10_000])
    if not some:
        raise CommandError(f"Nobody in {workspace.slug} has a telephone number: there is nothing to measure on.")
    return Random(SEED).choices(some, k=count)  # noqa: S311 - nothing secret


def _sizes(workspace: Workspace) -> dict[str, int]:
    return {
        "contacts": Contact.objects.filter(workspace=workspace).count(),
        "conversations": Conversation.objects.filter(workspace=workspace).count(),
        "messages": Message.objects.filter(workspace=workspace).count(),
    }


# --- Measuring ---------------------------------------------------------------------------------------------------


def _compared(what: str, how: str, ours: Way, old: Way, phones: Sequence[str]) -> Comparison:
    """Taken in turns, so that whatever else the machine does hits both."""
    for phone in phones[:WARM_UP]:
        ours(phone)
        old(phone)
    pairs = [(ours(phone), old(phone)) for phone in phones[WARM_UP:]]
    return Comparison(what, how, figures([pair[0] for pair in pairs]), figures([pair[1] for pair in pairs]))


def _over_http(url: str, key: str, place: Place, what: str, phones: Sequence[str]) -> Comparison:
    caller = Caller(url, key, _host())
    try:
        return _compared(
            what, "over HTTP", one_request(caller, place, what), four_requests(caller, place, what), phones
        )
    except OSError as error:
        raise CommandError(f"{url}: {error}") from None
    finally:
        caller.close()


@contextmanager
def _key(workspace: Workspace) -> Iterator[str]:
    """One that may read, for as long as this takes."""
    able = [role for role in Role if is_allowed(role, Action.READ_INBOX)]
    reader = Member.objects.filter(workspace=workspace, role__in=able, user__deactivated_at=None).first()
    if reader is None:
        raise CommandError(f"{workspace.slug} has no member who may read, so nobody can answer for a key.")
    key = api_keys.new_key()
    row = ApiKey.objects.create(
        workspace=workspace,
        name="benchmark",
        prefix=key[: api_keys.VISIBLE],
        digest=api_keys.digest_of(key),
        scopes=[Action.READ_INBOX.value],
        created_by_id=reader.user_id,
        rate_per_minute=10_000_000,
        expires_at=timezone.now() + KEY_LIFE,
    )
    try:
        yield key
    finally:
        row.delete()


@contextmanager
def _server(url: str) -> Iterator[str]:
    """The one that is named, else the one that PUBLIC_URL leads to, else one of our own for the while."""
    if url or _answers(settings.PUBLIC_URL):
        yield (url or settings.PUBLIC_URL).rstrip("/")
        return
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(128)
        listening.set_inheritable(True)
        port = listening.getsockname()[1]
        words = ["-m", "config.servers.start", "--server", settings.ASGI_SERVER, "--fd", str(listening.fileno())]
        process = subprocess.Popen(
            [sys.executable, *words],
            cwd=settings.BASE_DIR,
            env=os.environ | {"LOG_LEVEL": "WARNING"},
            pass_fds=[listening.fileno()],
            stdout=subprocess.DEVNULL,
        )
        try:
            _wait(process, f"http://127.0.0.1:{port}")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(30)


def _wait(process: "subprocess.Popen[bytes]", url: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not _answers(url):
        if process.poll() is not None or time.monotonic() > deadline:
            raise CommandError("The server for the HTTP part did not start; name a running one with --url.")
        time.sleep(0.1)


def _answers(url: str) -> bool:
    caller = Caller(url, "", _host())
    try:
        return caller.answers()
    finally:
        caller.close()


def _host() -> str:
    """A name that the server answers to, whatever address it is reached under."""
    names = [name for name in settings.ALLOWED_HOSTS if name != "*"]
    own = urlsplit(settings.PUBLIC_URL).hostname or ""
    return own if own in names or not names else names[0].lstrip(".")
