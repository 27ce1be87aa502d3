"""/metrics: what is counted, and who may read it."""

from typing import Any

import pytest
from django.test import Client

from config import metrics
from jobs.models import Job
from jobs.states import Status
from tests.cast import unique


def scrape(**more: Any) -> Any:
    return Client(**more).get("/metrics")


def test_this_machine_reads_calls_latencies_and_errors_by_road():
    metrics.observe("webhooks.kapso", "POST", 200, 0.003)
    metrics.observe("webhooks.kapso", "POST", 401, 0.001)
    Client().get("/healthz")
    answer = scrape()
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain")
    text = answer.content.decode()
    assert 'switchboard_requests_total{method="POST",road="webhooks.kapso",status="401"}' in text
    assert 'switchboard_request_seconds_bucket{le="0.005",road="webhooks.kapso"}' in text
    assert 'road="healthz",status="200"' in text


def test_failed_and_waiting_jobs_are_told():
    kind = unique("tests.metrics")
    Job.objects.create(key=unique("job"), type=kind, status=Status.FAILED, completed_at="2026-01-01T00:00Z")
    text = scrape().content.decode()
    assert f'switchboard_jobs_failed{{type="{kind}"}} 1.0' in text
    assert 'switchboard_jobs{state="pending"}' in text
    assert "switchboard_job_oldest_due_seconds" in text


@pytest.mark.parametrize(
    "more",
    [
        {"REMOTE_ADDR": "203.0.113.9"},
        {"headers": {"x-forwarded-for": "203.0.113.9"}},
        {"headers": {"x-forwarded-for": "127.0.0.1"}},
        {"REMOTE_ADDR": "nonsense"},
    ],
    ids=["elsewhere", "proxied", "proxied as loopback", "unknown"],
)
def test_from_elsewhere_there_is_no_such_place(more: dict[str, Any]):
    assert scrape(**more).status_code == 404


def test_a_network_may_be_allowed(settings: Any):
    settings.METRICS_NETWORKS = ["203.0.113.0/24"]
    assert scrape(REMOTE_ADDR="203.0.113.9").status_code == 200
    assert scrape(REMOTE_ADDR="198.51.100.9").status_code == 404


def test_a_token_is_the_only_way_once_there_is_one(settings: Any):
    settings.METRICS_TOKEN = "monitor"
    assert scrape().status_code == 404
    assert scrape(headers={"authorization": "Bearer wrong"}).status_code == 404
    assert scrape(REMOTE_ADDR="203.0.113.9", headers={"authorization": "Bearer monitor"}).status_code == 200


def test_roads_are_named_without_anything_of_their_callers():
    assert metrics.hot_name("/webhooks/kapso/demo-kapso") == "webhooks.kapso"
    assert metrics.hot_name("/api/v1/workspaces/demo/contacts/by-phone") == "by_phone"
    assert metrics.hot_name("/api/v1/sessions/01900000-0000-7000-8000-000000000000/heartbeat") == "heartbeat"


def test_alive_and_ready():
    assert Client().get("/healthz").json() == {"status": "ok"}
    ready = Client().get("/readyz")
    assert ready.json() == {"status": "ok", "database": "ok", "migrations": "ok", "redis": "ok"}


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_what_only_reads_says_so(path: str):
    answer = Client(enforce_csrf_checks=True).post(path)
    assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD")


def test_not_ready_without_redis(settings: Any):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    answer = Client().get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["redis"] == "missing"
