"""Makes this package an app, for its management commands and what every process does at its start. No tables."""

from django.apps import AppConfig


class RunConfig(AppConfig):
    name = "config.run"
    label = "run"

    def ready(self) -> None:
        from config.logs import hear_threads

        hear_threads()
