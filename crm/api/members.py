"""REST of members and invitations, for admins; leaving and accepting are everybody's."""

from datetime import datetime
from typing import Any, TypedDict
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.errors import NotFound
from crm.access import visible_invitations, visible_members
from crm.api.base import PAGING, StrictSerializer, WorkspaceView, checked, list_page, page_schema, schema_of
from crm.identity.requests import signed_in_user
from crm.models import Invitation, Member
from crm.roles import Role
from crm.services import invitations, members


class MemberPayload(TypedDict):
    id: UUID  # the user's, as in `assignee`
    name: str
    email: str
    role: str
    is_active: bool
    joined_at: datetime


def member_payload(member: Member) -> MemberPayload:
    return {
        "id": member.user_id,
        "name": member.user.display_name,
        "email": member.user.email,
        "role": member.role,
        "is_active": member.user.is_active,
        "joined_at": member.created_at,
    }


class RoleBody(StrictSerializer):
    role = serializers.ChoiceField(Role.choices)


class MemberQuery(serializers.Serializer[Any]):
    role = serializers.ChoiceField(Role.choices, required=False)


class MemberList(WorkspaceView):
    @extend_schema(
        operation_id="list_members", parameters=[MemberQuery, *PAGING], responses={200: page_schema(MemberPayload)}
    )
    def get(self, request: Request, workspace: str) -> Response:
        """Newest first. For those who manage members."""
        given = checked(MemberQuery(data=request.query_params))
        return list_page(request, visible_members(self.actor(request)).filter(**given), member_payload, given)


class MemberDetail(WorkspaceView):
    @extend_schema(operation_id="get_member", responses={200: schema_of(MemberPayload)})
    def get(self, request: Request, workspace: str, user: UUID) -> Response:
        return Response(member_payload(_one(visible_members(self.actor(request)), user)))

    @extend_schema(operation_id="change_role", request=RoleBody, responses={200: schema_of(MemberPayload)})
    def patch(self, request: Request, workspace: str, user: UUID) -> Response:
        """Only owners make owners and unmake them; the last one stays (409 `last_owner`)."""
        actor, role = self.actor(request), checked(RoleBody(data=request.data))["role"]
        members.change_role(actor=actor, user_id=user, role=role)
        # Whoever has just given up their own right to look at the list still sees what they did.
        changed = Member.objects.select_related("user").get(workspace_id=actor.workspace_id, user_id=user)
        return Response(member_payload(changed))

    @extend_schema(operation_id="remove_member", responses={204: None})
    def delete(self, request: Request, workspace: str, user: UUID) -> Response:
        """What was assigned to them becomes nobody's again."""
        members.remove_member(actor=self.actor(request), user_id=user)
        return Response(status=204)


class MemberLeave(WorkspaceView):
    @extend_schema(operation_id="leave_workspace", request=None, responses={204: None})
    def post(self, request: Request, workspace: str) -> Response:
        """Oneself, whatever one's role; the last owner stays (409 `last_owner`)."""
        members.leave(actor=self.member(request))
        return Response(status=204)


def _one(rows: "QuerySet[Member]", user_id: UUID) -> Member:
    member = rows.filter(user_id=user_id).first()
    if member is None:
        raise NotFound
    return member


# --- Invitations --------------------------------------------------------------------------------------------


class InvitationPayload(TypedDict):
    id: UUID
    email: str
    role: str
    status: str  # open, accepted, revoked, expired
    invited_by: str
    created_at: datetime
    expires_at: datetime


class InvitationWithLinkPayload(InvitationPayload):
    link: str  # shown once


def invitation_payload(invitation: Invitation) -> InvitationPayload:
    return {
        "id": invitation.pk,
        "email": invitation.email,
        "role": invitation.role,
        "status": invitations.status_of(invitation),
        "invited_by": invitation.invited_by.display_name if invitation.invited_by else "",
        "created_at": invitation.created_at,
        "expires_at": invitation.expires_at,
    }


class InvitationBody(RoleBody):
    email = serializers.CharField(max_length=254)


class InvitationList(WorkspaceView):
    @extend_schema(operation_id="list_invitations", parameters=PAGING, responses={200: page_schema(InvitationPayload)})
    def get(self, request: Request, workspace: str) -> Response:
        """Newest first, those that were taken or taken back too. For those who manage members."""
        return list_page(request, visible_invitations(self.actor(request)), invitation_payload, {})

    @extend_schema(operation_id="invite", request=InvitationBody, responses={201: schema_of(InvitationWithLinkPayload)})
    def post(self, request: Request, workspace: str) -> Response:
        """The link is in this answer and, where a mail server is known, in a mail; nowhere afterwards."""
        given = checked(InvitationBody(data=request.data))
        invitation, link = invitations.create_invitation(actor=self.actor(request), **given)
        return Response({**invitation_payload(invitation), "link": link}, status=201)


class InvitationDetail(WorkspaceView):
    @extend_schema(operation_id="revoke_invitation", responses={204: None})
    def delete(self, request: Request, workspace: str, invitation: UUID) -> Response:
        invitations.revoke_invitation(actor=self.actor(request), invitation_id=invitation)
        return Response(status=204)


class InvitationResend(WorkspaceView):
    @extend_schema(
        operation_id="resend_invitation", request=None, responses={200: schema_of(InvitationWithLinkPayload)}
    )
    def post(self, request: Request, workspace: str, invitation: UUID) -> Response:
        """A fresh link, good for another week; the old one is good for nothing any more."""
        again, link = invitations.resend_invitation(actor=self.actor(request), invitation_id=invitation)
        return Response({**invitation_payload(again), "link": link})


class AcceptBody(StrictSerializer):
    token = serializers.CharField(max_length=100)


class AcceptedPayload(TypedDict):
    workspace: str
    role: str


class InvitationAccept(APIView):
    @extend_schema(operation_id="accept_invitation", request=AcceptBody, responses={200: schema_of(AcceptedPayload)})
    def post(self, request: Request) -> Response:
        """`token` is the end of the link. For whoever is signed in with the address that was invited."""
        token = checked(AcceptBody(data=request.data))["token"]
        guest = invitations.accept_invitation(user=signed_in_user(request._request), token=token)
        return Response({"workspace": guest.workspace_slug, "role": guest.role})
