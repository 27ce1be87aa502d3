from django.apps import AppConfig


class ProctoringConfig(AppConfig):
    name = "proctoring"
    label = "proctoring"

    def ready(self) -> None:
        from crm import places, rail
        from crm.roles import Action
        from proctoring import guests, timeline
        from proctoring.access import exams_mark
        from proctoring.beats import road
        from proctoring.queries.exams import exams_to_sit
        from proctoring.services.rooms import keep_rooms
        from proctoring.topics import register_topics

        register_topics()
        rail.register("exams", exams_mark, needs=Action.PROCTOR)
        places.register(exams_to_sit)
        keep_rooms()
        road.register()
        guests.register_guests()
        timeline.register_sources()
