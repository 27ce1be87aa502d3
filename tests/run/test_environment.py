"""What a copy decides for itself, and what it writes down for a shell beside it."""

import asyncio
import os
import stat
from types import ModuleType

import pytest

from config import env
from config.run import database, keys
from config.run.environment import DEMO_DEFAULTS, read_place, settle


@pytest.fixture
def demo(monkeypatch, tmp_path):
    """The environment of a fresh demo, restored afterwards."""
    for name in [*DEMO_DEFAULTS, "SECRET_KEY", "FIELD_ENCRYPTION_KEYS", "PUBLIC_URL", "ALLOWED_HOSTS", "KAPSO_API_URL"]:
        monkeypatch.delenv(name, raising=False)
    for name, value in {"DEMO": "1", "PORT": "8000", "VAR_DIR": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


def test_a_demo_knows_its_secrets_and_sends_to_the_simulator(demo):
    settle(read_place())
    assert os.environ["CRM_API_KEY"] == "demo-crm-key"
    assert os.environ["PUBLIC_URL"] == "http://127.0.0.1:8000"
    assert os.environ["KAPSO_API_URL"] == f"http://127.0.0.1:{os.environ['SIMULATOR_PORT']}"
    assert "127.0.0.1" in os.environ["ALLOWED_PRIVATE_HOSTS"].split(",")
    assert os.environ["SIMULATOR_PORT"] not in ("8000", "8001"), "the next copy would be there"


def test_what_was_given_wins_over_the_demo(demo, monkeypatch):
    monkeypatch.setenv("KAPSO_API_URL", "https://api.kapso.ai")
    monkeypatch.setenv("CRM_API_KEY", "mine")
    settle(read_place())
    assert os.environ["KAPSO_API_URL"] == "https://api.kapso.ai"
    assert os.environ["CRM_API_KEY"] == "mine"


def test_generated_keys_stay_the_same_and_are_private(tmp_path):
    first = keys.generated_keys(tmp_path)
    assert keys.generated_keys(tmp_path) == first
    assert stat.S_IMODE((tmp_path / "keys.env").stat().st_mode) == 0o600
    assert len(first["SECRET_KEY"]) > 50


def test_a_written_environment_reads_back_whatever_the_values_hold(tmp_path):
    values = {"PLAIN": "x", "QUOTED": 'it\'s "here" $HOME #1', "LINES": "one\ntwo", "SPACED": " a  b "}
    keys.write_private(tmp_path / "run.env", values)
    assert env.shell_file(tmp_path / "run.env") == values


def test_static_files_that_are_gone_are_collected_again(settings, tmp_path):
    static = tmp_path / "static"
    copy = ModuleType("settings_of_a_copy")
    vars(copy).update(VAR_DIR=tmp_path, STATIC_ROOT=static, DATABASES=settings.DATABASES)
    static.mkdir()
    database.stamp(copy, asyncio.run(database.look(copy)))
    assert asyncio.run(database.look(copy)).prepared
    static.rmdir()
    assert not asyncio.run(database.look(copy)).prepared


def test_a_shell_beside_a_running_copy_joins_it(start, given_servers, monkeypatch):
    copy = start(**given_servers).wait_until_up()
    written = copy.var_dir / "run.env"
    assert stat.S_IMODE(written.stat().st_mode) == 0o600
    for name in ("DATABASE_URL", "SECRET_KEY", "DEMO"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("VAR_DIR", str(copy.var_dir))
    before = dict(os.environ)
    env.load_run_environment()
    try:
        assert os.environ["DATABASE_URL"] == given_servers["DATABASE_URL"]
        assert os.environ["SECRET_KEY"] == keys.generated_keys(copy.var_dir)["SECRET_KEY"]
        assert os.environ["DEMO"] == "1"
    finally:
        os.environ.clear()
        os.environ.update(before)
    assert copy.end() == 0
    assert not written.exists()
