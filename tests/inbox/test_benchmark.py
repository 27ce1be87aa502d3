"""manage.py benchmark: what it prints, what it decides, and that it leaves nothing behind."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from crm.models import ApiKey
from inbox.benchmark.figures import Comparison, Figures, figures
from inbox.benchmark.ways import Timing
from inbox.management.commands import benchmark
from tests.cast import receive, sender


def run(*words: str) -> str:
    out = StringIO()
    call_command("benchmark", *words, stdout=out)
    return out.getvalue()


@pytest.fixture
def workspace(cast):
    for number in range(3):
        receive(cast, who=sender(f"628123456780{number}"))
    return cast.workspace


def test_it_measures_both_ways_on_the_same_people(workspace):
    told = json.loads(run("--workspace", workspace.slug, "--runs", "10", "--direct-only", "--json"))
    assert told["sizes"] == {"contacts": 3, "conversations": 3, "messages": 3}
    assert [(of["what"], of["how"]) for of in told["comparisons"]] == [("by-phone", "direct"), ("context", "direct")]
    for of in told["comparisons"]:
        assert (of["ours"]["queries"], of["old_way"]["queries"]) == (1, 4)
        assert of["ours"]["runs"] == of["old_way"]["runs"] == 10
        assert 0 < of["ours"]["p50"] <= of["ours"]["p95"] <= of["ours"]["p99"]
        assert of["verdict"] in {"move", "undecided", "stay and optimise"}


def test_it_prints_plain_tables(workspace):
    said = run("--workspace", workspace.slug, "--runs", "3", "--direct-only")
    for word in ("p50", "p95", "p99", "queries", "ratio", "by-phone, direct", "context, direct", "verdict", "< 500 ms"):
        assert word in said
    assert "\x1b" not in said


@pytest.mark.parametrize(
    ("ours", "old", "queries", "verdict"),
    [
        (5.0, 20.0, 1, "move"),
        (10.0, 20.0, 1, "move"),
        (11.0, 20.0, 1, "undecided"),
        (17.0, 20.0, 1, "stay and optimise"),
        (30.0, 20.0, 1, "stay and optimise"),
        (5.0, 20.0, 2, "undecided"),
        (600.0, 4000.0, 1, "undecided"),
        (5.0, 20.0, None, "move"),
    ],
)
def test_the_old_decision_table_decides(ours, old, queries, verdict):
    def of(p95: float, count: int | None) -> Figures:
        return Figures(p50=p95, p95=p95, p99=p95, queries=count, runs=50)

    assert Comparison("context", "direct", of(ours, queries), of(old, 4)).verdict == verdict


def test_percentiles_are_of_what_was_measured():
    found = figures([Timing(number / 1000, 1) for number in range(1, 101)])
    assert (found.p50, found.p95, found.p99) == (50.0, 95.0, 99.0)


def test_what_cannot_be_measured_is_said(cast):
    for words in (["--workspace", "nowhere"], ["--workspace", cast.workspace.slug], ["--runs", "0"]):
        with pytest.raises(CommandError):
            run(*words, "--direct-only")


def test_its_key_is_gone_afterwards_whatever_happens(workspace):
    def fails() -> None:
        with benchmark._key(workspace):
            assert ApiKey.objects.filter(workspace=workspace).count() == 1
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    assert not ApiKey.objects.filter(workspace=workspace).exists()


def test_over_http_it_asks_a_server_of_its_own_when_none_is_there(workspace, settings):
    settings.PUBLIC_URL = "http://127.0.0.1:9"  # nobody listens there
    told = json.loads(run("--workspace", workspace.slug, "--runs", "3", "--json"))
    assert [(of["what"], of["how"]) for of in told["comparisons"]][2:] == [
        ("by-phone", "over HTTP"),
        ("context", "over HTTP"),
    ]
