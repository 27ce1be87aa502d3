"""Lists of the admin over tables with many rows: no count of everything, no walk through the table."""

import re
from typing import Any

import pytest
from django.contrib import admin
from django.db import connection, transaction
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from config.admin.paginator import MOST
from crm.models.people import PLATFORM_ADMIN
from crm.services import roles
from tests.api import token_for
from tests.cast import make_user, unique

ROWS = 50_000
LONG_AGO = "2026-01-01T00:00Z"


@pytest.fixture(scope="module")
def kind() -> Any:
    """Done jobs by the thousand, and one that failed."""
    kind = unique("tests.large")
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into job (key, type, status, completed_at) "
            "select %s || n, %s, 'completed', %s from generate_series(1, %s) n",
            [kind, kind, LONG_AGO, ROWS],
        )
        cursor.execute(
            "insert into job (key, type, status, completed_at) values (%s, %s, 'failed', %s)", [kind, kind, LONG_AGO]
        )
        cursor.execute("analyze job")
    yield kind
    with connection.cursor() as cursor:
        cursor.execute("delete from job where type = %s", [kind])


@pytest.fixture(scope="module")
def root() -> Any:
    user = make_user("root")
    return roles.grant_role(by=None, user_id=user.pk, role=PLATFORM_ADMIN)


def opened(root: Any, query: dict[str, str]) -> tuple[Any, list[str]]:
    client = Client(headers={"authorization": f"Bearer {token_for(root)}"})
    with CaptureQueriesContext(connection) as captured:
        answer = client.get("/admin/jobs/job/", query)
    return answer, [query["sql"] for query in captured.captured_queries if '"job"' in query["sql"]]


@pytest.mark.parametrize("query", [{}, {"state": "failed"}, {"state": "completed"}, {"q": "77"}], ids=str)
def test_a_list_of_many_jobs_stays_by_its_indexes(settings: Any, root: Any, kind: str, query: dict[str, str]):
    settings.SUPABASE_URL = ""
    answer, statements = opened(root, query)
    assert answer.status_code == 200
    assert statements
    for statement in statements:
        # Rows that are known to fit on one page are asked for without a limit: then an index has to find them.
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN {statement}")
            plan = "\n".join(row[0] for row in cursor.fetchall())
        assert "Seq Scan" not in plan or "Limit" in plan.split("Seq Scan")[0], f"{statement}\n{plan}"


def test_nobody_is_told_more_rows_than_were_counted(settings: Any, root: Any, kind: str):
    settings.SUPABASE_URL = ""
    answer, _statements = opened(root, {})
    assert f"{MOST} or more" in answer.content.decode()


# --- Every list there is ------------------------------------------------------------------------------------------

TERMS = ("12345", "0199a000-0000-7000-8000-000000000000", "somebody@mail.example", "cus_12345")
COUNT = re.compile(r"\bcount\s*\(", re.IGNORECASE)
OURS = ("live", "jobs", "crm", "inbox", "proctoring", "webhooks")
MODELS = sorted(
    (model for model in admin.site._registry if model._meta.app_label in OURS), key=lambda model: model._meta.label
)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_no_list_counts_everything_or_reads_a_table_to_search_it(settings: Any, root: Any, model: Any):
    settings.SUPABASE_URL = ""
    client = Client(headers={"authorization": f"Bearer {token_for(root)}"})
    path = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    for query in ({}, {"q": TERMS[0]}, {"q": TERMS[2]}):
        with CaptureQueriesContext(connection) as captured:
            assert client.get(path, query).status_code == 200
        for statement in (query["sql"] for query in captured.captured_queries):
            assert not COUNT.search(statement) or " LIMIT " in statement, statement
    page, request = admin.site._registry[model], RequestFactory().get(path)
    request.user = root
    for term in TERMS:
        found, _ = page.get_search_results(request, page.get_queryset(request), term)
        plan = plan_of(found)
        assert f"Seq Scan on {model._meta.db_table}" not in plan, f"{term}\n{plan}"


def plan_of(rows: Any) -> str:
    """With no walk through a table allowed where there is another way: on a few rows the planner would take one."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("set local enable_seqscan = off")
        # An order by the key would be another way, as long as the table: what counts is the search.
        return str(rows.order_by().explain())
