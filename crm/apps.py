from django.apps import AppConfig


class CrmConfig(AppConfig):
    name = "crm"
    label = "crm"
    verbose_name = "CRM"

    def ready(self) -> None:
        from crm import feed, rail, timeline
        from crm import topics as contact_topics
        from crm.dossier import own
        from crm.identity import socket, topics

        socket.register()
        topics.register_topics()
        feed.register_topics()
        contact_topics.register_topics()
        timeline.register_sources()
        rail.register_marks()
        own.register_parts()
