from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    name = "webhooks"
    label = "webhooks"

    def ready(self) -> None:
        from crm import feed
        from webhooks.outgoing import notifier

        feed.on_announced(notifier.heard)
