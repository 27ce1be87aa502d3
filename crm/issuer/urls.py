"""Below `/auth/v1/`."""

from django.urls import path, re_path

from crm.issuer import views

urlpatterns = [
    path(".well-known/jwks.json", views.jwks),
    path(".well-known/openid-configuration", views.openid_configuration),
    path("settings", views.settings),
    path("health", views.health),
    path("token", views.token),
    path("user", views.user),
    path("logout", views.logout),
    path("signup", views.signup),
    re_path(r"^(?P<path>.*)$", views.anything_else),
]
