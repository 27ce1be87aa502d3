"""Lists of the admin over tables with many rows: no count of everything, no walk through the table."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

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
