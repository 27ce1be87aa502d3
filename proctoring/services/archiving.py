"""Summaries of sessions back into the old Supabase, where the workspace's settings name a table for them:
`{"archive": {"exam_summaries": "archived_exams"}}`. Beside what an exam pushes to its own system.
"""

from collections.abc import Sequence
from uuid import UUID

from inbox.services import archiving
from jobs.queue import NewJob, enqueue_many
from jobs.running import RunningJob
from proctoring.models import SessionSummary


def archive_summaries(summaries: Sequence[SessionSummary]) -> None:
    """Of one workspace, inside the transaction that made these versions."""
    if not summaries or not archiving.is_on(summaries[0].workspace_id, archiving.EXAM_SUMMARIES):
        return
    enqueue_many(
        [
            NewJob(
                "proctoring.archive_summary",
                key=f"exam-archive:{summary.pk}:{summary.version}",
                lane=f"exam-archive:{summary.session_id}",
                workspace_id=summary.workspace_id,
                payload={"summary_id": str(summary.pk)},
            )
            for summary in summaries
        ]
    )


def archive(*, job: RunningJob, summary_id: UUID) -> None:
    """The newest version, over the row of the one before it."""
    summary = SessionSummary.objects.select_related("workspace").filter(pk=summary_id).first()
    sent = summary is not None and archiving.put_record(
        workspace_id=summary.workspace_id,
        kind=archiving.EXAM_SUMMARIES,
        record={
            "id": summary.session_id,
            "workspace": summary.workspace.slug,
            "version": summary.version,
            **{name: summary.data[name] for name in ("exam", "student", "status", "started_at", "ended_at")},
            "summary": summary.data,
        },
    )
    with job.completing(result={"archived": sent}):
        pass
