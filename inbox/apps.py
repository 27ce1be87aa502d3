from django.apps import AppConfig


class InboxConfig(AppConfig):
    name = "inbox"
    label = "inbox"

    def ready(self) -> None:
        from crm.models import ViewScope
        from crm.services.audit import on_record
        from crm.services.contacts import on_deleted, on_restored
        from crm.services.members import on_hand_back
        from crm.services.notes import on_mention
        from crm.services.teams import on_team_gone
        from crm.services.views import on_scope
        from inbox import dossier, timeline
        from inbox.chats import section, tokens  # noqa: F401  # a section registers itself
        from inbox.chats import topics as chat_topics
        from inbox.events import hear_record
        from inbox.filters import check_view
        from inbox.services.contacts import hide, show_again
        from inbox.services.conversations import hand_back, leave_team
        from inbox.services.notices import tell_contact_note
        from inbox.topics import register_topics

        register_topics()
        chat_topics.register_topics()
        tokens.register_guests()
        dossier.register_parts()
        timeline.register_sources()
        on_hand_back(hand_back)
        on_record(hear_record)
        on_mention(tell_contact_note)
        on_team_gone(leave_team)
        on_scope(ViewScope.CONVERSATIONS, check_view)
        on_deleted(hide)
        on_restored(show_again)
