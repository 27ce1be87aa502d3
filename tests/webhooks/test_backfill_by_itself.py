"""When a channel is looked after without anybody asking, and how somebody asks."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from inbox.models import Channel
from inbox.states import ChannelKind
from jobs.models import Job, JobMeta
from tests.api import Api
from tests.cast import make_channel
from webhooks.backfill import crons, gaps, services, start


@pytest.fixture(autouse=True)
def _own_issuer(settings):
    settings.SUPABASE_URL = ""
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "whitenoise" not in name]


@pytest.fixture
def alone(cast):
    """The tests share a table, and the clock looks at every channel."""
    Channel.objects.exclude(pk=cast.channel.pk).update(is_active=False)
    yield cast
    Channel.objects.filter(pk=cast.channel.pk).update(is_active=False)


def past(**ago: float) -> datetime:
    """Before this very moment: tests may run long after they were collected."""
    return datetime.now(UTC) - timedelta(**ago)


def asked(channel) -> list[Job]:
    return list(Job.objects.filter(type=services.TASK, lane=f"backfill:{channel.pk}").order_by("id"))


def since(job) -> datetime:
    return datetime.fromisoformat(job.payload["since"])


def tick(before: dict[str, Any] | None) -> dict[str, Any]:
    """One minute of the clock, `before` being what it noted the last time."""
    JobMeta.objects.filter(name=crons.NAME).delete()
    if before is not None:
        JobMeta.objects.create(
            name=crons.NAME, stats={name: str(v) if name == "at" else v for name, v in before.items()}
        )
    return dict(crons.notice_gaps())


def as_if_complete(channel, **ago) -> datetime:
    until = past(**ago)
    gaps.mark_complete(channel.pk, until - timedelta(days=1), until)
    return until


def test_a_quiet_minute_asks_for_nothing(alone):
    as_if_complete(alone.channel, minutes=10)

    told = tick({"at": past(minutes=1), "active": [str(alone.channel.pk)]})

    assert (told["away"], told["asked"]) == (False, 0)
    assert asked(alone.channel) == []


def test_after_a_time_without_the_clock_everything_is_looked_at_from_where_it_was_complete(alone):
    until = as_if_complete(alone.channel, minutes=20)

    assert tick({"at": past(minutes=15), "active": [str(alone.channel.pk)]})["away"] is True

    (job,) = asked(alone.channel)
    assert since(job) == until - gaps.OVERLAP
    assert job.payload["news_since"] == job.payload["since"]
    assert job.workspace_id == alone.workspace.pk


def test_once_an_hour_it_is_looked_at_anyway(alone):
    as_if_complete(alone.channel, minutes=61)

    assert tick({"at": past(minutes=1), "active": [str(alone.channel.pk)]})["asked"] == 1


def test_a_channel_that_was_paused_is_looked_at_when_it_is_active_again(alone):
    as_if_complete(alone.channel, minutes=10)

    assert tick({"at": past(minutes=1), "active": []})["asked"] == 1


def test_a_new_channel_is_looked_at_from_when_it_was_connected(alone):
    assert tick(None)["asked"] == 1

    (job,) = asked(alone.channel)
    assert since(job) == alone.channel.created_at


def test_a_web_process_that_starts_looks_and_many_at_once_look_once(alone, at_once):
    as_if_complete(alone.channel, minutes=10)

    at_once(start.look_after_start, 4)

    (job,) = asked(alone.channel)
    assert job.next_attempt > datetime.now(UTC)


def test_while_one_is_on_its_way_no_other_is_added(alone):
    services.look_after([alone.channel])
    Job.objects.filter(lane=f"backfill:{alone.channel.pk}").update(key=f"other:{alone.channel.pk}")

    assert services.look_after([alone.channel]) == 0


def failed(channel, number: int, **ago) -> None:
    Job.objects.create(
        type=services.TASK,
        key=f"failed:{channel.pk}:{number}",
        lane=f"backfill:{channel.pk}",
        status="failed",
        completed_at=past(**ago),
    )


@pytest.mark.parametrize(("hours", "expected"), [((2,), 1), ((0.5,), 0), ((9, 6, 3), 0), ((30, 28, 26), 1)])
def test_where_it_failed_lately_it_waits_and_where_it_failed_often_a_person_must_look(alone, hours, expected):
    for number, hour in enumerate(hours):
        failed(alone.channel, number, hours=hour)

    assert services.look_after([alone.channel]) == expected


def test_a_mark_never_goes_back_and_never_jumps_over_what_was_not_read(cast):
    until, now = as_if_complete(cast.channel, hours=2), past()

    gaps.mark_complete(cast.channel.pk, now - timedelta(hours=1), now)
    assert gaps.complete_until(cast.channel.pk) == until
    gaps.mark_complete(cast.channel.pk, now - timedelta(hours=9), now - timedelta(hours=3))
    assert gaps.complete_until(cast.channel.pk) == until
    gaps.mark_complete(cast.channel.pk, now - timedelta(hours=3), now)
    assert gaps.complete_until(cast.channel.pk) == now


# --- Somebody asks ------------------------------------------------------------------------------------------


def post(user, cast, body, channel=None):
    return Api(user).of(cast.workspace.slug).post(f"channels/{(channel or cast.channel).slug}/backfill", body)


def test_an_admin_asks_for_a_back_fill(cast):
    asked_for = past(days=3)
    response = post(cast.ada, cast, {"since": asked_for.isoformat()})

    assert response.status_code == 202
    (job,) = asked(cast.channel)
    assert response.json()["job"] == job.key
    assert since(job) == asked_for
    # What is older than a day is history to whoever asks today.
    assert datetime.fromisoformat(job.payload["news_since"]) > past(hours=25)


def test_without_a_time_it_goes_on_from_where_it_was_complete(cast):
    until = as_if_complete(cast.channel, hours=5)

    assert post(cast.ada, cast, {}).status_code == 202
    assert since(asked(cast.channel)[0]) == until - gaps.OVERLAP


@pytest.mark.parametrize(("name", "status"), [("ben", 403), ("vic", 403), ("tia", 403), ("sam", 404), ("cleo", 404)])
def test_nobody_else_may(cast, name, status):
    assert post(getattr(cast, name), cast, {}).status_code == status
    assert asked(cast.channel) == []


@pytest.mark.parametrize(
    "value", ["soon", "2001-01-01T00:00:00Z", "2999-01-01T00:00:00Z", 5], ids=["word", "old", "ahead", "number"]
)
def test_a_time_that_makes_no_sense_is_refused(cast, value):
    response = post(cast.ada, cast, {"since": value})

    assert response.status_code == 400
    assert "since" in response.json()["errors"]


def test_a_channel_of_another_workspace_and_a_widget_have_nothing_to_fetch(cast):
    elsewhere, widget = make_channel(cast.elsewhere), make_channel(cast.workspace, ChannelKind.WIDGET)

    assert post(cast.ada, cast, {}, elsewhere).status_code == 404
    assert post(cast.ada, cast, {}, widget).status_code == 400


def test_the_command_asks_too(cast, capsys):
    call_command("backfill", cast.channel.slug, "--since", past(hours=2).isoformat())

    assert asked(cast.channel)[0].key in capsys.readouterr().out
    for words in (("none",), (cast.channel.slug, "--since", "soon"), (cast.channel.slug, "--since", "2001-01-01")):
        with pytest.raises(CommandError):
            call_command("backfill", *words)
