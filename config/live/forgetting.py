"""Takes out of the event log what was said of somebody who was erased."""

from collections.abc import Sequence
from datetime import datetime

from django.db import connection

from config.live.models import LiveEvent

# The number stays, so that nobody sees a gap; what it told is gone.
_BLANK = """
update live_event set data = '{"deleted": true}'
where topic = any(%(topics)s) and at <= %(until)s and data like any(%(patterns)s)
"""


def forget_topics(topics: Sequence[str]) -> int:
    """Whoever comes back to such a topic is told to load anew. Inside a transaction."""
    return LiveEvent.objects.filter(topic__in=topics).delete()[0]


def blank_events(topics: Sequence[str], containing: Sequence[str], *, until: datetime) -> int:
    """Those of the topics whose data has one of the ids, as far as they were told by then. Inside a transaction."""
    with connection.cursor() as cursor:
        patterns = [f"%{one}%" for one in containing]
        cursor.execute(_BLANK, {"topics": list(topics), "patterns": patterns, "until": until})
        return int(cursor.rowcount)
