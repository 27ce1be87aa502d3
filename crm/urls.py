"""Sign-in and sign-out, who one is, and the demo's issuer."""

from django.urls import URLPattern, URLResolver, include, path

from crm import contact_urls, views
from crm.api import billing, presence

pages: list[URLPattern | URLResolver] = [
    path("", views.home, name="home"),
    path("login", views.login, name="login"),
    path("logout", views.logout, name="logout"),
    path("session/renew", views.renew, name="renew-session"),
    path("auth/v1/", include("crm.issuer.urls")),
]
api_v1: list[URLPattern | URLResolver] = [
    path("me", views.MeView.as_view(), name="me"),
    path("me/payment-attempts/", billing.MyPaymentAttempts.as_view()),
    path("me/payment-attempts/<uuid:attempt>/", billing.MyPaymentAttempt.as_view()),
]
of_workspace: list[URLPattern | URLResolver] = [
    path("billing-accounts/", billing.BillingAccountList.as_view()),
    path("billing-accounts/checkout", billing.Checkout.as_view()),
    path("billing-accounts/<uuid:account>/portal", billing.Portal.as_view()),
    path("payment-attempts/", billing.PaymentAttemptList.as_view()),
    *contact_urls.of_workspace,
    path("presence/", presence.Presence.as_view()),
]
