"""However a copy ends, nothing of it is left, and what should finish first does."""

import signal

import pytest

from tests.waiting import wait_for


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_polite_signal_ends_doors_before_work_and_leaves_nothing(start, given_servers, number):
    copy = start(**given_servers).wait_until_up()
    wait_for(lambda: copy.pids("worker") and copy.pids("beat"))
    copy.signal(number)
    assert copy.process.wait(20) == 0
    assert [who for who, what, _ in copy.told() if what == "asked"] == ["beat", "worker"]
    assert copy.alive() == []


def test_ctrl_c_twice_does_not_wait_for_the_stubborn_and_leaves_nothing(start, given_servers):
    copy = start("tests.run.dummies", "stubborn", **given_servers).wait_until_up()
    wait_for(lambda: copy.pids("worker"))
    copy.signal(signal.SIGINT)
    wait_for(lambda: ["worker", "asked"] in [line[:2] for line in copy.told()])
    wait_for(lambda: copy.signal(signal.SIGINT) or copy.process.poll() is not None, seconds=10)  # grace is 15 s
    assert copy.alive() == []


def test_nothing_outlives_a_kill_outright_and_the_next_start_and_end_are_clean(start):
    copy = start("tests.run.dummies", "stubborn").wait_until_up()
    wait_for(lambda: copy.pids("worker"))
    assert any("valkey-server" in process for process in copy.alive())
    assert any("bin/postgres" in process for process in copy.alive())
    copy.signal(signal.SIGKILL)
    wait_for(lambda: not copy.alive(), seconds=20)  # by itself, not when something times out
    again = start("tests.run.dummies", "servers").wait_until_up()
    assert again.end() == 0
    assert again.alive() == []
    assert not (again.var_dir / "postgres" / "postmaster.pid").exists()


def test_ended_while_starting_it_leaves_nothing_half_made(start):
    copy = start()
    wait_for(lambda: (copy.var_dir / "postgres").exists())
    assert copy.end() in (0, -signal.SIGTERM)
    assert copy.alive() == []
    assert start("tests.run.dummies", "servers").wait_until_up().end() == 0
