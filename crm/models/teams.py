"""Teams of a workspace, and the saved views that a person, a team or everyone works from."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower

from crm.models.people import User
from crm.tenancy import TenantModel, tenant_key


class Team(TenantModel):
    name = models.CharField(max_length=80)
    hue = models.PositiveSmallIntegerField(default=1)  # one of the eight hues of the design tokens
    # New conversations of the team go round its members who are here, up to so many open ones each
    assigns_itself = models.BooleanField(default=False, db_default=False)
    most_open = models.PositiveSmallIntegerField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            tenant_key("team"),
            models.UniqueConstraint(F("workspace"), Lower("name"), name="team_name_once"),
            models.CheckConstraint(condition=Q(hue__gte=1, hue__lte=8), name="team_hue_range"),
        ]

    def __str__(self) -> str:
        return self.name


class TeamMember(models.Model):
    id = models.BigAutoField(primary_key=True)
    workspace = models.ForeignKey("crm.Workspace", on_delete=models.CASCADE, related_name="+")
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="members")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    last_assigned_at = models.DateTimeField(null=True, blank=True)  # whose turn it is: the longest ago

    class Meta:
        constraints = [models.UniqueConstraint(fields=["team", "user"], name="team_member_once")]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.team_id}"


class ViewScope(models.TextChoices):
    CONTACTS = "contacts"
    CONVERSATIONS = "conversations"


class ViewAudience(models.TextChoices):
    MINE = "mine"
    TEAM = "team"
    EVERYONE = "everyone"


class SavedView(TenantModel):
    """A list somebody wants again: its filters as a tree of AND and OR groups, its order, its columns."""

    scope = models.CharField(max_length=14, choices=ViewScope.choices)
    name = models.CharField(max_length=80)
    audience = models.CharField(max_length=10, choices=ViewAudience.choices, default=ViewAudience.MINE)
    owner = models.ForeignKey(User, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    # {"all": [{"field": "lead_status", "is": "in", "value": ["new"]}, {"any": […]}]}
    filters = models.JSONField(default=dict, blank=True)
    sort = models.CharField(max_length=40, blank=True)
    columns = models.JSONField(default=list, blank=True)
    position = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            tenant_key("saved_view"),
            models.CheckConstraint(
                condition=Q(audience=ViewAudience.MINE, team=None, owner__isnull=False)
                | Q(audience=ViewAudience.TEAM, team__isnull=False)
                | Q(audience=ViewAudience.EVERYONE, team=None),
                name="saved_view_audience_fits",
            ),
            models.CheckConstraint(condition=Q(scope__in=ViewScope.values), name="saved_view_scope_known"),
        ]
        indexes = [models.Index(fields=["workspace", "scope", "position", "id"], name="saved_view_order")]

    def __str__(self) -> str:
        return self.name
