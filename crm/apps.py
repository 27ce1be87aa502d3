from django.apps import AppConfig


class CrmConfig(AppConfig):
    name = "crm"
    label = "crm"

    def ready(self) -> None:
        from crm.identity import socket, topics

        socket.register()
        topics.register_topics()
