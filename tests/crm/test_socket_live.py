"""The product's own sockets and people together, in a server of its own."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets
from asgiref.sync import sync_to_async
from django.conf import settings as django_settings

from crm.services import members, roles
from crm.services.features import set_features
from tests.crm.conftest import account_for
from tests.live.web import ROOT, Client, Web, _wait_for_answer, free_port

# After losing access nothing more may be heard for longer than this; what runs beside the tests may slow it down.
AT_ONCE_SECONDS = 10.0
NAME = django_settings.SIGN_IN_COOKIE_NAME


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Web]:
    port, log = free_port(), tmp_path_factory.mktemp("web") / "web.log"
    command = [sys.executable, "-m", "config.servers.start", "--server", "uvicorn", "--port", str(port)]
    environment = {**os.environ, "SUPABASE_URL": "", "PUBLIC_URL": f"http://127.0.0.1:{port}"}
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT)
    try:
        _wait_for_answer(port, process, Path(log))
        yield Web(port, process, Path(log))
    finally:
        process.terminate()
        process.wait(20)


class Browser:
    """Signed in over HTTP, and able to open a socket with the cookie it was given."""

    def __init__(self, server: Web, account) -> None:
        self.server, self.base = server, f"http://127.0.0.1:{server.port}"
        self.http = httpx.Client(base_url=self.base, headers={"Origin": self.base}, trust_env=False, timeout=30)
        self.http.get("/login")
        answer = self.post("/login", {"email": account.email, "password": account.password})
        assert answer.status_code == 303, answer.text

    def post(self, path, data=None):
        token = self.http.cookies[django_settings.CSRF_COOKIE_NAME]
        return self.http.post(path, data=data, headers={"X-CSRFToken": token})

    def socket(self):
        cookie = f"{NAME}={self.http.cookies[NAME]}"
        headers = {"Cookie": cookie, "Origin": self.base}
        options: dict[str, Any] = {"subprotocols": ["live.v1"], "additional_headers": headers, "proxy": None}
        return websockets.connect(self.server.url, open_timeout=30, **options)


@pytest.fixture
def browser(server, own_issuer):
    opened = []

    def open_one(account):
        opened.append(Browser(server, account))
        return opened[-1]

    yield open_one
    for one in opened:
        one.http.close()


async def test_a_member_who_is_removed_hears_no_more_of_the_inbox(browser, cast):
    ben = browser(await sync_to_async(account_for)(cast.ben))
    async with ben.socket() as connection:
        client = Client(connection)
        topic = f"inbox.{cast.workspace.slug}"
        assert (await client.subscribe(topic))["op"] == "subscribed"
        assert (await client.subscribe(f"user.{cast.ben.pk}"))["op"] == "subscribed"
        assert (await client.subscribe(f"user.{cast.ada.pk}"))["code"] == "not_found"
        ada = await sync_to_async(cast.actor)(cast.ada)
        await sync_to_async(members.remove_member)(actor=ada, user_id=cast.ben.pk)
        lost = (await client.until(lambda frame: frame["op"] == "error", AT_ONCE_SECONDS))[-1]
        assert (lost["code"], lost["topic"]) == ("not_found", topic)
        assert (await client.subscribe(topic))["code"] == "not_found"
        await client.tell(op="ping")
        assert (await client.op("pong"))["op"] == "pong"


async def test_a_feature_that_is_switched_off_takes_its_topic_from_whoever_listens(browser, cast):
    ben = browser(await sync_to_async(account_for)(cast.ben))
    async with ben.socket() as connection:
        client = Client(connection)
        topic, own = f"inbox.{cast.workspace.slug}", f"user.{cast.ben.pk}"
        for one in (topic, own):
            assert (await client.subscribe(one))["op"] == "subscribed"
        ada = await sync_to_async(cast.actor)(cast.ada)
        await sync_to_async(set_features)(actor=ada, switches={"inbox": False})
        lost = (await client.until(lambda frame: frame["op"] == "error", AT_ONCE_SECONDS))[-1]
        assert (lost["code"], lost["topic"]) == ("feature_off", topic)
        assert (await client.subscribe(topic))["code"] == "feature_off"
        await sync_to_async(set_features)(actor=ada, switches={"inbox": True})
        assert (await client.subscribe(topic))["op"] == "subscribed"


async def test_a_person_who_is_deactivated_is_cut_off(browser, cast):
    ben = browser(await sync_to_async(account_for)(cast.ben))
    async with ben.socket() as connection:
        client = Client(connection)
        assert (await client.subscribe(f"inbox.{cast.workspace.slug}"))["op"] == "subscribed"
        await sync_to_async(roles.deactivate_user)(by=None, user_id=cast.ben.pk)
        assert await client.closed(AT_ONCE_SECONDS) == 4401


async def test_signing_out_closes_the_sockets_of_that_browser_alone(browser, cast):
    account = await sync_to_async(account_for)(cast.ben)
    here, there = browser(account), browser(account)
    async with here.socket() as one, there.socket() as other:
        leaving, staying = Client(one), Client(other)
        for client in (leaving, staying):
            assert (await client.subscribe(f"user.{cast.ben.pk}"))["op"] == "subscribed"
        assert (await asyncio.to_thread(here.post, "/logout")).status_code == 303
        assert await leaving.closed(AT_ONCE_SECONDS) == 4401
        await staying.tell(op="ping")
        assert (await staying.op("pong"))["op"] == "pong"


async def test_a_cookie_socket_renews_without_a_token(browser, cast):
    ben = browser(await sync_to_async(account_for)(cast.ben))
    async with ben.socket() as connection:
        client = Client(connection)
        await client.tell(op="token")
        answer = await client.op("token_ok")
        assert answer["expires_at"] > time.time() + 1800
        await client.tell(op="token", token="a.b.c")
        assert (await client.until(lambda frame: frame["op"] == "error"))[-1]["code"] == "token_invalid"


async def test_a_key_listens_until_it_is_revoked_or_its_creator_may_less(server, cast, own_issuer):
    from crm.models import ApiKey
    from crm.roles import Action
    from crm.services import api_keys
    from tests.crm.test_key_identity import make_key

    def open_socket(raw: str):
        protocols: Any = ["live.v1", f"bearer.{raw}"]
        return websockets.connect(server.url, open_timeout=30, subprotocols=protocols, proxy=None)

    make = sync_to_async(make_key)
    ben_key = await make(cast, Action.READ_INBOX, user=cast.ben)
    ada_key = await make(cast, Action.READ_INBOX)
    topic = f"inbox.{cast.workspace.slug}"
    async with open_socket(ben_key) as of_ben, open_socket(ada_key) as of_ada:
        first, second = Client(of_ben), Client(of_ada)
        for client in (first, second):
            assert (await client.subscribe(topic))["op"] == "subscribed"
            assert (await client.subscribe(f"inbox.{cast.elsewhere.slug}"))["code"] == "not_found"
            assert (await client.subscribe(f"user.{cast.ada.pk}"))["code"] == "not_found"
            assert (await client.subscribe(f"workspace.{cast.workspace.slug}"))["code"] == "not_found"
        ada = await sync_to_async(cast.actor)(cast.ada)
        await sync_to_async(members.change_role)(actor=ada, user_id=cast.ben.pk, role="tutor")
        lost = (await first.until(lambda frame: frame["op"] == "error", AT_ONCE_SECONDS))[-1]
        assert (lost["code"], lost["topic"]) == ("not_found", topic)
        key = await sync_to_async(ApiKey.objects.filter(created_by=cast.ada).latest)("id")
        await sync_to_async(api_keys.revoke_key)(actor=ada, key_id=key.pk)
        async with asyncio.timeout(AT_ONCE_SECONDS):
            await of_ada.wait_closed()
        assert of_ada.close_code == 4401
    async with open_socket(ada_key) as again:
        async with asyncio.timeout(AT_ONCE_SECONDS):
            await again.wait_closed()
        assert again.close_code == 4401
