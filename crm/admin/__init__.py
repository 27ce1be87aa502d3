"""People, workspaces, contacts and how they get in, in Django admin."""

from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group

from config.admin.base import register_rest
from crm.admin import access, contacts, people, workspaces
from crm.admin.base import CrmAdmin

__all__ = ["access", "contacts", "people", "workspaces"]

admin.site.unregister(Group)  # who may do what is in crm/roles.py
register_rest(apps.get_app_config("crm").get_models(), CrmAdmin)
