"""What exams need by the clock: as often as promised, in one process at a time, and to be seen with its last run."""

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction
from django.test import Client

from config.live import presence
from config.live.presence import Here, Who
from crm.models.people import PLATFORM_ADMIN
from crm.services import roles
from jobs import crons
from jobs.models import JobMeta
from proctoring import topics
from proctoring.models import ServiceMark
from tests.api import Api, token_for
from tests.cast import make_user
from tests.live.web import ROOT
from tests.proctoring.scene import item, make_scene, service_was_always_there, silent_for

EVERY = {
    "proctoring.clean_stale_sessions": timedelta(minutes=5),
    "proctoring.expire_presence": timedelta(minutes=1),
    "proctoring.remind": timedelta(minutes=1),
    "proctoring.retention": timedelta(hours=1),
    "proctoring.board_retention": timedelta(hours=1),
}


@pytest.fixture
def scene():
    service_was_always_there()
    return make_scene()


def last_ran(name: str, ago: timedelta) -> None:
    at = datetime.now(UTC) - ago
    JobMeta.objects.update_or_create(name=name, defaults={"last_run_at": at, "running_since": None, "stats": {}})


@pytest.mark.parametrize("name", EVERY)
def test_each_runs_as_often_as_promised_and_once_however_many_ask(scene, at_once, name):
    assert crons.registered()[name].every == EVERY[name]
    last_ran(name, timedelta(days=1))
    assert sorted(at_once(lambda: crons.run(name), 6)) == [False] * 5 + [True]
    row = JobMeta.objects.get(name=name)
    assert (row.last_status, row.running_since, row.last_error) == ("completed", None, "")
    assert row.last_duration is not None
    assert isinstance(row.stats, dict)
    assert crons.run(name) is False  # not due again yet


ASKED = """
import django
django.setup()
from jobs import crons
print(*(name for name in {names} if crons.run(name)))
"""


def test_of_two_processes_one_runs_each(scene):
    """As two schedulers would by mistake: each with its own memory, and the row alone between them."""
    names = sorted(EVERY)
    for name in names:
        last_ran(name, timedelta(days=1))
    before = dict(JobMeta.objects.filter(name__in=names).values_list("name", "run_token"))
    command = [sys.executable, "-c", ASKED.format(names=names)]
    settings = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"}
    asking = [subprocess.Popen(command, cwd=ROOT, env=settings, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    ran = [name for process in asking for name in process.communicate(timeout=60)[0].split()]
    assert [process.returncode for process in asking] == [0, 0]
    assert sorted(ran) == names
    for row in JobMeta.objects.filter(name__in=names):
        assert (row.run_token, row.last_status, row.running_since) == (before[row.name] + 1, "completed", None)


def test_the_sweep_ends_what_is_silent_and_tells_how_many(scene):
    session, name = scene.start()["id"], "proctoring.clean_stale_sessions"
    with transaction.atomic():  # not committed before it is swept: a server beside this one sweeps as well
        silent_for(session, 130)
        last_ran(name, timedelta(days=1))
        assert crons.run(name)
    assert scene.shown(session)["status"] == "expired"
    assert JobMeta.objects.get(name=name).stats["expired"] >= 1


def test_presence_that_nobody_swept_is_swept_by_the_clock(scene):
    topic, name = topics.presence(scene.exam.slug), "proctoring.expire_presence"
    tia = Who(id=str(scene.cast.tia.pk), kind="member", name="Tia", role="tutor")
    presence.touch(Here(topic=topic, who=tia, tab="tab"))
    assert len(presence.people_on(topic)) == 1
    # Not committed before it is swept: a server beside this one sweeps as well.
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("update live_presence set expires_at = now() - interval '2 s' where topic = %s", [topic])
        last_ran(name, timedelta(days=1))
        assert crons.run(name)
        cursor.execute("select count(*) from live_presence where topic = %s", [topic])
        assert cursor.fetchone() == (0,)
    assert JobMeta.objects.get(name=name).stats["presence"] >= 1


def test_last_run_statistics_and_what_is_overdue_are_seen_by_admins(scene):
    late, fine = "proctoring.expire_presence", "proctoring.remind"
    last_ran(late, timedelta(minutes=10))
    last_ran(fine, timedelta(hours=1))
    assert crons.run(fine)
    for mark in range(60):  # what a list of the crons must not be filled with
        JobMeta.objects.get_or_create(name=f"backfill:{mark}")
    rows = {
        row["name"]: row for row in Api(scene.cast.ada).of(scene.cast.workspace.slug).get("crons/").json()["results"]
    }
    assert (rows[late]["overdue"], rows[fine]["overdue"]) == (True, False)
    root = roles.grant_role(by=None, user_id=make_user("root").pk, role=PLATFORM_ADMIN)
    page = Client(headers={"authorization": f"Bearer {token_for(root)}"}).get("/admin/jobs/jobmeta/")
    shown = page.content.decode()
    assert page.status_code == 200
    assert [name for name in EVERY if name not in shown] == []
    assert "made 0" in shown  # what the last run did
    assert "backfill:" not in shown
    assert Api(scene.cast.tia).of(scene.cast.workspace.slug).get("crons/").status_code in {403, 404}


def test_nothing_is_ended_while_we_are_away_ourselves(scene):
    session, name = scene.start()["id"], "proctoring.clean_stale_sessions"
    silent_for(session, 300)
    ServiceMark.objects.filter(pk=1).update(alive_at=datetime.now(UTC) - timedelta(seconds=60))
    last_ran(name, timedelta(days=1))
    try:
        assert crons.run(name)
        assert JobMeta.objects.get(name=name).stats == {"away": True}
        assert scene.log(session, item("copy")).status_code == 200
    finally:
        service_was_always_there()
