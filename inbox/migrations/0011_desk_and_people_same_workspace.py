from django.db import migrations

from crm.tenancy import TenantForeignKey


class Migration(migrations.Migration):
    dependencies = [("inbox", "0010_desk_and_people")]

    operations = [
        TenantForeignKey("inbox_conversation", "team_id", "crm_team", on_delete="SET NULL"),
        TenantForeignKey("inbox_draft", "conversation_id", "inbox_conversation", on_delete="CASCADE"),
        TenantForeignKey("inbox_draft", "user_id", "crm_member", target_column="user_id", on_delete="CASCADE"),
        TenantForeignKey("inbox_savedreply", "team_id", "crm_team", on_delete="CASCADE"),
        TenantForeignKey("inbox_macro", "team_id", "crm_team", on_delete="CASCADE"),
        TenantForeignKey("inbox_notice", "conversation_id", "inbox_conversation", on_delete="CASCADE"),
        TenantForeignKey("inbox_notice", "message_id", "inbox_message", on_delete="CASCADE"),
        TenantForeignKey("inbox_notice", "user_id", "crm_member", target_column="user_id", on_delete="CASCADE"),
        TenantForeignKey("inbox_visitor", "channel_id", "inbox_channel", on_delete="CASCADE"),
        TenantForeignKey("inbox_visitor", "contact_id", "crm_contact", on_delete="CASCADE"),
        TenantForeignKey("inbox_participant", "conversation_id", "inbox_conversation", on_delete="CASCADE"),
        TenantForeignKey("inbox_participant", "visitor_id", "inbox_visitor", on_delete="CASCADE"),
    ]
