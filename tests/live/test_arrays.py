"""Arrays as we write them are what Postgres reads."""

from uuid import UUID

import pytest
from django.db import connection

from config.arrays import Item, array

UNEASY = ["", "NULL", "null", '"', "\\", '\\"', "{}", "a,b", " ", "\n\t", '{"a": "b\\\\c"}', "é中\u202e😀", "'; --"]


@pytest.mark.parametrize(
    ("kind", "items"),
    [
        ("text", [*UNEASY, None]),
        ("bigint", [0, -1, 2**62, None]),
        ("bool", [True, False, None]),
        ("uuid", [UUID(int=7), None]),
        ("text", []),
    ],
)
def test_what_is_written_is_what_is_read(kind: str, items: list[Item]):
    with connection.cursor() as cursor:
        cursor.execute(f"select %s::{kind}[]", [array(items)])
        assert cursor.fetchone() == (items,)
