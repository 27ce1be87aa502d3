from django.apps import AppConfig


class InboxConfig(AppConfig):
    name = "inbox"
    label = "inbox"

    def ready(self) -> None:
        from inbox.topics import register_topics

        register_topics()
