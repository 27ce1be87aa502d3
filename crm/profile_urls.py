"""Addresses of what is kept about a contact in rows of their own."""

from django.urls import URLPattern, URLResolver, path

from crm.api import profiles

of_workspace: list[URLPattern | URLResolver] = [
    path("contacts/<uuid:contact>/profile", profiles.ContactProfileView.as_view()),
    path("contacts/<uuid:contact>/state", profiles.ContactStateView.as_view()),
    path("contacts/<uuid:contact>/billing", profiles.ContactBillingView.as_view()),
]
