"""The copy's own Postgres and Valkey: killed, left over, too far away, broken."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from config.run.claims import socket_folder
from config.run.embedded import POSTGRES_BIN, Postgres
from config.run.errors import EmbeddedError
from tests.waiting import wait_for


@pytest.fixture
def server(folder) -> Postgres:
    """A Postgres of its own, made and not started."""
    made = Postgres(folder / "var" / "postgres", folder / "sockets")
    made.initialise()
    return made


@contextmanager
def running(server: Postgres) -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen(server.command(), stderr=subprocess.PIPE)
    try:
        server.wait(process)
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)


def _ask(copy, sql: str):
    sockets = socket_folder(copy.var_dir)
    with psycopg.connect(host=str(sockets), user="postgres", dbname="postgres", autocommit=True) as connection:
        cursor = connection.execute(sql)
        return cursor.fetchall() if cursor.description else None


def _answers_again(copy, sql: str):
    try:
        return _ask(copy, sql)
    except psycopg.OperationalError:
        return None


def test_killed_servers_come_back_with_what_they_had(start):
    copy = start("tests.run.dummies", "servers").wait_until_up()
    valkey = next(process for process in copy.alive() if "valkey-server" in process)
    _ask(copy, "create table kept as select 42 as number")
    os.kill(copy.postmaster(), signal.SIGKILL)
    os.kill(int(valkey.split()[0]), signal.SIGKILL)
    wait_for(lambda: "postgres was ended by SIGKILL; starting it again" in copy.printed)
    assert wait_for(lambda: _answers_again(copy, "select number from kept")) == [(42,)]
    wait_for(lambda: any("valkey-server" in process and process != valkey for process in copy.alive()))


def _rename_holder(lock: Path, lines: list[str], holder: int) -> None:
    lock.write_text("\n".join([str(holder), *lines[1:], ""]))


def test_a_lock_file_whose_number_now_belongs_to_a_stranger_is_passed_over(server):
    lock = server.data / "postmaster.pid"
    with running(server):
        lines = lock.read_text().splitlines()
    with subprocess.Popen(["sleep", "60"]) as stranger:
        _rename_holder(lock, lines, stranger.pid)
        with pytest.raises(EmbeddedError), running(server):
            pass
        server.disown_stale_lock()
        with running(server):
            assert server.ready()
        stranger.kill()


def test_a_postgres_that_still_runs_on_the_folder_is_not_run_over(server):
    """Not even when its lock file was tampered with: two servers on one folder destroy it."""
    lock = server.data / "postmaster.pid"
    with running(server):
        lines = lock.read_text().splitlines()
        server.disown_stale_lock()
        assert lock.read_text().splitlines() == lines
        _rename_holder(lock, lines, os.getpid())
        second = subprocess.run(server.command(), capture_output=True, text=True, check=False, timeout=20)
        assert second.returncode
        complaint = second.stderr.splitlines()
        assert server.refusal(complaint, waited=1) is None, "it may be about to end"
        assert "pre-existing shared memory block" in str(server.refusal(complaint, waited=60))
        _rename_holder(lock, lines, int(lines[0]))


def test_a_path_that_no_socket_takes_uses_a_private_folder_elsewhere(start, folder):
    var_dir = folder / ("a long name " * 8) / "var, with a comma"
    copy = start("tests.run.dummies", "servers", var_dir=var_dir.resolve()).wait_until_up()
    sockets = socket_folder(copy.var_dir)
    assert sockets.parent != copy.var_dir
    assert sockets.stat().st_mode & 0o777 == 0o700
    assert _ask(copy, "select 1") == [(1,)]
    assert copy.end() == 0
    assert not sockets.exists()


def test_a_first_start_that_was_cut_off_is_begun_again(folder):
    half = folder / "postgres.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("1")
    Postgres(folder / "postgres", folder / "sockets").initialise()
    assert not half.exists()
    assert (folder / "postgres" / "PG_VERSION").read_text() == "18\n"


def _is_no_folder(data: Path) -> None:
    data.write_text("what is this")


def _was_made_by_another_version(data: Path) -> None:
    data.mkdir()
    (data / "PG_VERSION").write_text("12\n")


def _has_a_version_that_is_none(data: Path) -> None:
    data.mkdir()
    (data / "PG_VERSION").write_bytes(b"\xff\xfe\x00")


def _has_lost_its_version(data: Path) -> None:
    (data / "base").mkdir(parents=True)


def _has_lost_all_but_its_version(data: Path) -> None:
    data.mkdir(mode=0o700)
    (data / "PG_VERSION").write_text("18\n")


def _has_lost_its_control_file(data: Path) -> None:
    Postgres(data, data.parent / "sockets").initialise()
    (data / "global" / "pg_control").unlink()


@pytest.mark.parametrize(
    "breaking",
    [
        _is_no_folder,
        _was_made_by_another_version,
        _has_a_version_that_is_none,
        _has_lost_its_version,
        _has_lost_all_but_its_version,
        _has_lost_its_control_file,
    ],
)
def test_a_broken_data_folder_is_one_sentence_and_left_alone(start, folder, breaking):
    data = folder / "var" / "postgres"
    data.parent.mkdir()
    breaking(data)
    copy = start("tests.run.dummies", "servers")
    complaint = copy.complaint()
    assert copy.process.returncode == 1
    assert str(data) in complaint
    assert complaint.count("\n") == 1
    assert complaint.endswith(".\n")
    assert copy.alive() == []
    assert data.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_data_folder_of_another_user_is_named(folder):
    os.chown(folder, 12345, 12345)
    with pytest.raises(EmbeddedError, match="belongs to uid 12345: start as that user, or choose another VAR_DIR"):
        Postgres(folder, folder / "sockets").initialise()


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"), reason="becoming someone else takes root")
def test_it_runs_as_a_normal_user(start, folder):
    """The capability is for the test alone: the interpreter may lie in root's home."""
    (folder / "theirs").mkdir()
    for path in (folder, folder / "theirs"):
        os.chown(path, 65534, 65534)
    reading = ("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search")
    nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *reading)
    copy = start("tests.run.dummies", "usual", var_dir=folder / "theirs" / "var", before=nobody).wait_until_up()
    assert (copy.var_dir / "postgres").stat().st_uid == 65534
    copy.signal(signal.SIGKILL)
    wait_for(lambda: not copy.alive(), seconds=20)


def test_the_binaries_are_those_of_the_pinned_wheel():
    assert Postgres.major() == "18"
    assert (POSTGRES_BIN / "psql").exists()
