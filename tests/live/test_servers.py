"""Both servers around the application: large bodies, the end of a process, inherited sockets, limits said clearly."""

import asyncio
import resource
import socket
import subprocess
import sys

import httpx
import pytest

from config.servers.limits import MIB
from tests.live.test_publishing import a_topic
from tests.live.web import ROOT, connected, web


@pytest.fixture(params=["daphne", "uvicorn"])
def own_server(request, tmp_path):
    """For what ends it."""
    with web(request.param, tmp_path / "web.log") as running:
        yield running


def post(server, path: str, body: bytes) -> httpx.Response:
    return httpx.post(f"http://127.0.0.1:{server.port}{path}", content=body, timeout=20, verify=False)


@pytest.mark.parametrize(
    ("path", "size", "status"),
    [
        ("/", 8 * MIB, 200),
        ("/", 8 * MIB + 1, 413),
        ("/webhooks/twilio/x", MIB, 200),
        ("/webhooks/twilio/x?a=1", MIB + 1, 413),
        ("/webhooks/kapso/x", 4 * MIB, 200),
        ("/webhooks/kapso/x", 4 * MIB + 1, 413),
    ],
)
def test_a_body_that_is_too_large_is_refused(server, path, size, status):
    answer = post(server, path, b"x" * size)
    assert answer.status_code == status
    if status == 413:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"] == "too_large"
    else:
        assert answer.text == str(size)


@pytest.mark.parametrize(
    ("path", "size"),
    [
        ("/webhooks/stripe", 999_999_999),
        ("/api/v1/workspaces/demo/attachments/", 102 * MIB),
        ("/api/v1/chats/01999999-0000-7000-8000-000000000000/messages", 27 * MIB),
        ("/api/v1/workspaces/demo/conversations/", 9 * MIB),
    ],
)
async def test_it_is_refused_before_it_is_sent(server, path, size):
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {size}\r\n\r\n".encode())
    async with asyncio.timeout(20):
        assert b"413" in await reader.readline()
    writer.close()


async def test_a_refused_client_may_not_send_forever(server):
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"POST /webhooks/stripe HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 999999999\r\n\r\n")
    async with asyncio.timeout(10):
        await reader.read()
    writer.close()


@pytest.mark.parametrize("server", ["daphne"], indirect=True)
def test_a_body_without_a_length_is_cut_off_where_the_server_collects_it(server):
    def chunks():
        for _ in range(9):
            yield b"x" * MIB

    answer = httpx.post(f"http://127.0.0.1:{server.port}/", content=chunks(), timeout=20, verify=False)
    assert answer.status_code == 413


def test_a_large_upload_arrives_whole_and_is_never_in_memory_whole(own_server):
    size, before = 80 * MIB, own_server.most_resident_mib()
    parts = (b"x" * MIB for _ in range(80))
    answer = httpx.post(
        f"http://127.0.0.1:{own_server.port}/api/v1/workspaces/demo/attachments/",
        content=parts,
        headers={"content-length": str(size)},
        timeout=60,
        verify=False,
    )
    assert (answer.status_code, answer.text) == (200, str(size))
    assert own_server.most_resident_mib() - before < 30


async def test_who_goes_in_the_midst_of_an_upload_leaves_nothing_behind(own_server):
    _reader, writer = await asyncio.open_connection("127.0.0.1", own_server.port)
    head = (
        f"POST /api/v1/workspaces/demo/attachments/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {20 * MIB}\r\n\r\n"
    )
    writer.write(head.encode() + b"x" * MIB)
    await writer.drain()
    writer.close()
    answer = await asyncio.to_thread(post, own_server, "/api/v1/workspaces/demo/attachments/", b"x" * MIB)
    assert answer.text == str(MIB)
    assert "Traceback" not in own_server.log.read_text()


UPGRADE = (
    b"GET /ws/live HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Protocol: live.v1, bearer.ben\r\n\r\n"
)


async def test_on_sigterm_sockets_are_told_to_come_back_and_requests_finish(own_server):
    reader, deaf = await asyncio.open_connection("127.0.0.1", own_server.port)
    deaf.write(UPGRADE)
    assert b"101" in await reader.readline()
    async with connected(own_server) as ben, httpx.AsyncClient(verify=False) as http:
        await ben.subscribe(a_topic())
        slow = asyncio.create_task(http.get(f"http://127.0.0.1:{own_server.port}/slow"))
        await asyncio.sleep(0.3)
        ended = asyncio.create_task(asyncio.to_thread(own_server.stop))
        assert await ben.closed(5) == 1012
        assert (await slow).status_code == 200
        # One that does not answer the close frame delays it by some seconds at most.
        assert await asyncio.wait_for(ended, 12) in {0, -15}
    deaf.close()
    assert "Traceback" not in own_server.log.read_text()
    assert "destroyed" not in own_server.log.read_text()


@pytest.mark.parametrize("name", ["daphne", "uvicorn"])
def test_an_inherited_socket_is_taken_over(name, tmp_path):
    log = tmp_path / "web.log"
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:
        port, fd = listening.getsockname()[1], listening.fileno()
        with web(name, log, port=port, pass_fds=(fd,)):
            for _ in range(2):
                assert httpx.get(f"http://127.0.0.1:{port}/", timeout=20, verify=False).text == "0"
        # Ending one process leaves the socket to its siblings.
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) == 0


def test_a_taken_port_is_one_sentence():
    command = [sys.executable, "-m", "config.servers.start", "--application", "tests.live.asgi:application"]
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run([*command, "--port", str(port)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "PORT" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(("hard", "warned"), [(5000, False), (1024, True)])
def test_the_file_limit_is_raised_and_too_low_a_one_is_said(hard, warned):
    script = (
        "import logging, resource; from config.servers.limits import raise_file_limit; "
        "logging.basicConfig(format='%(message)s'); raise_file_limit(); "
        "print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard)),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == str(hard)
    assert ("may open only 1024 files" in done.stderr) is warned
