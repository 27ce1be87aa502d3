"""What one is told about oneself."""

from typing import Any

from rest_framework import serializers

from crm.billing import standings
from crm.identity.requests import Identified
from crm.models import Member, User
from crm.roles import Action, is_allowed


def get_me(user: User, identity: Identified) -> dict[str, Any]:
    memberships = list(Member.objects.filter(user=user).select_related("workspace").order_by("created_at", "id"))
    standing = standings(member.workspace_id for member in memberships if is_allowed(member.role, Action.MANAGE))
    return {
        "id": user.pk,
        "email": user.email,
        "name": user.display_name,
        "expires_at": identity.expires_at,
        "memberships": [
            {
                "workspace": {"slug": member.workspace.slug, "name": member.workspace.name},
                "role": member.role,
                "billing": standing.get(member.workspace_id),
            }
            for member in memberships
        ],
        "platform_roles": user.roles,
    }


class _WorkspaceSerializer(serializers.Serializer[Any]):
    slug = serializers.CharField()
    name = serializers.CharField()


class _BillingSerializer(serializers.Serializer[Any]):
    status = serializers.CharField()
    past_due = serializers.BooleanField()


class _MembershipSerializer(serializers.Serializer[Any]):
    workspace = _WorkspaceSerializer()
    role = serializers.CharField()
    billing = _BillingSerializer(
        allow_null=True,
        help_text="How the workspace stands with its own bill, for those who manage it; nothing is locked",
    )


class MeSerializer(serializers.Serializer[Any]):
    """For the API's document; the answer itself is built by `get_me`."""

    id = serializers.UUIDField()
    email = serializers.CharField()
    name = serializers.CharField()
    expires_at = serializers.FloatField(help_text="Epoch seconds at which this identity ends unless it is renewed")
    memberships = _MembershipSerializer(many=True)
    platform_roles = serializers.ListField(child=serializers.CharField())
