"""Sign-in and sign-out, who one is, and the demo's issuer."""

from django.urls import URLPattern, URLResolver, include, path

from crm import contact_urls, dossier_urls, profile_urls, views
from crm.api import api_keys, audit, billing, members, presence, teams, workspace
from crm.invitation_page import invitation_page
from crm.sections.page import settings_page

pages: list[URLPattern | URLResolver] = [
    path("", views.home, name="home"),
    path("login", views.login, name="login"),
    path("logout", views.logout, name="logout"),
    path("session/renew", views.renew, name="renew-session"),
    path("settings", settings_page, name="settings"),
    path("settings/<slug:section>", settings_page, name="settings-section"),
    path("invitations/<str:token>", invitation_page, name="invitation"),
    path("auth/v1/", include("crm.issuer.urls")),
    *contact_urls.pages,
    *dossier_urls.pages,
]
api_v1: list[URLPattern | URLResolver] = [
    path("me", views.MeView.as_view(), name="me"),
    path("me/payment-attempts/", billing.MyPaymentAttempts.as_view()),
    path("me/payment-attempts/<uuid:attempt>/", billing.MyPaymentAttempt.as_view()),
    path("invitations/accept", members.InvitationAccept.as_view()),
]
of_workspace: list[URLPattern | URLResolver] = [
    path("", workspace.WorkspaceDetail.as_view()),
    path("features", workspace.FeaturesView.as_view()),
    path("members/", members.MemberList.as_view()),
    path("members/leave", members.MemberLeave.as_view()),
    path("members/<uuid:user>/", members.MemberDetail.as_view()),
    path("invitations/", members.InvitationList.as_view()),
    path("invitations/<uuid:invitation>/", members.InvitationDetail.as_view()),
    path("invitations/<uuid:invitation>/resend", members.InvitationResend.as_view()),
    path("api-keys/", api_keys.ApiKeyList.as_view()),
    path("api-keys/<uuid:key>/", api_keys.ApiKeyDetail.as_view()),
    path("api-keys/<uuid:key>/revoke", api_keys.ApiKeyRevoke.as_view()),
    path("audit/", audit.AuditList.as_view()),
    path("audit.csv", audit.AuditExport.as_view()),
    path("billing-accounts/", billing.BillingAccountList.as_view()),
    path("billing-accounts/checkout", billing.Checkout.as_view()),
    path("billing-accounts/<uuid:account>/portal", billing.Portal.as_view()),
    path("payment-attempts/", billing.PaymentAttemptList.as_view()),
    *dossier_urls.of_workspace,
    *contact_urls.of_workspace,
    *profile_urls.of_workspace,
    path("teams/", teams.TeamList.as_view()),
    path("teams/<uuid:team>/", teams.TeamDetail.as_view()),
    path("availability", teams.AvailabilityView.as_view()),
    path("presence/", presence.Presence.as_view()),
]
