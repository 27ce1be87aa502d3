"""Blanks what deliveries and calls said of somebody who was erased. Their rows stay, so that a repeat is known."""

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from crm.encryption import decrypt
from jobs.errors import RetryLater
from jobs.models import Job
from jobs.running import RunningJob
from jobs.states import Status
from webhooks.models import DeliveryState

LOOK_AGAIN = 30.0  # seconds: what is still being taken in is read from the journal
SHORTEST = 6  # shorter names are in every other body
_OURS = """
(workspace_id = %(workspace)s or workspace_id is null) and received_at <= %(until)s and length(body) > 0
    and exists (select from unnest(%(needles)s::bytea[]) as needle where position(needle in body) > 0)
"""
_AT_WORK = f"""
(state = '{DeliveryState.KEPT.value}' or exists (
    select from job where key in (select jsonb_array_elements_text(coalesce(outcome -> 'items', '[]')))
        and status in ('{Status.PENDING.value}', '{Status.PROCESSING.value}')
))
"""
_BLANK = f"""
update webhooks_delivery set body = '', headers = '{{}}', outcome = outcome || '{{"erased": true}}'
where {_OURS} and not {_AT_WORK}
"""  # noqa: S608
_LEFT = f"select count(*) from webhooks_delivery where {_OURS}"  # noqa: S608
_CALLS = """
update webhooks_call set body = '{"deleted": true}' where workspace_id = %(workspace)s and body like any(%(patterns)s)
"""
# Lanes are named for the peer's number.
_LANES = """
update job set lane = '' where workspace_id = %(workspace)s and lane <> '' and status in ('completed', 'dismissed')
    and lane like any(%(ends)s)
"""


def blank_journal(job: RunningJob, *, sealed: str) -> dict[str, Any]:
    """What is found is blanked at once, whatever is left for a later try."""
    told = json.loads(decrypt(sealed))
    bare = {name.rpartition(":")[2].lstrip("+") for name in told["names"]}
    needles = sorted(name for name in bare if len(name) >= SHORTEST)
    params = {"workspace": job.workspace_id, "until": _began(job), "needles": [name.encode() for name in needles]}
    with transaction.atomic():
        blanked = _run(_BLANK, params) if needles else 0
        calls = _blank_calls(job.workspace_id, told["ids"])
        if needles:
            _run(_LANES, {"workspace": job.workspace_id, "ends": [f"%{name}" for name in needles]})
    if needles and _left(params):
        raise RetryLater("some of it is still being taken in", after=LOOK_AGAIN, counts=True)
    result = {"deliveries": blanked, "calls": calls}
    with job.completing(result=result):
        Job.objects.filter(pk=job.id).update(payload={})
    return result


def _left(params: dict[str, Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_LEFT, params)
        return int(cursor.fetchone()[0])


def _blank_calls(workspace_id: UUID | None, ids: list[str]) -> int:
    return _run(_CALLS, {"workspace": workspace_id, "patterns": [f"%{one}%" for one in ids]}) if ids else 0


def _began(job: RunningJob) -> datetime:
    """What came after the erasure is a new beginning."""
    return Job.objects.values_list("created_at", flat=True).get(pk=job.id)


def _run(statement: str, params: dict[str, Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return int(cursor.rowcount)
