"""A child that dies is started again, and nobody outside notices more than a pause."""

import os
import re
import signal
import urllib.request

from tests.waiting import wait_for


def _process_that_answers(port: int) -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as answer:
        return int(answer.headers["X-Process"])


def test_every_process_writes_behind_its_name(start, given_servers):
    copy = start(**given_servers).wait_until_up()
    wait_for(lambda: "worker | worker says hello" in copy.printed)
    wait_for(lambda: "beat   | beat says hello" in copy.printed)
    assert "ben@demo.example" in copy.printed


def test_a_killed_child_is_started_again(start, given_servers):
    copy = start(**given_servers).wait_until_up()
    first = wait_for(lambda: copy.pids("worker"))[0]
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: len(copy.pids("worker")) == 2)
    assert "worker was ended by SIGKILL; starting it again" in copy.printed
    assert len(copy.pids("beat")) == 1


def test_a_request_during_a_restart_of_the_web_process_waits_and_is_answered(start, given_servers):
    copy = start("tests.run.dummies", "servers", **given_servers).wait_until_up()
    first = _process_that_answers(copy.port)
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: not any(process.startswith(f"{first} ") for process in copy.alive()))
    assert _process_that_answers(copy.port) != first


def test_a_crash_loop_is_slowed_down(start, given_servers):
    copy = start("tests.run.dummies", "crashing", **given_servers)
    wait_for(lambda: "again in 0.8 s" in copy.printed)
    pauses = re.findall(r"worker ended with code 3; starting it again in ([\d.]+) s", copy.printed)
    assert pauses == ["0.1", "0.2", "0.4", "0.8"]
