import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.contrib.postgres.operations
import django.contrib.postgres.search
import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models

import crm.encryption
import crm.ids
import crm.models.workspaces


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        django.contrib.postgres.operations.BtreeGinExtension(),
        django.contrib.postgres.operations.TrigramExtension(),
        migrations.CreateModel(
            name="User",
            fields=[
                ("id", models.UUIDField(default=crm.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("email", models.EmailField(blank=True, max_length=254)),
                ("phone", models.CharField(blank=True, max_length=32)),
                ("name", models.CharField(blank=True, max_length=200)),
                ("is_anonymous", models.BooleanField(default=False)),
                (
                    "roles",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=32), blank=True, default=list, size=None
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("deactivated_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "indexes": [models.Index(fields=["email"], name="user_email")],
            },
        ),
        migrations.CreateModel(
            name="UserIdentity",
            fields=[
                ("id", models.UUIDField(default=crm.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="identities",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("provider", models.CharField(max_length=40)),
                ("subject", models.CharField(max_length=255)),
                ("provider_time", models.DateTimeField(blank=True, null=True)),
                ("removed_at", models.DateTimeField(blank=True, null=True)),
                ("barred_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("provider", "subject"), name="user_identity_once")],
            },
        ),
        migrations.CreateModel(
            name="Workspace",
            fields=[
                ("id", models.UUIDField(default=crm.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("supabase_id", models.UUIDField(blank=True, null=True, unique=True)),
                ("slug", models.SlugField(max_length=60)),
                ("name", models.CharField(max_length=200)),
                ("timezone", models.CharField(default="UTC", max_length=60)),
                ("default_region", models.CharField(default="US", max_length=2)),
                (
                    "lead_statuses",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40),
                        db_default=["new", "contacted", "qualified", "customer", "lost"],
                        default=crm.models.workspaces.default_lead_statuses,
                        size=None,
                    ),
                ),
                ("settings", models.JSONField(blank=True, db_default={}, default=dict)),
                ("features", models.JSONField(blank=True, default=dict)),
                ("is_feed_open", models.BooleanField(db_default=False, default=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(django.db.models.functions.text.Lower("slug"), name="workspace_slug_once"),
                    models.CheckConstraint(
                        condition=models.Q(("slug", django.db.models.functions.text.Lower("slug"))),
                        name="workspace_slug_lower",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Member",
            fields=[
                ("id", models.UUIDField(default=crm.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="members", to="crm.workspace"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="memberships",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
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
                ("supabase_id", models.UUIDField(blank=True, null=True, unique=True)),
                (
                    "availability",
                    models.CharField(
                        choices=[
                            ("online", "Online"),
                            ("away", "Away"),
                            ("handing", "Away, hand my conversations back"),
                        ],
                        db_default="online",
                        default="online",
                        max_length=10,
                    ),
                ),
                ("preferences", models.JSONField(blank=True, db_default={}, default=dict)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("workspace", "user"), name="member_once"),
                    models.CheckConstraint(
                        condition=models.Q(("role__in", ["owner", "admin", "agent", "tutor", "viewer"])),
                        name="member_role_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Invitation",
            fields=[
                ("id", models.UUIDField(default=crm.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"
                    ),
                ),
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
                (
                    "invited_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("expires_at", models.DateTimeField()),
                ("accepted_at", models.DateTimeField(blank=True, null=True)),
                (
                    "accepted_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("workspace", "id"), name="invitation_tenant_key"),
                    models.UniqueConstraint(
                        models.F("workspace"),
                        django.db.models.functions.text.Lower("email"),
                        condition=models.Q(("accepted_at", None), ("revoked_at", None)),
                        name="invitation_open_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("role__in", ["owner", "admin", "agent", "tutor", "viewer"])),
                        name="invitation_role_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ApiKey",
            fields=[
                ("id", models.UUIDField(default=crm.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"
                    ),
                ),
                ("name", models.CharField(max_length=120)),
                ("prefix", models.CharField(max_length=16)),
                ("digest", models.BinaryField(max_length=32, unique=True)),
                (
                    "scopes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40), default=list, size=None
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("rate_per_minute", models.PositiveIntegerField(default=6000)),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                ("last_used_at", models.DateTimeField(blank=True, null=True)),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        models.F("workspace"), models.OrderBy(models.F("id"), descending=True), name="api_key_newest"
                    )
                ],
                "constraints": [models.UniqueConstraint(fields=("workspace", "id"), name="api_key_tenant_key")],
            },
        ),
        migrations.CreateModel(
            name="AuditEntry",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "workspace",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="crm.workspace",
                    ),
                ),
                ("at", models.DateTimeField(auto_now_add=True)),
                ("actor_kind", models.CharField(max_length=12)),
                ("actor_id", models.UUIDField(blank=True, null=True)),
                ("actor_name", models.CharField(blank=True, max_length=200)),
                ("action", models.CharField(max_length=60)),
                ("target_kind", models.CharField(max_length=40)),
                ("target_id", models.CharField(blank=True, max_length=64)),
                ("detail", models.JSONField(blank=True, default=dict)),
            ],
            options={
                "indexes": [
                    models.Index(
                        models.F("workspace"), models.OrderBy(models.F("id"), descending=True), name="audit_newest"
                    ),
                    models.Index(
                        models.F("workspace"),
                        models.F("target_kind"),
                        models.F("target_id"),
                        models.OrderBy(models.F("id"), descending=True),
                        name="audit_of_target",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Contact",
            fields=[
                ("id", models.UUIDField(default=crm.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"
                    ),
                ),
                ("supabase_id", models.UUIDField(blank=True, null=True, unique=True)),
                ("phone", models.CharField(blank=True, max_length=40)),
                ("phone_normalized", models.CharField(blank=True, max_length=20)),
                ("name", models.CharField(blank=True, max_length=200)),
                ("email", models.EmailField(blank=True, max_length=254)),
                ("lead_status", models.CharField(blank=True, max_length=40)),
                ("lead_score", models.PositiveSmallIntegerField(blank=True, null=True)),
                (
                    "tags",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=60), blank=True, default=list, size=None
                    ),
                ),
                ("metadata", models.JSONField(blank=True, default=dict)),
                ("attributes", models.JSONField(blank=True, db_default={}, default=dict)),
                (
                    "owner",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("blocked_at", models.DateTimeField(blank=True, null=True)),
                (
                    "merged_into",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="crm.contact",
                    ),
                ),
                ("search", django.contrib.postgres.search.SearchVectorField(editable=False, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("deleted_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        models.F("workspace"),
                        models.OrderBy(models.F("created_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        name="contact_newest",
                    ),
                    django.contrib.postgres.indexes.GinIndex(fields=["tags"], name="contact_tags"),
                    models.Index(
                        models.F("workspace"),
                        models.F("lead_status"),
                        models.OrderBy(models.F("created_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        condition=models.Q(("deleted_at", None)),
                        name="contact_by_status",
                    ),
                    models.Index(
                        models.F("workspace"),
                        models.F("owner"),
                        models.OrderBy(models.F("created_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        condition=models.Q(("deleted_at", None)),
                        name="contact_by_owner",
                    ),
                    models.Index(
                        models.F("workspace"),
                        models.OrderBy(models.F("lead_score"), descending=True, nulls_last=True),
                        models.OrderBy(models.F("id"), descending=True),
                        condition=models.Q(("deleted_at", None)),
                        name="contact_by_score",
                    ),
                    models.Index(
                        models.F("workspace"),
                        models.F("name"),
                        models.F("id"),
                        condition=models.Q(("deleted_at", None)),
                        name="contact_by_name",
                    ),
                    models.Index(
                        models.F("workspace"),
                        django.db.models.functions.text.Lower("email"),
                        condition=models.Q(("deleted_at", None), models.Q(("email", ""), _negated=True)),
                        name="contact_by_email",
                    ),
                    models.Index(
                        models.F("workspace"),
                        django.db.models.functions.text.Right("phone_normalized", 7),
                        condition=models.Q(("deleted_at", None), models.Q(("phone_normalized", ""), _negated=True)),
                        name="contact_by_last_digits",
                    ),
                    django.contrib.postgres.indexes.GinIndex(
                        models.F("workspace"), models.F("search"), name="contact_search"
                    ),
                    django.contrib.postgres.indexes.GinIndex(
                        models.F("workspace"),
                        django.contrib.postgres.indexes.OpClass(models.F("attributes"), name="jsonb_path_ops"),
                        name="contact_attribute_values",
                    ),
                    django.contrib.postgres.indexes.GinIndex(
                        models.F("workspace"),
                        django.contrib.postgres.indexes.OpClass(
                            django.db.models.functions.text.Upper("name"), name="gin_trgm_ops"
                        ),
                        django.contrib.postgres.indexes.OpClass(
                            django.db.models.functions.text.Upper("email"), name="gin_trgm_ops"
                        ),
                        django.contrib.postgres.indexes.OpClass(models.F("phone_normalized"), name="gin_trgm_ops"),
                        name="contact_trigrams",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("workspace", "id"), name="contact_tenant_key"),
                    models.UniqueConstraint(
                        condition=models.Q(("deleted_at", None), models.Q(("phone_normalized", ""), _negated=True)),
                        fields=("workspace", "phone_normalized"),
                        name="contact_phone_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("lead_score", None), ("lead_score__lte", 100), _connector="OR"),
                        name="contact_score_range",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ContactIdentity",
            fields=[
                ("id", models.UUIDField(default=crm.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"
                    ),
                ),
                (
                    "contact",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="identities", to="crm.contact"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("match", "Match"),
                            ("phone", "Phone"),
                            ("whatsapp", "Whatsapp"),
                            ("bsuid", "Bsuid"),
                            ("email", "Email"),
                            ("site", "Site"),
                            ("user", "User"),
                        ],
                        max_length=12,
                    ),
                ),
                ("value", models.CharField(max_length=255)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "indexes": [models.Index(fields=["contact"], name="contact_identity_contact")],
                "constraints": [
                    models.UniqueConstraint(fields=("workspace", "id"), name="contact_identity_tenant_key"),
                    models.UniqueConstraint(fields=("workspace", "kind", "value"), name="contact_identity_once"),
                ],
            },
        ),
        migrations.CreateModel(
            name="BillingAccount",
            fields=[
                ("id", models.UUIDField(default=crm.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"
                    ),
                ),
                ("supabase_id", models.UUIDField(blank=True, null=True, unique=True)),
                (
                    "contact",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="crm.contact",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("is_workspace", models.BooleanField(default=False)),
                ("owner_event_at", models.DateTimeField(blank=True, null=True)),
                ("stripe_customer_id", models.CharField(max_length=255)),
                ("stripe_subscription_id", models.CharField(blank=True, max_length=255)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("none", "None"),
                            ("incomplete", "Incomplete"),
                            ("incomplete_expired", "Incomplete Expired"),
                            ("trialing", "Trialing"),
                            ("active", "Active"),
                            ("past_due", "Past Due"),
                            ("canceled", "Canceled"),
                            ("unpaid", "Unpaid"),
                            ("paused", "Paused"),
                        ],
                        default="none",
                        max_length=20,
                    ),
                ),
                ("price_id", models.CharField(blank=True, max_length=255)),
                ("quantity", models.PositiveIntegerField(blank=True, null=True)),
                ("period_end", models.DateTimeField(blank=True, null=True)),
                ("trial_ends_at", models.DateTimeField(blank=True, null=True)),
                ("cancels_at", models.DateTimeField(blank=True, null=True)),
                ("canceled_at", models.DateTimeField(blank=True, null=True)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("payment_failed_at", models.DateTimeField(blank=True, null=True)),
                ("subscription_created_at", models.DateTimeField(blank=True, null=True)),
                ("subscription_event_at", models.DateTimeField(blank=True, null=True)),
                ("subscription_event_rank", models.PositiveSmallIntegerField(db_default=0, default=0)),
                ("invoice_event_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["stripe_customer_id"], name="billing_account_customer"),
                    models.Index(fields=["workspace", "status", "id"], name="billing_account_status"),
                    models.Index(
                        condition=models.Q(("contact", None), _negated=True),
                        fields=["contact"],
                        name="billing_account_contact",
                    ),
                    models.Index(
                        condition=models.Q(("user", None), _negated=True), fields=["user"], name="billing_account_user"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("workspace", "id"), name="billing_account_tenant_key"),
                    models.UniqueConstraint(
                        fields=("workspace", "stripe_customer_id"), name="billing_account_customer_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("contact__isnull", False), ("is_workspace", False), ("user", None)),
                            models.Q(("contact", None), ("is_workspace", False), ("user__isnull", False)),
                            models.Q(("contact", None), ("is_workspace", True), ("user", None)),
                            _connector="OR",
                        ),
                        name="billing_account_one_owner",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "status__in",
                                [
                                    "none",
                                    "incomplete",
                                    "incomplete_expired",
                                    "trialing",
                                    "active",
                                    "past_due",
                                    "canceled",
                                    "unpaid",
                                    "paused",
                                ],
                            )
                        ),
                        name="billing_account_status_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PaymentAttempt",
            fields=[
                ("id", models.UUIDField(default=crm.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"
                    ),
                ),
                ("supabase_id", models.UUIDField(blank=True, null=True, unique=True)),
                ("payment_id", models.CharField(max_length=255, unique=True)),
                ("provider", models.CharField(max_length=20)),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("payer_id", models.CharField(blank=True, max_length=255)),
                ("invoice_id", models.CharField(blank=True, max_length=255)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("failed", "Failed"),
                            ("paid", "Paid"),
                            ("refunded", "Refunded"),
                        ],
                        default="pending",
                        max_length=10,
                    ),
                ),
                ("charge_type", models.CharField(blank=True, max_length=40)),
                ("currency", models.CharField(blank=True, max_length=3)),
                ("amount", models.BigIntegerField(default=0)),
                ("subtotal", models.BigIntegerField(blank=True, null=True)),
                ("tax", models.BigIntegerField(blank=True, null=True)),
                ("failure_code", models.CharField(blank=True, max_length=100)),
                ("failure_message", models.CharField(blank=True, max_length=300)),
                ("paid_at", models.DateTimeField(blank=True, null=True)),
                ("failed_at", models.DateTimeField(blank=True, null=True)),
                ("billed_at", models.DateTimeField(blank=True, null=True)),
                ("provider_updated_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("deleted_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        models.F("user"),
                        models.OrderBy(models.F("id"), descending=True),
                        condition=models.Q(("deleted_at", None)),
                        name="payment_attempt_of_user",
                    ),
                    models.Index(
                        models.F("payer_id"),
                        models.OrderBy(models.F("id"), descending=True),
                        name="payment_attempt_of_payer",
                    ),
                    models.Index(
                        models.F("workspace"),
                        models.OrderBy(models.F("id"), descending=True),
                        name="payment_attempt_newest",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("workspace", "id"), name="payment_attempt_tenant_key"),
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["pending", "failed", "paid", "refunded"])),
                        name="payment_attempt_status_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ProviderEvent",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"
                    ),
                ),
                ("provider", models.CharField(max_length=20)),
                ("event_id", models.CharField(max_length=255)),
                ("type", models.CharField(max_length=100)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("provider", "event_id"), name="provider_event_once")],
            },
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
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"
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
            options={
                "indexes": [
                    models.Index(fields=["workspace", "journey_phase", "contact"], name="profile_phase"),
                    models.Index(
                        models.F("workspace"),
                        models.F("burnout_band"),
                        models.OrderBy(models.F("last_contact_at"), descending=True),
                        models.F("contact"),
                        name="profile_band",
                    ),
                ],
            },
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
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"
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
            options={
                "indexes": [
                    models.Index(
                        models.F("workspace"),
                        models.OrderBy(models.F("last_message_at"), descending=True, nulls_last=True),
                        models.F("contact"),
                        name="memory_seen",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ContactNote",
            fields=[
                ("id", models.UUIDField(default=crm.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"
                    ),
                ),
                ("supabase_id", models.UUIDField(blank=True, null=True, unique=True)),
                (
                    "contact",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="notes", to="crm.contact"
                    ),
                ),
                (
                    "author",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
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
            options={
                "indexes": [
                    models.Index(
                        models.F("contact"),
                        models.OrderBy(models.F("id"), descending=True),
                        condition=models.Q(("deleted_at", None)),
                        name="contact_note_newest",
                    ),
                    django.contrib.postgres.indexes.GinIndex(
                        models.F("workspace"), models.F("search"), name="contact_note_search"
                    ),
                ],
                "constraints": [models.UniqueConstraint(fields=("workspace", "id"), name="contact_note_tenant_key")],
            },
        ),
        migrations.CreateModel(
            name="AttributeDefinition",
            fields=[
                ("id", models.UUIDField(default=crm.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"
                    ),
                ),
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
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("workspace", "id"), name="attribute_definition_tenant_key"),
                    models.UniqueConstraint(fields=("workspace", "key"), name="attribute_key_once"),
                    models.CheckConstraint(
                        condition=models.Q(("type__in", ["text", "number", "date", "boolean", "choice", "url"])),
                        name="attribute_type_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ContactImport",
            fields=[
                ("id", models.UUIDField(default=crm.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
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
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("workspace", "id"), name="contact_import_tenant_key"),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "state__in",
                                ["uploaded", "checking", "checked", "running", "completed", "failed", "cancelled"],
                            )
                        ),
                        name="contact_import_state_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ContactImportProblem",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"
                    ),
                ),
                (
                    "contact_import",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="problems", to="crm.contactimport"
                    ),
                ),
                ("row", models.PositiveIntegerField()),
                ("column", models.CharField(blank=True, max_length=120)),
                ("code", models.CharField(max_length=40)),
                ("message", models.CharField(max_length=300)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("contact_import", "row", "column"), name="contact_import_problem_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ContactMerge",
            fields=[
                ("id", models.UUIDField(default=crm.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"
                    ),
                ),
                (
                    "winner",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.contact"),
                ),
                (
                    "loser",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.contact"),
                ),
                (
                    "merged_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("merged_at", models.DateTimeField(auto_now_add=True)),
                (
                    "undone_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("undone_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        models.F("winner"),
                        models.OrderBy(models.F("id"), descending=True),
                        name="contact_merge_of_winner",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("workspace", "id"), name="contact_merge_tenant_key"),
                    models.UniqueConstraint(
                        condition=models.Q(("undone_at", None)), fields=("loser",), name="contact_merge_loser_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("winner", models.F("loser")), _negated=True),
                        name="contact_merge_two_contacts",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ContactMergeMove",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"
                    ),
                ),
                (
                    "merge",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="moves", to="crm.contactmerge"
                    ),
                ),
                ("table", models.CharField(max_length=63)),
                ("row", models.CharField(max_length=64)),
                ("column", models.CharField(max_length=63)),
                ("before", models.JSONField(null=True)),
                ("after", models.JSONField(null=True)),
            ],
            options={
                "indexes": [models.Index(fields=["merge", "id"], name="contact_merge_move_order")],
            },
        ),
        migrations.CreateModel(
            name="Erasure",
            fields=[
                ("id", models.UUIDField(default=crm.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"
                    ),
                ),
                ("contact_ref", models.UUIDField()),
                (
                    "erased_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("rows", models.JSONField(default=dict)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("workspace", "id"), name="erasure_tenant_key")],
            },
        ),
        migrations.CreateModel(
            name="ErasedTrace",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"
                    ),
                ),
                ("kind", models.CharField(max_length=20)),
                ("digest", models.BinaryField(max_length=32)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("workspace", "kind", "digest"), name="erased_trace_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="BrowserSession",
            fields=[
                ("id", models.UUIDField(default=crm.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="browser_sessions",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("tokens", crm.encryption.EncryptedJSONField()),
                ("expires_at", models.DateTimeField()),
                ("renewed_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("claim", models.UUIDField(blank=True, null=True)),
                ("claimed_until", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "indexes": [models.Index(fields=["renewed_at"], name="browser_session_renewed")],
            },
        ),
        migrations.CreateModel(
            name="IssuerAccount",
            fields=[
                ("user_id", models.UUIDField(default=crm.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("email", models.EmailField(max_length=254)),
                ("password", models.CharField(max_length=200)),
                ("metadata", models.JSONField(blank=True, default=dict)),
                ("banned", models.BooleanField(default=False)),
                ("confirmed_at", models.DateTimeField(blank=True, null=True)),
                ("last_sign_in_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(django.db.models.functions.text.Lower("email"), name="issuer_email_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="IssuerSession",
            fields=[
                ("id", models.UUIDField(default=crm.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="sessions", to="crm.issueraccount"
                    ),
                ),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "indexes": [models.Index(fields=["created_at"], name="issuer_session_created")],
            },
        ),
        migrations.CreateModel(
            name="IssuerRefreshToken",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "session",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="refresh_tokens",
                        to="crm.issuersession",
                    ),
                ),
                ("digest", models.BinaryField(max_length=32, unique=True)),
                ("used_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
        ),
        migrations.CreateModel(
            name="Team",
            fields=[
                ("id", models.UUIDField(default=crm.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"
                    ),
                ),
                ("name", models.CharField(max_length=80)),
                ("hue", models.PositiveSmallIntegerField(default=1)),
                ("assigns_itself", models.BooleanField(db_default=False, default=False)),
                ("most_open", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("workspace", "id"), name="team_tenant_key"),
                    models.UniqueConstraint(
                        models.F("workspace"), django.db.models.functions.text.Lower("name"), name="team_name_once"
                    ),
                    models.CheckConstraint(condition=models.Q(("hue__gte", 1), ("hue__lte", 8)), name="team_hue_range"),
                ],
            },
        ),
        migrations.CreateModel(
            name="TeamMember",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"
                    ),
                ),
                (
                    "team",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="members", to="crm.team"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("last_assigned_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("team", "user"), name="team_member_once")],
            },
        ),
        migrations.CreateModel(
            name="SavedView",
            fields=[
                ("id", models.UUIDField(default=crm.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"
                    ),
                ),
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
                (
                    "owner",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "team",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="crm.team",
                    ),
                ),
                ("filters", models.JSONField(blank=True, default=dict)),
                ("sort", models.CharField(blank=True, max_length=40)),
                ("columns", models.JSONField(blank=True, default=list)),
                ("position", models.PositiveSmallIntegerField(default=0)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
            ],
            options={
                "indexes": [models.Index(fields=["workspace", "scope", "position", "id"], name="saved_view_order")],
                "constraints": [
                    models.UniqueConstraint(fields=("workspace", "id"), name="saved_view_tenant_key"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("audience", "mine"), ("owner__isnull", False), ("team", None)),
                            models.Q(("audience", "team"), ("team__isnull", False)),
                            models.Q(("audience", "everyone"), ("team", None)),
                            _connector="OR",
                        ),
                        name="saved_view_audience_fits",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("scope__in", ["contacts", "conversations"])), name="saved_view_scope_known"
                    ),
                ],
            },
        ),
    ]
