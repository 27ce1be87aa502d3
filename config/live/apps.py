from django.apps import AppConfig


class LiveConfig(AppConfig):
    name = "config.live"
    label = "live"
