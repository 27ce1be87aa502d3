import os
import signal
import subprocess
import sys

import pytest

from tests.simulator.harness import ROOT, Receiver, SimulatorProcess, running
from tests.waiting import wait_for
from webhooks.kapso.payload import parse


@pytest.fixture
def own_receiver():
    receiver = Receiver()
    yield receiver
    receiver.close()


def test_what_was_accepted_is_still_known_after_being_killed(tmp_path, own_receiver):
    with running(tmp_path, own_receiver.url) as simulator:
        ids = [simulator.send(body=f"Message {n}").json()["messages"][0]["id"] for n in range(20)]
        simulator.kill()
        simulator.start()

        assert [row["id"] for row in simulator.accepted()] == ids
        assert [row["text"]["body"] for row in simulator.list(limit=1)["data"]] == ["Message 19"]


def test_statuses_go_on_where_the_kill_cut_them_off(tmp_path, own_receiver):
    with running(tmp_path, own_receiver.url, SIMULATOR_STATUS_DELAYS="0,1.5,2") as simulator:
        simulator.send()
        own_receiver.wait_for(1)
        simulator.kill()
        simulator.start()

        # What was told just before the kill may be told again: at least once, as the provider does.
        wait_for(lambda: told(own_receiver) == {"sent", "delivered", "read"})


def told(receiver) -> set[str]:
    return {delivery.headers["x-webhook-event"].rpartition(".")[2] for delivery in receiver.deliveries}


def test_a_webhook_that_did_not_arrive_before_the_kill_is_delivered_after_it(tmp_path, own_receiver):
    own_receiver.answer = lambda _delivery: 503
    with running(tmp_path, own_receiver.url, SIMULATOR_RETRY_DELAYS="60") as simulator:
        simulator.control("customer", {"text": "Hi"})
        own_receiver.wait_for(1)
        simulator.kill()
        own_receiver.answer = lambda _delivery: 200
        simulator.start()
        own_receiver.wait_for(2)

        assert len({delivery.headers["x-idempotency-key"] for delivery in own_receiver.deliveries}) == 1
        wait_for(lambda: simulator.control("deliveries")["owed"] == 0)


def test_half_a_line_is_dropped_and_the_rest_kept(tmp_path, own_receiver):
    with running(tmp_path, own_receiver.url) as simulator:
        simulator.send(body="whole")
        simulator.kill()
        with (tmp_path / "simulator.jsonl").open("ab") as file:
            file.write(b'{"record": "message", "id": "wam')
        simulator.start()
        simulator.send(body="after")
        simulator.kill()
        simulator.start()

        assert [row["body"] for row in simulator.accepted()] == ["whole", "after"]


def test_it_ends_when_told_even_while_somebody_waits(tmp_path, own_receiver):
    with running(tmp_path, own_receiver.url) as simulator:
        own_receiver.answer = lambda _delivery: 503
        simulator.control("customer", {"text": "Hi"})

        assert simulator.end(signal.SIGTERM) in {0, -signal.SIGTERM}


def test_customers_begin_to_write_and_answer_when_switched_on(tmp_path, own_receiver):
    pauses = {"SIMULATOR_CUSTOMER_PAUSES": "0.01,0.02", "SIMULATOR_ANSWER_PAUSES": "0,0.01"}
    with running(tmp_path, own_receiver.url, SIMULATOR_CUSTOMERS="on", **pauses) as simulator:
        own_receiver.wait_for(3)
        first = wait_for(lambda: next((one for one in own_receiver.deliveries if "kapso" in one.path), None))
        assert parse(first.body, event=first.headers["x-webhook-event"]).items
        simulator.behave(customers="off")
        settled = len(simulator.list(direction="inbound", limit=100)["data"])
        simulator.send()
        wait_for(lambda: simulator.accepted()[0]["states"] == ["sent", "delivered", "read"])

        assert len(simulator.list(direction="inbound", limit=100)["data"]) == settled


def test_a_customer_answers_what_we_wrote(tmp_path, own_receiver):
    with running(tmp_path, own_receiver.url, SIMULATOR_ANSWER_PAUSES="0,0") as simulator:
        simulator.behave(customers="on")
        for n in range(40):
            simulator.send("+6281255500101", body=f"Message {n}")
        own_receiver.wait_for(120)

        wait_for(lambda: simulator.list(direction="inbound")["data"])


def test_outside_demo_and_tests_it_refuses_to_run():
    environment = {**os.environ, "SWITCHBOARD_TESTING": "0", "DEMO": ""}
    for command in (["-m", "webhooks.simulator"], ["-c", "import webhooks.simulator.kapso"]):
        done = subprocess.run([sys.executable, *command], cwd=ROOT, env=environment, capture_output=True, text=True)

        assert done.returncode != 0
        assert "only in demo and in tests" in done.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SIMULATOR_PORT", "none"),
        ("SIMULATOR_STATUS_DELAYS", "1,2"),
        ("SIMULATOR_RETRY_DELAYS", "-1"),
        ("PUBLIC_URL", "x"),
    ],
)
def test_a_value_it_cannot_read_is_named(tmp_path, name, value):
    environment = {**os.environ, "VAR_DIR": str(tmp_path), name: value}
    command = [sys.executable, "-m", "webhooks.simulator"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)

    assert done.returncode == 1
    assert name in done.stderr
    assert "Traceback" not in done.stderr


def test_a_taken_port_and_a_useless_folder_are_told_in_a_sentence(tmp_path, own_receiver):
    with running(tmp_path, own_receiver.url) as simulator:
        taken = {"SIMULATOR_PORT": str(simulator.port), "VAR_DIR": str(tmp_path)}
        useless = {"SIMULATOR_PORT": str(SimulatorProcess(tmp_path, "").port), "VAR_DIR": "/dev/null"}
        for environment, word in ((taken, "SIMULATOR_PORT"), (useless, "/dev/null")):
            command = [sys.executable, "-m", "webhooks.simulator"]
            done = subprocess.run(
                command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, timeout=20
            )

            assert done.returncode == 1
            assert word in done.stderr
            assert "Traceback" not in done.stderr


def test_a_ledger_of_an_earlier_release_still_loads(tmp_path, own_receiver):
    lines = (
        '{"record":"number","phone_number_id":"100000000000001","phone":"+15550100001","channel":"demo-kapso",'
        '"secret":"demo-kapso-secret","api_key":"demo-kapso-key"}',
        '{"record":"message","id":"wamid.old","phone_number_id":"100000000000001","direction":"outbound",'
        '"peer":{"wa_id":"15551234567","bsuid":"","username":"","name":""},"content":{"type":"text","text":'
        '{"body":"of old"}},"at":1763668790.5,"origin":"cloud_api","to":"+15551234567","callback_data":"","plan":"on",'
        '"code":0}',
        '{"record":"state","id":"wamid.old","status":"sent","at":1763668791.0}',
        '{"record":"hook","key":"k1","phone_number_id":"100000000000001","event":"whatsapp.message.sent","body":"{}",'
        '"peer":"15551234567","batch":0,"form":"kapso","singles":[]}',
        '{"record":"what only a later release knows"}',
    )
    (tmp_path / "simulator.jsonl").write_text("\n".join(lines) + "\n")
    with running(tmp_path, own_receiver.url) as simulator:
        assert [row["body"] for row in simulator.accepted()] == ["of old"]
        assert own_receiver.wait_for(1)[0].headers["x-idempotency-key"] == "k1"
