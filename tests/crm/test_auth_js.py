"""The proof that our issuer speaks Supabase's language: the real client library signs in, stays in and signs out.

Needs Node and npm, and on the first run the npm registry; skipped without. What it once sent and got is recorded in
vectors/auth_js_traffic.json, which test_issuer.py replays everywhere.
"""

import json
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from django.core.asgi import get_asgi_application
from django.db import connections

# The newest that runs on Node 20.
AUTH_JS = "2.109.0"
SCRIPT = Path(__file__).with_name("auth_js.mjs")
RECORDING = Path(__file__).parent / "vectors" / "auth_js_traffic.json"


@pytest.fixture(scope="module")
def library() -> Path:
    """The package's entry, installed outside the checkout and kept between runs."""
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip("Node and npm are not installed: the recorded traffic alone was tried")
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "switchboard-tests" / f"auth-js-{AUTH_JS}"
    entry = cache / "node_modules" / "@supabase" / "auth-js" / "dist" / "main" / "index.js"
    if not entry.exists():
        cache.mkdir(parents=True, exist_ok=True)
        install = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(cache)]
        done = subprocess.run([*install, f"@supabase/auth-js@{AUTH_JS}"], capture_output=True, text=True, timeout=120)
        if done.returncode:
            pytest.skip(f"@supabase/auth-js cannot be installed: the recorded traffic alone was tried\n{done.stderr}")
    return entry


@pytest.fixture
def address(settings) -> Iterator[str]:
    """A live server on a free port."""
    listening = socket.create_server(("127.0.0.1", 0))
    settings.PUBLIC_URL = f"http://127.0.0.1:{listening.getsockname()[1]}"
    server = uvicorn.Server(uvicorn.Config(get_asgi_application(), lifespan="off", log_level="error"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started and time.monotonic() < deadline:
        thread.join(0.02)
    yield settings.PUBLIC_URL
    server.should_exit = True
    thread.join(20)
    listening.close()
    connections.close_all()


def test_the_real_client_signs_in_refreshes_gets_the_user_and_signs_out(library, address, ann):
    command = ["node", str(SCRIPT), str(library), f"{address}/auth/v1", ann.email, ann.password]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    result = json.loads(ran.stdout)
    seen = result["seen"]
    assert seen["wrong"] == {"name": "AuthApiError", "code": "invalid_credentials", "status": 400}
    assert seen["signedIn"] == {"error": None, "id": str(ann.id), "expiresIn": 3600}
    assert seen["user"]["email"] == ann.email
    assert seen["user"]["identities"][0]["provider"] == "email"
    assert seen["claims"] == {"error": None, "sub": str(ann.id), "alg": "ES256"}
    assert seen["updated"] == {"error": None, "name": "Ann Lee"}
    assert seen["weak"]["code"] == "weak_password"
    assert seen["refreshed"] == {"error": None, "id": str(ann.id), "rotated": True}
    assert seen["raced"] is None
    assert seen["unknown"]["code"] == "refresh_token_not_found"
    assert seen["signUp"]["code"] == "signup_disabled"
    assert seen["others"] is None
    assert seen["afterOthers"]["here"]["name"] == "AuthSessionMissingError"
    assert seen["afterOthers"]["there"] is None
    assert seen["signedOut"] is None
    assert seen["session"] is None
    assert seen["afterSignOut"]["name"] == "AuthSessionMissingError"
    if os.environ.get("RECORD_AUTH_JS"):
        record(result["wire"], address, ann)


def record(wire, address, ann) -> None:
    """What differs each time gets a name that the replay fills in; tokens are named by the exchange that gave them."""
    names = {address: "{address}", ann.email: "{email}", str(ann.id): "{id}", ann.password: "{password}"}
    steps = []
    for number, exchange in enumerate(wire):
        asked, answered = json.dumps(exchange["asked"]), exchange["answered"]
        for given, name in names.items():
            asked = asked.replace(given, name)
        body = json.loads(answered["body"] or "{}")
        if "access_token" in body:
            names |= {body["access_token"]: f"{{access {number}}}", body["refresh_token"]: f"{{refresh {number}}}"}
        answer = {"status": answered["status"], "keys": sorted(body), "code": body.get("code")}
        steps.append({"asked": json.loads(asked), "answered": answer})
    RECORDING.write_text(json.dumps(steps, indent=1) + "\n")
