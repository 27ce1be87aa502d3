from django.db import migrations

from crm.tenancy import TenantForeignKey


class Migration(migrations.Migration):
    dependencies = [("inbox", "0004_sending_and_media")]

    operations = [
        TenantForeignKey("inbox_optout", "channel_id", "inbox_channel", on_delete="CASCADE"),
        TenantForeignKey("inbox_messagetemplate", "channel_id", "inbox_channel", on_delete="CASCADE"),
    ]
