"""Transcripts of ended conversations back into the old Supabase, where somebody still reads them there. Off by default.

On when the installation has SUPABASE_SECRET_KEY and the workspace's settings name a table:
`{"archive": {"transcripts": "archived_transcripts"}}`. Private notes stay here.
"""

from typing import Any
from uuid import UUID

from crm.models import Workspace
from inbox.clients import supabase
from inbox.models import Attachment, Conversation, Message
from inbox.states import ConversationStatus, Direction, Scope
from jobs.queue import enqueue
from jobs.running import RunningJob

TRANSCRIPTS = "transcripts"
EXAM_SUMMARIES = "exam_summaries"
MESSAGES_AT_MOST = 10_000  # the newest; a row is one request


def archive_conversation(conversation: Conversation) -> None:
    """Inside the transaction that resolved a support conversation, which comes with its channel and workspace: once
    for each time it is resolved."""
    if conversation.scope != Scope.SUPPORT or conversation.status != ConversationStatus.RESOLVED:
        return
    if not supabase.is_set_up() or not table_for(conversation.channel.workspace, TRANSCRIPTS):
        return
    enqueue(
        "inbox.archive_conversation",
        key=f"archive:{conversation.pk}:{conversation.updated_at.timestamp():.6f}",
        lane=f"archive:{conversation.pk}",
        workspace_id=conversation.workspace_id,
        payload={"conversation_id": str(conversation.pk)},
    )


def table_for(workspace: Workspace, kind: str) -> str:
    """Where records of a kind go; "" is nowhere."""
    archive = workspace.settings.get("archive")
    table = archive.get(kind) if isinstance(archive, dict) else None
    return table if isinstance(table, str) else ""


def is_on(workspace_id: UUID, kind: str) -> bool:
    """One query, and none on an installation without a key."""
    workspace = Workspace.objects.filter(pk=workspace_id).first() if supabase.is_set_up() else None
    return workspace is not None and bool(table_for(workspace, kind))


def put_record(*, workspace_id: UUID, kind: str, record: dict[str, Any]) -> bool:
    """For the jobs of other areas, outside a transaction; `record["id"]` is what makes it one row however often it is
    sent. False when archiving is off."""
    workspace = Workspace.objects.filter(pk=workspace_id).first()
    table = table_for(workspace, kind) if workspace and supabase.is_set_up() else ""
    if not table:
        return False
    supabase.upsert(table, record)
    return True


def archive(*, job: RunningJob, conversation_id: UUID) -> None:
    """As it stands by then: reopened and resolved again it is sent again, whole."""
    conversation = (
        Conversation.objects.select_related("contact", "channel", "workspace", "assignee")
        .defer("channel__credentials")
        .filter(pk=conversation_id, scope=Scope.SUPPORT, deleted_at=None)
        .first()
    )
    sent = conversation is not None and put_record(
        workspace_id=conversation.workspace_id, kind=TRANSCRIPTS, record=transcript(conversation)
    )
    with job.completing(result={"archived": sent}):
        pass


def transcript(conversation: Conversation) -> dict[str, Any]:
    """Under the old id where it has one, so that the old system finds its own conversation again."""
    rows = (
        Message.objects.filter(conversation=conversation, deleted_at=None, direction__in=[Direction.IN, Direction.OUT])
        .prefetch_related("attachments")
        .order_by("-pk")[:MESSAGES_AT_MOST]
    )
    messages = [_line(row) for row in reversed(rows)]
    contact = conversation.contact
    return {
        "id": conversation.supabase_id or conversation.pk,
        "conversation_id": conversation.pk,
        "workspace": conversation.workspace.slug,
        "contact_id": contact.supabase_id or contact.pk,
        "channel": conversation.channel.slug,
        "status": conversation.status,
        "assignee_id": conversation.assignee_id,
        "started_at": conversation.created_at,
        "ended_at": conversation.updated_at,
        "message_count": len(messages),
        "messages": messages,
    }


def _line(message: Message) -> dict[str, Any]:
    return {
        "id": message.supabase_id or message.pk,
        "direction": message.direction,
        "sender_kind": message.sender_kind,
        "sender_id": message.sender_user_id,
        "type": message.type,
        "body": message.body,
        "attachments": [_file(one) for one in sorted(message.attachments.all(), key=lambda file: file.position)],
        "status": message.status,
        "created_at": message.created_at,
    }


def _file(file: Attachment) -> dict[str, Any]:
    """What it was, by name: the file itself stays here."""
    return {"id": file.pk, "name": file.name, "content_type": file.content_type, "size": file.size}
