import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
import django.db.models.functions.text
from django.conf import settings
from django.contrib.postgres.operations import BtreeGinExtension, TrigramExtension
from django.db import migrations, models

import crm.ids
import crm.models.workspaces


class Migration(migrations.Migration):
    dependencies = [
        ("crm", "0007_billing_order_and_barred_people"),
    ]

    operations = [
        BtreeGinExtension(),
        TrigramExtension(),
        migrations.CreateModel(
            name="ApiKey",
            fields=[
                ("id", models.UUIDField(default=crm.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=120)),
                ("prefix", models.CharField(max_length=16)),
                ("digest", models.BinaryField(max_length=32, unique=True)),
                (
                    "scopes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40), default=list, size=None
                    ),
                ),
                ("rate_per_minute", models.PositiveIntegerField(default=600)),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                ("last_used_at", models.DateTimeField(blank=True, null=True)),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name="AttributeDefinition",
            fields=[
                ("id", models.UUIDField(default=crm.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("key", models.SlugField(max_length=60)),
                ("label", models.CharField(max_length=120)),
                (
                    "type",
                    models.CharField(
                        choices=[
                            ("text", "Text"),
                            ("number", "Number"),
                            ("date", "Date"),
                            ("boolean", "Boolean"),
                            ("choice", "Choice"),
                            ("url", "Url"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "choices",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=120), blank=True, default=list, size=None
                    ),
                ),
                ("position", models.PositiveSmallIntegerField(default=0)),
                ("archived_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name="AuditEntry",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField(auto_now_add=True)),
                ("actor_kind", models.CharField(max_length=12)),
                ("actor_id", models.UUIDField(blank=True, null=True)),
                ("actor_name", models.CharField(blank=True, max_length=200)),
                ("action", models.CharField(max_length=60)),
                ("target_kind", models.CharField(max_length=40)),
                ("target_id", models.CharField(blank=True, max_length=64)),
                ("detail", models.JSONField(blank=True, default=dict)),
            ],
        ),
        migrations.CreateModel(
            name="ContactImport",
            fields=[
                ("id", models.UUIDField(default=crm.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("filename", models.CharField(max_length=255)),
                ("storage_name", models.CharField(max_length=255)),
                ("size", models.PositiveBigIntegerField()),
                ("encoding", models.CharField(blank=True, max_length=20)),
                ("dialect", models.JSONField(blank=True, default=dict)),
                ("columns", models.JSONField(blank=True, default=list)),
                ("mapping", models.JSONField(blank=True, default=dict)),
                ("options", models.JSONField(blank=True, default=dict)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("uploaded", "Uploaded"),
                            ("checking", "Checking"),
                            ("checked", "Checked"),
                            ("running", "Running"),
                            ("completed", "Completed"),
                            ("failed", "Failed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="uploaded",
                        max_length=10,
                    ),
                ),
                ("error", models.CharField(blank=True, max_length=300)),
                ("total_rows", models.PositiveIntegerField(blank=True, null=True)),
                ("done_rows", models.PositiveIntegerField(default=0)),
                ("created_rows", models.PositiveIntegerField(default=0)),
                ("updated_rows", models.PositiveIntegerField(default=0)),
                ("skipped_rows", models.PositiveIntegerField(default=0)),
                ("refused_rows", models.PositiveIntegerField(default=0)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name="ContactImportProblem",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("row", models.PositiveIntegerField()),
                ("column", models.CharField(blank=True, max_length=120)),
                ("code", models.CharField(max_length=40)),
                ("message", models.CharField(max_length=300)),
            ],
        ),
        migrations.CreateModel(
            name="ContactMemory",
            fields=[
                (
                    "contact",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="memory",
                        serialize=False,
                        to="crm.contact",
                    ),
                ),
                ("supabase_id", models.UUIDField(blank=True, null=True, unique=True)),
                ("recent_messages", models.JSONField(blank=True, default=list)),
                ("historical_summary", models.TextField(blank=True)),
                ("conversation_started_at", models.DateTimeField(blank=True, null=True)),
                ("total_interactions", models.PositiveIntegerField(db_default=0, default=0)),
                ("last_message_at", models.DateTimeField(blank=True, null=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
            ],
        ),
        migrations.CreateModel(
            name="ContactMerge",
            fields=[
                ("id", models.UUIDField(default=crm.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("merged_at", models.DateTimeField(auto_now_add=True)),
                ("undone_at", models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name="ContactMergeMove",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("table", models.CharField(max_length=63)),
                ("row", models.CharField(max_length=64)),
                ("column", models.CharField(max_length=63)),
                ("before", models.JSONField(null=True)),
                ("after", models.JSONField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="ContactNote",
            fields=[
                ("id", models.UUIDField(default=crm.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("supabase_id", models.UUIDField(blank=True, null=True, unique=True)),
                ("body", models.TextField()),
                (
                    "mentions",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.UUIDField(), blank=True, default=list, size=None
                    ),
                ),
                ("search", django.contrib.postgres.search.SearchVectorField(editable=False, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("deleted_at", models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name="ContactProfile",
            fields=[
                (
                    "contact",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="profile",
                        serialize=False,
                        to="crm.contact",
                    ),
                ),
                ("supabase_id", models.UUIDField(blank=True, null=True, unique=True)),
                ("first_name", models.CharField(blank=True, max_length=120)),
                ("relationship", models.CharField(blank=True, max_length=60)),
                ("zip_code", models.CharField(blank=True, max_length=20)),
                ("journey_phase", models.CharField(blank=True, max_length=60)),
                ("burnout_score", models.DecimalField(blank=True, decimal_places=2, max_digits=5, null=True)),
                (
                    "burnout_band",
                    models.CharField(
                        blank=True,
                        choices=[("low", "Low"), ("moderate", "Moderate"), ("high", "High"), ("severe", "Severe")],
                        max_length=10,
                    ),
                ),
                (
                    "pressure_zones",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=60), blank=True, default=list, size=None
                    ),
                ),
                ("last_contact_at", models.DateTimeField(blank=True, null=True)),
                ("assessment", models.JSONField(blank=True, default=dict)),
                ("updated_at", models.DateTimeField(auto_now=True)),
            ],
        ),
        migrations.CreateModel(
            name="ErasedTrace",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("kind", models.CharField(max_length=20)),
                ("digest", models.BinaryField(max_length=32)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name="Erasure",
            fields=[
                ("id", models.UUIDField(default=crm.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("contact_ref", models.UUIDField()),
                ("rows", models.JSONField(default=dict)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name="Invitation",
            fields=[
                ("id", models.UUIDField(default=crm.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("email", models.EmailField(max_length=254)),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("owner", "Owner"),
                            ("admin", "Admin"),
                            ("agent", "Agent"),
                            ("tutor", "Tutor"),
                            ("viewer", "Viewer"),
                        ],
                        max_length=10,
                    ),
                ),
                ("digest", models.BinaryField(max_length=32, unique=True)),
                ("expires_at", models.DateTimeField()),
                ("accepted_at", models.DateTimeField(blank=True, null=True)),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name="SavedView",
            fields=[
                ("id", models.UUIDField(default=crm.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "scope",
                    models.CharField(
                        choices=[("contacts", "Contacts"), ("conversations", "Conversations")], max_length=14
                    ),
                ),
                ("name", models.CharField(max_length=80)),
                (
                    "audience",
                    models.CharField(
                        choices=[("mine", "Mine"), ("team", "Team"), ("everyone", "Everyone")],
                        default="mine",
                        max_length=10,
                    ),
                ),
                ("filters", models.JSONField(blank=True, default=dict)),
                ("sort", models.CharField(blank=True, max_length=40)),
                ("columns", models.JSONField(blank=True, default=list)),
                ("position", models.PositiveSmallIntegerField(default=0)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
            ],
        ),
        migrations.CreateModel(
            name="Team",
            fields=[
                ("id", models.UUIDField(default=crm.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=80)),
                ("hue", models.PositiveSmallIntegerField(default=1)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name="TeamMember",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
            ],
        ),
        migrations.AddField(
            model_name="contact",
            name="attributes",
            field=models.JSONField(blank=True, db_default={}, default=dict),
        ),
        migrations.AddField(
            model_name="contact",
            name="merged_into",
            field=models.ForeignKey(
                blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="crm.contact"
            ),
        ),
        migrations.AddField(
            model_name="contact",
            name="search",
            field=django.contrib.postgres.search.SearchVectorField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="member",
            name="supabase_id",
            field=models.UUIDField(blank=True, null=True, unique=True),
        ),
        migrations.AddField(
            model_name="workspace",
            name="lead_statuses",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=40),
                db_default=["new", "contacted", "qualified", "customer", "lost"],
                default=crm.models.workspaces.default_lead_statuses,
                size=None,
            ),
        ),
        migrations.AddField(
            model_name="workspace",
            name="settings",
            field=models.JSONField(blank=True, db_default={}, default=dict),
        ),
        migrations.AddField(
            model_name="apikey",
            name="created_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="apikey",
            name="workspace",
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"),
        ),
        migrations.AddField(
            model_name="attributedefinition",
            name="workspace",
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"),
        ),
        migrations.AddField(
            model_name="auditentry",
            name="workspace",
            field=models.ForeignKey(
                blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"
            ),
        ),
        migrations.AddField(
            model_name="contactimport",
            name="created_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="contactimport",
            name="workspace",
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"),
        ),
        migrations.AddField(
            model_name="contactimportproblem",
            name="contact_import",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="problems", to="crm.contactimport"
            ),
        ),
        migrations.AddField(
            model_name="contactimportproblem",
            name="workspace",
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"),
        ),
        migrations.AddField(
            model_name="contactmemory",
            name="workspace",
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"),
        ),
        migrations.AddField(
            model_name="contactmerge",
            name="loser",
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.contact"),
        ),
        migrations.AddField(
            model_name="contactmerge",
            name="merged_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="contactmerge",
            name="undone_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="contactmerge",
            name="winner",
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.contact"),
        ),
        migrations.AddField(
            model_name="contactmerge",
            name="workspace",
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"),
        ),
        migrations.AddField(
            model_name="contactmergemove",
            name="merge",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="moves", to="crm.contactmerge"
            ),
        ),
        migrations.AddField(
            model_name="contactmergemove",
            name="workspace",
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"),
        ),
        migrations.AddField(
            model_name="contactnote",
            name="author",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="contactnote",
            name="contact",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="notes", to="crm.contact"
            ),
        ),
        migrations.AddField(
            model_name="contactnote",
            name="workspace",
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"),
        ),
        migrations.AddField(
            model_name="contactprofile",
            name="workspace",
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"),
        ),
        migrations.AddField(
            model_name="erasedtrace",
            name="workspace",
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"),
        ),
        migrations.AddField(
            model_name="erasure",
            name="erased_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="erasure",
            name="workspace",
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"),
        ),
        migrations.AddField(
            model_name="invitation",
            name="accepted_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="invitation",
            name="invited_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="invitation",
            name="workspace",
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"),
        ),
        migrations.AddField(
            model_name="savedview",
            name="owner",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="savedview",
            name="workspace",
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"),
        ),
        migrations.AddField(
            model_name="team",
            name="workspace",
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"),
        ),
        migrations.AddField(
            model_name="savedview",
            name="team",
            field=models.ForeignKey(
                blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.team"
            ),
        ),
        migrations.AddField(
            model_name="teammember",
            name="team",
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="members", to="crm.team"),
        ),
        migrations.AddField(
            model_name="teammember",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="teammember",
            name="workspace",
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"),
        ),
        migrations.AddIndex(
            model_name="apikey",
            index=models.Index(
                models.F("workspace"), models.OrderBy(models.F("id"), descending=True), name="api_key_newest"
            ),
        ),
        migrations.AddConstraint(
            model_name="apikey",
            constraint=models.UniqueConstraint(fields=("workspace", "id"), name="api_key_tenant_key"),
        ),
        migrations.AddConstraint(
            model_name="attributedefinition",
            constraint=models.UniqueConstraint(fields=("workspace", "id"), name="attribute_definition_tenant_key"),
        ),
        migrations.AddConstraint(
            model_name="attributedefinition",
            constraint=models.UniqueConstraint(fields=("workspace", "key"), name="attribute_key_once"),
        ),
        migrations.AddConstraint(
            model_name="attributedefinition",
            constraint=models.CheckConstraint(
                condition=models.Q(("type__in", ["text", "number", "date", "boolean", "choice", "url"])),
                name="attribute_type_known",
            ),
        ),
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(
                models.F("workspace"), models.OrderBy(models.F("id"), descending=True), name="audit_newest"
            ),
        ),
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(
                models.F("workspace"),
                models.F("target_kind"),
                models.F("target_id"),
                models.OrderBy(models.F("id"), descending=True),
                name="audit_of_target",
            ),
        ),
        migrations.AddConstraint(
            model_name="contactimport",
            constraint=models.UniqueConstraint(fields=("workspace", "id"), name="contact_import_tenant_key"),
        ),
        migrations.AddConstraint(
            model_name="contactimport",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state__in", ["uploaded", "checking", "checked", "running", "completed", "failed", "cancelled"])
                ),
                name="contact_import_state_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="contactimportproblem",
            constraint=models.UniqueConstraint(
                fields=("contact_import", "row", "column"), name="contact_import_problem_once"
            ),
        ),
        migrations.AddIndex(
            model_name="contactmemory",
            index=models.Index(
                models.F("workspace"),
                models.OrderBy(models.F("last_message_at"), descending=True, nulls_last=True),
                models.F("contact"),
                name="memory_seen",
            ),
        ),
        migrations.AddIndex(
            model_name="contactmerge",
            index=models.Index(
                models.F("winner"), models.OrderBy(models.F("id"), descending=True), name="contact_merge_of_winner"
            ),
        ),
        migrations.AddConstraint(
            model_name="contactmerge",
            constraint=models.UniqueConstraint(fields=("workspace", "id"), name="contact_merge_tenant_key"),
        ),
        migrations.AddConstraint(
            model_name="contactmerge",
            constraint=models.UniqueConstraint(
                condition=models.Q(("undone_at", None)), fields=("loser",), name="contact_merge_loser_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="contactmerge",
            constraint=models.CheckConstraint(
                condition=models.Q(("winner", models.F("loser")), _negated=True), name="contact_merge_two_contacts"
            ),
        ),
        migrations.AddIndex(
            model_name="contactmergemove",
            index=models.Index(fields=["merge", "id"], name="contact_merge_move_order"),
        ),
        migrations.AddIndex(
            model_name="contactnote",
            index=models.Index(
                models.F("contact"),
                models.OrderBy(models.F("id"), descending=True),
                condition=models.Q(("deleted_at", None)),
                name="contact_note_newest",
            ),
        ),
        migrations.AddIndex(
            model_name="contactnote",
            index=django.contrib.postgres.indexes.GinIndex(
                models.F("workspace"), models.F("search"), name="contact_note_search"
            ),
        ),
        migrations.AddConstraint(
            model_name="contactnote",
            constraint=models.UniqueConstraint(fields=("workspace", "id"), name="contact_note_tenant_key"),
        ),
        migrations.AddIndex(
            model_name="contactprofile",
            index=models.Index(fields=["workspace", "journey_phase", "contact"], name="profile_phase"),
        ),
        migrations.AddIndex(
            model_name="contactprofile",
            index=models.Index(
                models.F("workspace"),
                models.F("burnout_band"),
                models.OrderBy(models.F("last_contact_at"), descending=True),
                models.F("contact"),
                name="profile_band",
            ),
        ),
        migrations.AddConstraint(
            model_name="erasedtrace",
            constraint=models.UniqueConstraint(fields=("workspace", "kind", "digest"), name="erased_trace_once"),
        ),
        migrations.AddConstraint(
            model_name="erasure",
            constraint=models.UniqueConstraint(fields=("workspace", "id"), name="erasure_tenant_key"),
        ),
        migrations.AddConstraint(
            model_name="invitation",
            constraint=models.UniqueConstraint(fields=("workspace", "id"), name="invitation_tenant_key"),
        ),
        migrations.AddConstraint(
            model_name="invitation",
            constraint=models.UniqueConstraint(
                models.F("workspace"),
                django.db.models.functions.text.Lower("email"),
                condition=models.Q(("accepted_at", None), ("revoked_at", None)),
                name="invitation_open_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="invitation",
            constraint=models.CheckConstraint(
                condition=models.Q(("role__in", ["owner", "admin", "agent", "tutor", "viewer"])),
                name="invitation_role_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="team",
            constraint=models.UniqueConstraint(fields=("workspace", "id"), name="team_tenant_key"),
        ),
        migrations.AddConstraint(
            model_name="team",
            constraint=models.UniqueConstraint(
                models.F("workspace"), django.db.models.functions.text.Lower("name"), name="team_name_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="team",
            constraint=models.CheckConstraint(
                condition=models.Q(("hue__gte", 1), ("hue__lte", 8)), name="team_hue_range"
            ),
        ),
        migrations.AddIndex(
            model_name="savedview",
            index=models.Index(fields=["workspace", "scope", "position", "id"], name="saved_view_order"),
        ),
        migrations.AddConstraint(
            model_name="savedview",
            constraint=models.UniqueConstraint(fields=("workspace", "id"), name="saved_view_tenant_key"),
        ),
        migrations.AddConstraint(
            model_name="savedview",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("audience", "mine"), ("owner__isnull", False), ("team", None)),
                    models.Q(("audience", "team"), ("team__isnull", False)),
                    models.Q(("audience", "everyone"), ("team", None)),
                    _connector="OR",
                ),
                name="saved_view_audience_fits",
            ),
        ),
        migrations.AddConstraint(
            model_name="savedview",
            constraint=models.CheckConstraint(
                condition=models.Q(("scope__in", ["contacts", "conversations"])), name="saved_view_scope_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="teammember",
            constraint=models.UniqueConstraint(fields=("team", "user"), name="team_member_once"),
        ),
    ]
