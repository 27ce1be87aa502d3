from django.db import migrations

from crm.tenancy import TenantForeignKey


class Migration(migrations.Migration):
    dependencies = [("webhooks", "0001_initial")]

    operations = [
        TenantForeignKey("webhooks_call", "subscription_id", "webhooks_subscription", on_delete="CASCADE"),
    ]
