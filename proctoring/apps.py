from django.apps import AppConfig


class ProctoringConfig(AppConfig):
    name = "proctoring"
    label = "proctoring"

    def ready(self) -> None:
        from proctoring.beats import road
        from proctoring.services.rooms import keep_rooms
        from proctoring.topics import register_topics

        register_topics()
        keep_rooms()
        road.register()
