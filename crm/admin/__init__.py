"""People, workspaces, contacts and how they get in, in Django admin."""

from django.apps import apps

from config.admin.base import register_rest
from crm.admin import access, contacts, people, workspaces
from crm.admin.base import CrmAdmin

__all__ = ["access", "contacts", "people", "workspaces"]

register_rest(apps.get_app_config("crm").get_models(), CrmAdmin)
