"""Switches of a workspace, so that one area can be taken back without a deployment. Off hides; the data stays."""

from uuid import UUID

from django.db import models
from django.utils.translation import gettext_lazy as _

from config.errors import DomainError
from crm.models import Workspace


class Feature(models.TextChoices):
    INBOX = "inbox", _("Inbox")
    PROCTORING = "proctoring", _("Proctoring")
    LEADERBOARD = "leaderboard", _("Leaderboard")
    WIDGET = "widget", _("Website chat")
    OUTGOING_WEBHOOKS = "outgoing_webhooks", _("Outgoing webhooks")


class FeatureOff(DomainError):
    code = "feature_off"
    status = 403
    message = "This feature is switched off in this workspace."


def is_on(workspace: Workspace | UUID, feature: Feature | str) -> bool:
    """A name that was never set is on. With an id it is one query."""
    if isinstance(workspace, Workspace):
        switches = workspace.features
    else:
        switches = Workspace.objects.filter(pk=workspace).values_list("features", flat=True).first() or {}
    return bool(switches.get(Feature(feature).value, True))


def check(workspace: Workspace | UUID, feature: Feature) -> None:
    if not is_on(workspace, feature):
        raise FeatureOff(feature=feature.value)


def all_of(workspace: Workspace) -> dict[str, bool]:
    return {feature.value: is_on(workspace, feature) for feature in Feature}
