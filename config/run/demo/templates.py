"""The demo channels' message templates: those that the provider simulator has approved, as a sync would find them."""

from datetime import datetime
from uuid import UUID

from crm.ids import uuid7_at
from inbox.clients import kapso_templates, twilio_templates
from inbox.clients.outgoing import ListedTemplate
from inbox.models import Channel, MessageTemplate
from inbox.states import ChannelKind


def demo_templates(workspace_id: UUID, channels: list[Channel], since: datetime) -> list[MessageTemplate]:
    return [
        MessageTemplate(
            id=uuid7_at(since),
            workspace_id=workspace_id,
            channel_id=channel.pk,
            name=listed.name,
            language=listed.language,
            provider_id=listed.provider_id,
            category=listed.category,
            status=listed.status,
            components=listed.components,
            variables=listed.variables,
            synced_at=since,
        )
        for channel in channels
        for listed in _listed(channel.kind)
    ]


def _listed(kind: str) -> list[ListedTemplate]:
    # Importing the simulator is refused outside of demos and tests, so not before this is one.
    from webhooks.simulator.templates import CONTENTS, META_TEMPLATES

    read: list[ListedTemplate | None] = []
    if kind == ChannelKind.KAPSO:
        read = [kapso_templates.read_template(row) for row in META_TEMPLATES]
    elif kind == ChannelKind.TWILIO:
        read = [
            twilio_templates.read_template(
                {
                    "sid": content.sid,
                    "friendly_name": content.name,
                    "language": content.language,
                    "types": content.types,
                    "variables": content.variables,
                    "approval_requests": {"status": "approved", "category": content.category},
                }
            )
            for content in CONTENTS
        ]
    return [one for one in read if one]
