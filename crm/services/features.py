"""Switching a workspace's features on and off."""

from collections.abc import Mapping

from config.errors import Invalid
from config.live.identity import publish_access_change
from config.live.unit import unit_of_work
from crm import features
from crm.access import check
from crm.actors import Actor
from crm.features import Feature
from crm.models import ApiKey, Member, Workspace
from crm.roles import Action
from crm.services.audit import record
from crm.services.roles import key_subject, subject


@unit_of_work
def set_features(*, actor: Actor, switches: Mapping[str, bool]) -> Workspace:
    """Those that are named; the others stay."""
    check(actor, Action.MANAGE_SETTINGS)
    unknown = [name for name in switches if name not in Feature.values]
    if unknown:
        raise Invalid(errors={unknown[0]: f"There are: {', '.join(Feature.values)}."})
    workspace = Workspace.objects.select_for_update(no_key=True).get(pk=actor.workspace_id)
    before = features.all_of(workspace)
    changed = {name: [before[name], on] for name, on in switches.items() if before[name] != on}
    if changed:
        workspace.features = {**workspace.features, **{name: after for name, (_, after) in changed.items()}}
        workspace.save(update_fields=["features"])
        _tell_sockets(workspace)
        record(actor=actor, action="features.changed", target_kind="workspace", target_id=workspace.pk, detail=changed)
    return workspace


def _tell_sockets(workspace: Workspace) -> None:
    """Whoever listens to what is off now hears nothing more of it, within two seconds."""
    for user_id in Member.objects.filter(workspace=workspace).values_list("user_id", flat=True):
        publish_access_change(subject(user_id))
    for key_id in ApiKey.objects.filter(workspace=workspace, revoked_at=None).values_list("pk", flat=True):
        publish_access_change(key_subject(key_id))
