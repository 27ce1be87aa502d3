from django.apps import AppConfig


class InboxConfig(AppConfig):
    name = "inbox"
    label = "inbox"

    def ready(self) -> None:
        from crm.services.members import on_hand_back
        from inbox.services.conversations import hand_back
        from inbox.topics import register_topics

        register_topics()
        on_hand_back(hand_back)
