"""/metrics for Prometheus: how many calls came, how long they took and how they ended, over all processes of this
copy; and at the moment of asking, what waits. Labels are names of roads and kinds, never of people."""

import hmac
import os
import time
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import suppress
from functools import cache
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

_FOLDER = Path(settings.VAR_DIR) / "metrics"
_FOLDER.mkdir(parents=True, exist_ok=True)
# Read by the library while it is imported: each process counts into a file of its own, and any one can sum them up.
os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(_FOLDER)

from prometheus_client import (  # noqa: E402
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily  # noqa: E402
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead  # noqa: E402

KEPT_SECONDS = 24 * 3600  # counts of processes that are gone; a monitor sees their end as a restart
CAP = 10_000
LOOPBACK = ("127.0.0.0/8", "::1/128")
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

_requests = Counter("switchboard_requests", "Calls answered, by road, method and status.", ["road", "method", "status"])
_seconds = Histogram("switchboard_request_seconds", "Time to the answer, by road.", ["road"], buckets=BUCKETS)
_sockets = Gauge("switchboard_live_sockets", "Live sockets that are open.", multiprocess_mode="livesum")

METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})


def observe(road: str, method: str, status: int, seconds: float) -> None:
    _answered(road, method if method in METHODS else "other", status).inc()
    _took(road).observe(seconds)


@cache
def _answered(road: str, method: str, status: int) -> Counter:
    """The library finds a label's numbers anew each time, which a hot road would feel."""
    return _requests.labels(road, method, str(status))


@cache
def _took(road: str) -> Histogram:
    return _seconds.labels(road)


def hot_name(path: str) -> str:
    """Of a hot road, by its address."""
    if path.startswith("/webhooks/"):
        return f"webhooks.{path.split('/')[2]}"
    return path.rstrip("/").rpartition("/")[2].replace("-", "_")


class Requests:
    """Everything that Django answers, by the pattern of its address."""

    sync_capable = True
    async_capable = False

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        started = time.perf_counter()
        response = self._get_response(request)
        observe(_name(request), request.method or "", response.status_code, time.perf_counter() - started)
        return response


def _name(request: HttpRequest) -> str:
    if request.path_info.startswith(settings.STATIC_URL):
        return "static"
    match = request.resolver_match
    if match is None:
        return "none"
    if request.method == "POST" and match.route.endswith("/messages/"):
        return "send"
    return match.route


Scope = MutableMapping[str, Any]
Asgi = Callable[[Scope, Any, Any], Awaitable[None]]


def counting_sockets(application: Asgi) -> Asgi:
    async def counted(scope: Scope, receive: Any, send: Any) -> None:
        _sockets.inc()
        try:
            await application(scope, receive, send)
        finally:
            _sockets.dec()

    return counted


# --- What is asked at the moment ------------------------------------------------------------------------------

_JOBS = f"""
select 'pending', count(*), min(next_attempt) from
    (select next_attempt from job where status = 'pending' order by next_attempt limit {CAP}) x
union all
select 'processing', count(*), null from (select 1 from job where status = 'processing' limit {CAP}) x
"""  # noqa: S608 - a constant
_OVERDUE = (
    "select extract(epoch from now() - min(next_attempt)) from job where status = 'pending' and next_attempt < now()"
)
_FAILED = f"""
with recursive kinds as (
    (select type from job order by type limit 1)
    union all
    select (select type from job where type > kinds.type order by type limit 1) from kinds where kinds.type is not null
)
select kinds.type, (select count(*) from (
    select 1 from job where job.type = kinds.type and job.status = 'failed' limit {CAP}) x)
from kinds where kinds.type is not null limit 500
"""  # noqa: S608
_CRONS = "select name, extract(epoch from now() - last_run_at), last_status from job_meta"


class AtTheMoment:
    """Bounded reads of the tables; without a database there is the rest."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        with suppress(DatabaseError):
            yield from self._jobs()

    def _jobs(self) -> list[GaugeMetricFamily]:
        jobs = GaugeMetricFamily("switchboard_jobs", f"Jobs by state, counted to {CAP}.", labels=["state"])
        failed = GaugeMetricFamily("switchboard_jobs_failed", "Failed jobs by type.", labels=["type"])
        late = GaugeMetricFamily("switchboard_job_oldest_due_seconds", "How long the oldest due job has waited.")
        crons = GaugeMetricFamily("switchboard_cron_age_seconds", "Since the last run of a cron.", labels=["cron"])
        with connection.cursor() as cursor:
            cursor.execute(_JOBS)
            for state, count, _oldest in cursor.fetchall():
                jobs.add_metric([state], count)
            cursor.execute(_FAILED)
            for kind, count in cursor.fetchall():
                failed.add_metric([kind], count)
            cursor.execute(_OVERDUE)
            late.add_metric([], max(0.0, float(cursor.fetchone()[0] or 0)))
            cursor.execute(_CRONS)
            for name, age, _status in cursor.fetchall():
                if age is not None:
                    crons.add_metric([name], float(age))
        return [jobs, failed, late, crons]


def registry() -> CollectorRegistry:
    _tidy()
    made = CollectorRegistry()
    MultiProcessCollector(made, path=str(_FOLDER))  # type: ignore[no-untyped-call]
    return made


def answered() -> list[tuple[str, int, float, int, int]]:
    """Of each road since this copy started: calls, mean milliseconds, refused (4xx), failed (5xx)."""
    calls: dict[str, list[float]] = {}
    for family in registry().collect():
        for sample in family.samples:
            road = calls.setdefault(sample.labels.get("road", ""), [0, 0, 0, 0])
            if sample.name == "switchboard_requests_total":
                road[0] += sample.value
                road[2] += sample.value if sample.labels["status"].startswith("4") else 0
                road[3] += sample.value if sample.labels["status"].startswith("5") else 0
            elif sample.name == "switchboard_request_seconds_sum":
                road[1] += sample.value
    return [
        (road, int(count), seconds * 1000 / count, int(refused), int(broken))
        for road, (count, seconds, refused, broken) in sorted(calls.items())
        if count
    ]


@csrf_exempt  # it only reads; what else is asked is told so
@require_safe
def view(request: HttpRequest) -> HttpResponse:
    """404 for whoever may not ask: by default that is everybody but this machine."""
    if not _may_ask(request):
        raise Http404
    found = registry()
    found.register(AtTheMoment())
    return HttpResponse(generate_latest(found), content_type=CONTENT_TYPE_LATEST)


view.takes_no_identity = True  # type: ignore[attr-defined]  # a token of its own, no person's


def _may_ask(request: HttpRequest) -> bool:
    said = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if settings.METRICS_TOKEN:
        return hmac.compare_digest(said.encode(), settings.METRICS_TOKEN.encode())
    # What comes through a proxy is not from where it seems to come, and a monitor needs none.
    if any(name in request.headers for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP")):
        return False
    try:
        address = ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return False
    return any(address in ip_network(one, strict=False) for one in (*LOOPBACK, *settings.METRICS_NETWORKS))


def _tidy() -> None:
    edge = time.time() - KEPT_SECONDS
    for file in _FOLDER.glob("*.db"):
        pid = file.stem.rpartition("_")[2]
        if not pid.isdigit() or _is_alive(int(pid)):
            continue
        with suppress(FileNotFoundError):
            if file.stat().st_mtime < edge:
                file.unlink()
            elif "gauge_live" in file.name:
                mark_process_dead(int(pid), path=str(_FOLDER))  # type: ignore[no-untyped-call]


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
