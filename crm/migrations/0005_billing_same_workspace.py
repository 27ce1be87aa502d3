from django.db import migrations

from crm.tenancy import TenantForeignKey


class Migration(migrations.Migration):
    dependencies = [("crm", "0004_billing")]

    operations = [TenantForeignKey("crm_billingaccount", "contact_id", "crm_contact")]
