from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    name = "webhooks"
    label = "webhooks"

    def ready(self) -> None:
        from crm import feed, rail
        from crm.roles import Action
        from jobs import engine
        from webhooks import dossier
        from webhooks.outbox import figures
        from webhooks.outbox import topics as outbox
        from webhooks.outgoing import notifier

        feed.on_announced(notifier.heard)
        outbox.register_topics()
        rail.register("failed", figures.failed_mark, needs=Action.MANAGE)
        dossier.register_parts()
        engine.on_ended(outbox.changed)
