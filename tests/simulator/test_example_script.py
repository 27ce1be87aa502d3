import shutil
import subprocess
import time
from typing import Any

import pytest

from tests.simulator.harness import ROOT, SECRET
from webhooks.kapso.payload import parse
from webhooks.kapso.signature import is_genuine_delivery

EXAMPLES = ROOT / "docs" / "examples"


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("openssl")), reason="needs curl and openssl")
@pytest.mark.parametrize(("name", "count"), [("kapso-received-text", 1), ("kapso-received-batch", 2)])
def test_the_documented_command_sends_a_delivery_that_is_genuine_and_new(simulator, receiver, name, count):
    command = [str(EXAMPLES / "send-to-demo.sh"), str(EXAMPLES / f"{name}.json"), receiver.url]

    subprocess.run(command, check=True, timeout=20)

    (delivery,) = receiver.deliveries
    assert delivery.path == "/webhooks/kapso/demo-kapso"
    assert is_genuine_delivery(delivery.headers, delivery.body, [SECRET])
    items: list[Any] = list(parse(delivery.body, event=delivery.headers["x-webhook-event"]).items)
    assert len({item.item_key for item in items}) == count
    assert all(abs(item.at.timestamp() - time.time()) < 60 for item in items)
