"""What one is told about oneself."""

from typing import Any

from rest_framework import serializers

from crm.identity.requests import Identified
from crm.models import Member, User


def get_me(user: User, identity: Identified) -> dict[str, Any]:
    memberships = Member.objects.filter(user=user).select_related("workspace").order_by("created_at", "id")
    return {
        "id": user.pk,
        "email": user.email,
        "name": user.display_name,
        "expires_at": identity.expires_at,
        "memberships": [
            {"workspace": {"slug": member.workspace.slug, "name": member.workspace.name}, "role": member.role}
            for member in memberships
        ],
        "platform_roles": user.roles,
    }


class _WorkspaceSerializer(serializers.Serializer[Any]):
    slug = serializers.CharField()
    name = serializers.CharField()


class _MembershipSerializer(serializers.Serializer[Any]):
    workspace = _WorkspaceSerializer()
    role = serializers.CharField()


class MeSerializer(serializers.Serializer[Any]):
    """For the API's document; the answer itself is built by `get_me`."""

    id = serializers.UUIDField()
    email = serializers.CharField()
    name = serializers.CharField()
    expires_at = serializers.FloatField(help_text="Epoch seconds at which this identity ends unless it is renewed")
    memberships = _MembershipSerializer(many=True)
    platform_roles = serializers.ListField(child=serializers.CharField())
