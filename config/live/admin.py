"""The heads of the event log in Django admin. Its events have a key of two columns, which Django admin cannot show;
what they told stays with those who may listen to their topic anyhow."""

from django.apps import apps
from django.contrib import admin

from config.admin.base import Admin, register_rest
from config.live.models import LiveTopic


@admin.register(LiveTopic)
class LiveTopicAdmin(Admin):
    list_display = ("name", "seq")
    ordering = ("name",)
    search_fields = ("name",)
    texts = ("name",)


register_rest(apps.get_app_config("live").get_models(), Admin)
