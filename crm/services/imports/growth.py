"""Tables that grow faster than Postgres counts them: to it they are tiny until its next look, a minute later, and until
then it reads all of them for every foreign key and every address.
"""

from django.db import connection

_GROWN = """
    select relname from pg_class
    where oid = any (array['crm_contact', 'crm_contactidentity']::regclass[])
        and pg_relation_size(oid) > 2 * greatest(relpages, 8) * current_setting('block_size')::bigint
"""


def count_anew() -> None:
    """Outside of any transaction. Of tables that have doubled since; the plans that were made for them go with it."""
    with connection.cursor() as cursor:
        cursor.execute(_GROWN)
        for (table,) in cursor.fetchall():
            cursor.execute(f"analyze (skip_locked) {connection.ops.quote_name(table)}")
