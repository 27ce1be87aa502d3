from django.db import migrations

from crm.tenancy import TenantForeignKey


class Migration(migrations.Migration):
    dependencies = [("inbox", "0001_initial"), ("crm", "0002_same_workspace")]

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
    ]
