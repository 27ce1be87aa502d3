"""One import at a time, and nobody is erased while one runs: a batch that was read before would bring them back."""

from django.db import connection

from config.errors import Conflict

LOCK = 0x5B_01D_DA7A


class AlreadyRunning(Exception):
    pass


class OldDataComing(Conflict):
    code = "import_running"
    message = "Old data is being imported, and might bring the contact back. Wait until that is over."


class alone:  # noqa: N801  # reads as what it does
    """Two at once would refuse each other's rows."""

    def __enter__(self) -> None:
        if not _got("select pg_try_advisory_lock(%s)"):
            raise AlreadyRunning

    def __exit__(self, *_: object) -> None:
        if connection.is_usable():
            _got("select pg_advisory_unlock(%s)")


def check_none_running() -> None:
    """And none begins before the end of the caller's transaction."""
    if not _got("select pg_try_advisory_xact_lock_shared(%s)"):
        raise OldDataComing


def _got(sql: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(sql, [LOCK])
        row = cursor.fetchone()
    return bool(row and row[0])
