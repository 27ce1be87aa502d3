from django.db import migrations

from crm.tenancy import TenantForeignKey


class Migration(migrations.Migration):
    dependencies = [("inbox", "0001_initial")]

    operations = [
        TenantForeignKey("inbox_conversation", "contact_id", "crm_contact"),
        TenantForeignKey("inbox_conversation", "channel_id", "inbox_channel"),
        TenantForeignKey(
            "inbox_conversation", "assignee_id", "crm_member", target_column="user_id", on_delete="SET NULL"
        ),
        TenantForeignKey("inbox_conversation", "last_message_id", "inbox_message", on_delete="SET NULL"),
        TenantForeignKey("inbox_conversation", "merged_into_id", "inbox_conversation", on_delete="SET NULL"),
        TenantForeignKey("inbox_conversationreader", "conversation_id", "inbox_conversation", on_delete="CASCADE"),
        TenantForeignKey(
            "inbox_conversationreader", "user_id", "crm_member", target_column="user_id", on_delete="CASCADE"
        ),
        TenantForeignKey("inbox_conversationlabel", "conversation_id", "inbox_conversation", on_delete="CASCADE"),
        TenantForeignKey("inbox_conversationlabel", "label_id", "inbox_label", on_delete="CASCADE"),
        TenantForeignKey("inbox_message", "conversation_id", "inbox_conversation", on_delete="CASCADE"),
        TenantForeignKey("inbox_message", "channel_id", "inbox_channel"),
        TenantForeignKey("inbox_message", "reply_to_id", "inbox_message", on_delete="SET NULL"),
        TenantForeignKey("inbox_messagereceipt", "channel_id", "inbox_channel", on_delete="CASCADE"),
        TenantForeignKey("inbox_attachment", "message_id", "inbox_message", on_delete="CASCADE"),
        TenantForeignKey("inbox_optout", "channel_id", "inbox_channel", on_delete="CASCADE"),
        TenantForeignKey("inbox_messagetemplate", "channel_id", "inbox_channel", on_delete="CASCADE"),
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
