from django.db import migrations

from crm.tenancy import TenantForeignKey


class Migration(migrations.Migration):
    dependencies = [("crm", "0001_initial")]

    operations = [
        TenantForeignKey("crm_contact", "owner_id", "crm_member", target_column="user_id", on_delete="SET NULL"),
        TenantForeignKey("crm_contactidentity", "contact_id", "crm_contact", on_delete="CASCADE"),
        TenantForeignKey("crm_billingaccount", "contact_id", "crm_contact"),
        TenantForeignKey("crm_contact", "merged_into_id", "crm_contact", on_delete="SET NULL"),
        TenantForeignKey("crm_contactprofile", "contact_id", "crm_contact", on_delete="CASCADE"),
        TenantForeignKey("crm_contactmemory", "contact_id", "crm_contact", on_delete="CASCADE"),
        TenantForeignKey("crm_contactnote", "contact_id", "crm_contact", on_delete="CASCADE"),
        TenantForeignKey("crm_contactmerge", "winner_id", "crm_contact", on_delete="CASCADE"),
        TenantForeignKey("crm_contactmerge", "loser_id", "crm_contact", on_delete="CASCADE"),
        TenantForeignKey("crm_contactmergemove", "merge_id", "crm_contactmerge", on_delete="CASCADE"),
        TenantForeignKey("crm_contactimportproblem", "contact_import_id", "crm_contactimport", on_delete="CASCADE"),
        TenantForeignKey("crm_savedview", "team_id", "crm_team", on_delete="CASCADE"),
        TenantForeignKey("crm_teammember", "team_id", "crm_team", on_delete="CASCADE"),
        TenantForeignKey("crm_teammember", "user_id", "crm_member", target_column="user_id", on_delete="CASCADE"),
    ]
