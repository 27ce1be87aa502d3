"""What cannot be started is refused with one sentence that names what to change, and nothing is started or left."""

import socket

import psycopg
import pytest

from config.run.database import DEMO_WORKSPACE
from config.run.demo.people import DEMO
from tests.run.copies import RunningCopy, free_port

OUTSIDE_DEMO = {
    "DEMO": "0",
    "SECRET_KEY": "a-secret-key-that-is-long-enough",
    "FIELD_ENCRYPTION_KEYS": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
    "PUBLIC_URL": "https://desk.example.org",
    "SUPABASE_URL": "https://abcdefghijklmnopqrst.supabase.co",
}


def assert_refused(copy: RunningCopy, *words: str) -> None:
    complaint = copy.complaint()
    assert copy.process.returncode == 1, complaint
    assert complaint.count("\n") == 1, complaint
    assert complaint.endswith(".\n")
    for word in words:
        assert word in complaint
    assert copy.alive() == []


def test_a_taken_port(start):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        assert_refused(start(PORT=port), f"Port {port} on 127.0.0.1 is taken")


def test_a_second_copy_on_the_same_folder(start, given_servers):
    first = start(**given_servers).wait_until_up()
    complaint = start(**given_servers).complaint()
    assert f"is in use by a running copy (process {first.process.pid})" in complaint
    assert complaint.count("\n") == 1


def test_a_folder_that_cannot_be_one(start, folder):
    (folder / "file").write_text("")
    assert_refused(start(var_dir=folder / "file" / "var"), "VAR_DIR", "not a directory")


@pytest.mark.parametrize("name", ["media", "metrics", "static"])
def test_a_file_where_a_folder_should_be(start, folder, name):
    (folder / "var").mkdir()
    (folder / "var" / name).write_text("")
    assert_refused(start(), f"{name} should be a folder")


@pytest.mark.parametrize("name", ["keys.env", "prepared", "simulator.jsonl"])
def test_a_folder_where_a_file_should_be(start, folder, name):
    (folder / "var" / name).mkdir(parents=True)
    assert_refused(start(), f"{name} should be a file")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "eighty"),
        ("PUBLIC_URL", "desk.example.org"),
        ("BIND", "not an address"),
        ("ASGI_SERVER", "gunicorn"),
        ("DATABASE_URL", "mysql://somewhere/x"),
        ("FIELD_ENCRYPTION_KEYS", "short"),
        ("STRIPE_WORKSPACE", "two words"),
        ("PUBLIC_URL", "http://[::1"),
        ("KAPSO_API_URL", "https://"),
        ("REDIS_URL", "redis://127.0.0.1:eighty"),
        ("DATABASE_URL", "postgres://user:pass[word@127.0.0.1/x"),
        ("EMAIL_URL", "smtp://mail.example:eighty"),
        ("STORAGE_URL", "s3://[bucket"),
        ("ALLOWED_HOSTS", "https://desk.example.org"),
        ("BOOTSTRAP_ADMINS", "ada"),
        ("LOG_LEVEL", "chatty"),
        ("SIMULATOR_CUSTOMERS", "some"),
    ],
)
def test_a_malformed_value_is_named(start, given_servers, name, value):
    assert_refused(start(**given_servers | {name: value}), name)


@pytest.mark.parametrize(("name", "value"), [("BIND", "0.0.0.0"), ("PUBLIC_URL", "https://desk.example.org")])
def test_demo_where_others_could_reach_it(start, folder, name, value):
    assert_refused(start(**{name: value}), "DEMO", name)
    assert not (folder / "var").exists()


@pytest.mark.parametrize("name", ["SECRET_KEY", "FIELD_ENCRYPTION_KEYS", "PUBLIC_URL", "SUPABASE_URL"])
def test_outside_demo_nothing_is_made_up(start, name):
    given = {key: value for key, value in OUTSIDE_DEMO.items() if key != name}
    assert_refused(start(**given), f"{name} is not set")


def test_the_old_key_without_its_workspace(start):
    assert_refused(start(**OUTSIDE_DEMO, CRM_API_KEY="a-key"), "CRM_API_KEY_WORKSPACE")


def test_a_redis_that_is_not_there(start, given_servers):
    assert_refused(start(**given_servers | {"REDIS_URL": "unix:///nowhere.sock"}), "REDIS_URL")


def _database(given_servers: dict[str, str], name: str) -> dict[str, str]:
    """A database of its own beside the suite's, from the migrated template."""
    with psycopg.connect(given_servers["DATABASE_URL"], autocommit=True) as connection:
        connection.execute(f'create database "{name}" template switchboard_template')
    base, _, query = given_servers["DATABASE_URL"].partition("?")
    return given_servers | {"DATABASE_URL": f"{base.rpartition('/')[0]}/{name}?{query}"}


def test_a_database_that_does_not_exist(start, given_servers):
    base, _, query = given_servers["DATABASE_URL"].partition("?")
    given = given_servers | {"DATABASE_URL": f"{base.rpartition('/')[0]}/nowhere?{query}"}
    assert_refused(start(**given), "DATABASE_URL", 'database "nowhere" does not exist')


def test_more_processes_than_the_database_has_room_for(start, given_servers):
    assert_refused(start(PROCESSES="60", **given_servers), "PROCESSES=60", "max_connections")


def test_demo_data_outside_demo(start, given_servers):
    given = _database(given_servers, f"demo_{free_port()}")
    with psycopg.connect(given["DATABASE_URL"], autocommit=True) as connection:
        _insert_demo_workspace(connection)
    assert_refused(start(**given | OUTSIDE_DEMO), "DEMO is off", "purge_demo")


def _insert_demo_workspace(connection) -> None:
    """Whatever columns it has: those that must be set get the empty value of their type."""
    assert str(DEMO.id) == DEMO_WORKSPACE
    columns = connection.execute(
        "select column_name, data_type from information_schema.columns"
        " where table_name = 'crm_workspace' and is_nullable = 'NO' and column_default is null"
    ).fetchall()
    empty = {"jsonb": "'{}'", "boolean": "false", "timestamp with time zone": "now()", "integer": "0"}
    values = {name: empty.get(kind, "''") for name, kind in columns}
    values |= {"id": f"'{DEMO.id}'", "slug": "'demo'"}
    connection.execute(f"insert into crm_workspace ({', '.join(values)}) values ({', '.join(values.values())})")
