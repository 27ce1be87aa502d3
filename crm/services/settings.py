"""What a workspace sets for itself: its name, its time zone, how its numbers are read, the columns of its board."""

from typing import Any

from config.live.unit import unit_of_work
from crm.access import check
from crm.actors import Actor
from crm.models import Workspace
from crm.roles import Action
from crm.services.audit import record


@unit_of_work
def change_workspace(*, actor: Actor, **wanted: Any) -> Workspace:
    """`name`, `timezone`, `default_region`, `lead_statuses`, as checked at the edge; what is not named stays."""
    check(actor, Action.MANAGE_SETTINGS)
    workspace = Workspace.objects.select_for_update(no_key=True).get(pk=actor.workspace_id)
    changed = {name: [getattr(workspace, name), to] for name, to in wanted.items() if getattr(workspace, name) != to}
    if changed:
        for name, (_, after) in changed.items():
            setattr(workspace, name, after)
        workspace.save(update_fields=list(changed))
        record(actor=actor, action="workspace.changed", target_kind="workspace", target_id=workspace.pk, detail=changed)
    return workspace
