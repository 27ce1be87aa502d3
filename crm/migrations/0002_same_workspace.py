from django.db import migrations

from crm.tenancy import TenantForeignKey


class Migration(migrations.Migration):
    dependencies = [("crm", "0001_initial")]

    operations = [
        TenantForeignKey("crm_contact", "owner_id", "crm_member", target_column="user_id", on_delete="SET NULL"),
        TenantForeignKey("crm_contactidentity", "contact_id", "crm_contact", on_delete="CASCADE"),
    ]
