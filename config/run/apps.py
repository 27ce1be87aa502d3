"""Makes this package an app, for its management commands. It has no tables."""

from django.apps import AppConfig


class RunConfig(AppConfig):
    name = "config.run"
    label = "run"
