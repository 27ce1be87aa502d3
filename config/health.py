"""/healthz: the process answers. /readyz: what it needs is there, by name; 503 while something is missing."""

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

REDIS_WAIT = 1.0  # seconds


@csrf_exempt  # they only read; what else is asked is told so
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"status": "ok"})


@csrf_exempt
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    database = _database()
    checks = {"database": database, "migrations": database and _migrations(), "redis": _redis()}
    ready = all(checks.values())
    body = {name: "ok" if fine else "missing" for name, fine in checks.items()}
    return JsonResponse({"status": "ok" if ready else "unavailable", **body}, status=200 if ready else 503)


def _database() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("select 1")
    except DatabaseError:
        return False
    return True


def _migrations() -> bool:
    try:
        executor = MigrationExecutor(connection)
        return not executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return False


def _redis() -> bool:
    client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=REDIS_WAIT, socket_connect_timeout=REDIS_WAIT)
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()
