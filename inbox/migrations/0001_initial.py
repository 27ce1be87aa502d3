import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models

import crm.encryption
import crm.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("crm", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Channel",
            fields=[
                ("id", models.UUIDField(default=crm.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"
                    ),
                ),
                ("slug", models.SlugField(max_length=60)),
                (
                    "kind",
                    models.CharField(
                        choices=[("kapso", "WhatsApp"), ("twilio", "SMS"), ("widget", "Web chat")], max_length=10
                    ),
                ),
                ("name", models.CharField(max_length=120)),
                ("identifier", models.CharField(blank=True, max_length=120)),
                ("phone", models.CharField(blank=True, max_length=20)),
                ("credentials", crm.encryption.EncryptedJSONField(blank=True, default=dict)),
                ("settings", models.JSONField(blank=True, default=dict)),
                ("is_active", models.BooleanField(default=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("workspace", "id"), name="channel_tenant_key"),
                    models.UniqueConstraint(django.db.models.functions.text.Lower("slug"), name="channel_slug_once"),
                    models.CheckConstraint(
                        condition=models.Q(("slug", django.db.models.functions.text.Lower("slug"))),
                        name="channel_slug_lower",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ChannelPace",
            fields=[
                (
                    "channel",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="inbox.channel",
                    ),
                ),
                ("tokens", models.FloatField(default=0)),
                ("filled_at", models.DateTimeField(auto_now_add=True)),
                ("held_until", models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name="OptOut",
            fields=[
                ("id", models.UUIDField(default=crm.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"
                    ),
                ),
                (
                    "channel",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="inbox.channel"
                    ),
                ),
                ("sender", models.CharField(max_length=80)),
                ("address", models.CharField(max_length=80)),
                ("opted_out_at", models.DateTimeField(blank=True, null=True)),
                ("opted_in_at", models.DateTimeField(blank=True, null=True)),
                ("keyword", models.CharField(blank=True, max_length=20)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("workspace", "id"), name="opt_out_tenant_key"),
                    models.UniqueConstraint(fields=("channel", "sender", "address"), name="opt_out_once"),
                ],
            },
        ),
        migrations.CreateModel(
            name="MessageTemplate",
            fields=[
                ("id", models.UUIDField(default=crm.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"
                    ),
                ),
                (
                    "channel",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="templates", to="inbox.channel"
                    ),
                ),
                ("name", models.CharField(max_length=512)),
                ("language", models.CharField(max_length=20)),
                ("provider_id", models.CharField(blank=True, max_length=255)),
                ("category", models.CharField(blank=True, max_length=40)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("approved", "Approved"),
                            ("pending", "Pending"),
                            ("rejected", "Rejected"),
                            ("paused", "Paused"),
                        ],
                        max_length=10,
                    ),
                ),
                ("components", models.JSONField(default=list)),
                ("variables", models.JSONField(default=list)),
                ("synced_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("workspace", "id"), name="message_template_tenant_key"),
                    models.UniqueConstraint(fields=("channel", "name", "language"), name="message_template_once"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Message",
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
                    "channel",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="inbox.channel"
                    ),
                ),
                (
                    "direction",
                    models.CharField(
                        choices=[("in", "In"), ("out", "Out"), ("note", "Note"), ("activity", "Activity")], max_length=8
                    ),
                ),
                (
                    "sender_kind",
                    models.CharField(
                        choices=[("contact", "Contact"), ("member", "Member"), ("bot", "Bot"), ("system", "System")],
                        max_length=8,
                    ),
                ),
                (
                    "sender_user",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("type", models.CharField(default="text", max_length=24)),
                ("body", models.TextField(blank=True)),
                ("detail", models.JSONField(blank=True, default=dict)),
                (
                    "reply_to",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="inbox.message",
                    ),
                ),
                ("client_id", models.UUIDField(blank=True, null=True)),
                ("provider_id", models.CharField(blank=True, max_length=255)),
                ("provider_time", models.DateTimeField(blank=True, null=True)),
                ("search", django.contrib.postgres.search.SearchVectorField(editable=False, null=True)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("received", "Received"),
                            ("queued", "Queued"),
                            ("sending", "Sending"),
                            ("unknown", "Unknown"),
                            ("sent", "Sent"),
                            ("delivered", "Delivered"),
                            ("read", "Read"),
                            ("failed", "Failed"),
                        ],
                        max_length=10,
                    ),
                ),
                ("error_code", models.CharField(blank=True, max_length=60)),
                ("error_message", models.CharField(blank=True, max_length=500)),
                ("send_attempt", models.PositiveSmallIntegerField(default=0)),
                ("sending_since", models.DateTimeField(blank=True, null=True)),
                ("send_after", models.DateTimeField(blank=True, null=True)),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
                ("delivered_at", models.DateTimeField(blank=True, null=True)),
                ("read_at", models.DateTimeField(blank=True, null=True)),
                ("failed_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("edited_at", models.DateTimeField(blank=True, null=True)),
                ("deleted_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "indexes": [
                    django.contrib.postgres.indexes.GinIndex(
                        models.F("workspace"), models.F("search"), name="message_search"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("workspace", "id"), name="message_tenant_key"),
                    models.UniqueConstraint(
                        condition=models.Q(("provider_id", ""), _negated=True),
                        fields=("channel", "provider_id"),
                        name="message_provider_once",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("client_id", None), _negated=True),
                        fields=("workspace", "client_id"),
                        name="message_client_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("direction", "in"), ("status__in", ("received",))),
                            models.Q(
                                ("direction", "out"),
                                ("status__in", ("queued", "sending", "unknown", "sent", "delivered", "read", "failed")),
                            ),
                            models.Q(("direction", "note"), ("status__in", ("received",))),
                            models.Q(("direction", "activity"), ("status__in", ("received",))),
                            _connector="OR",
                        ),
                        name="message_status_fits",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Label",
            fields=[
                ("id", models.UUIDField(default=crm.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"
                    ),
                ),
                ("name", models.CharField(max_length=60)),
                ("hue", models.PositiveSmallIntegerField(default=1)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("workspace", "id"), name="label_tenant_key"),
                    models.UniqueConstraint(fields=("workspace", "name"), name="label_once"),
                    models.CheckConstraint(
                        condition=models.Q(("hue__gte", 1), ("hue__lte", 8)), name="label_hue_range"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Conversation",
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
                        on_delete=django.db.models.deletion.PROTECT, related_name="conversations", to="crm.contact"
                    ),
                ),
                (
                    "channel",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="inbox.channel"
                    ),
                ),
                (
                    "scope",
                    models.CharField(
                        choices=[("support", "Support"), ("exam", "Exam")], default="support", max_length=10
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("open", "Open"),
                            ("pending", "Pending"),
                            ("snoozed", "Snoozed"),
                            ("resolved", "Resolved"),
                        ],
                        default="open",
                        max_length=10,
                    ),
                ),
                (
                    "assignee",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "priority",
                    models.CharField(
                        choices=[
                            ("none", "No priority"),
                            ("low", "Low"),
                            ("medium", "Medium"),
                            ("high", "High"),
                            ("urgent", "Urgent"),
                        ],
                        default="none",
                        max_length=10,
                    ),
                ),
                (
                    "team",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="crm.team",
                    ),
                ),
                ("peer_address", models.CharField(blank=True, max_length=160)),
                (
                    "last_message",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="inbox.message"
                    ),
                ),
                ("last_activity_at", models.DateTimeField()),
                ("last_inbound_at", models.DateTimeField(blank=True, null=True)),
                ("waiting_since", models.DateTimeField(blank=True, null=True)),
                ("inbound_count", models.PositiveIntegerField(default=0)),
                ("snoozed_until", models.DateTimeField(blank=True, null=True)),
                ("spam_at", models.DateTimeField(blank=True, null=True)),
                ("first_reply_at", models.DateTimeField(blank=True, null=True)),
                ("resolved_at", models.DateTimeField(blank=True, null=True)),
                ("rating", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("rating_comment", models.CharField(blank=True, db_default="", max_length=2000)),
                ("team_seen_up_to", models.UUIDField(blank=True, null=True)),
                ("told_customer", models.CharField(blank=True, db_default="", max_length=200)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("deleted_at", models.DateTimeField(blank=True, null=True)),
                (
                    "merged_into",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="inbox.conversation",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        models.F("workspace"),
                        models.F("status"),
                        models.OrderBy(models.F("last_activity_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        condition=models.Q(("deleted_at", None), ("scope", "support")),
                        name="conversation_list",
                    ),
                    models.Index(
                        models.F("workspace"),
                        models.F("assignee"),
                        models.F("status"),
                        models.OrderBy(models.F("last_activity_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        condition=models.Q(("deleted_at", None), ("scope", "support")),
                        name="conversation_list_assignee",
                    ),
                    models.Index(
                        models.F("workspace"),
                        models.F("status"),
                        models.F("waiting_since"),
                        models.F("id"),
                        condition=models.Q(
                            ("deleted_at", None), ("scope", "support"), models.Q(("waiting_since", None), _negated=True)
                        ),
                        name="conversation_waiting",
                    ),
                    models.Index(
                        models.F("contact"),
                        models.OrderBy(models.F("last_activity_at"), descending=True),
                        name="conversation_of_contact",
                    ),
                    models.Index(
                        condition=models.Q(("snoozed_until", None), _negated=True),
                        fields=["snoozed_until"],
                        name="conversation_snoozed",
                    ),
                    models.Index(
                        models.F("workspace"),
                        models.F("team"),
                        models.F("status"),
                        models.OrderBy(models.F("last_activity_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        condition=models.Q(
                            ("deleted_at", None), ("scope", "support"), models.Q(("team", None), _negated=True)
                        ),
                        name="conversation_list_team",
                    ),
                    models.Index(
                        models.F("workspace"),
                        models.OrderBy(models.F("last_activity_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        condition=models.Q(("deleted_at", None), ("scope", "support")),
                        name="conversation_list_any",
                    ),
                    models.Index(
                        models.F("workspace"),
                        models.F("assignee"),
                        models.OrderBy(models.F("last_activity_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        condition=models.Q(("deleted_at", None), ("scope", "support")),
                        name="conversation_list_any_assignee",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("workspace", "id"), name="conversation_tenant_key"),
                    models.UniqueConstraint(
                        condition=models.Q(
                            ("deleted_at", None),
                            ("merged_into", None),
                            ("scope", "support"),
                            models.Q(("status", "resolved"), _negated=True),
                        ),
                        fields=("channel", "contact"),
                        name="conversation_open_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["open", "pending", "snoozed", "resolved"])),
                        name="conversation_status_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("rating", None), models.Q(("rating__gte", 1), ("rating__lte", 5)), _connector="OR"
                        ),
                        name="conversation_rating_range",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ConversationReader",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"
                    ),
                ),
                (
                    "conversation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="readers", to="inbox.conversation"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("seen_count", models.PositiveIntegerField(default=0)),
                ("updated_at", models.DateTimeField(auto_now=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("conversation", "user"), name="conversation_reader_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="ConversationLabel",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"
                    ),
                ),
                (
                    "conversation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="inbox.conversation"
                    ),
                ),
                (
                    "label",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="inbox.label"),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("conversation", "label"), name="conversation_label_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="MessageReceipt",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"
                    ),
                ),
                (
                    "channel",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="inbox.channel"
                    ),
                ),
                ("provider_id", models.CharField(max_length=255)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("received", "Received"),
                            ("queued", "Queued"),
                            ("sending", "Sending"),
                            ("unknown", "Unknown"),
                            ("sent", "Sent"),
                            ("delivered", "Delivered"),
                            ("read", "Read"),
                            ("failed", "Failed"),
                        ],
                        max_length=10,
                    ),
                ),
                ("at", models.DateTimeField()),
                ("error_code", models.CharField(blank=True, max_length=60)),
                ("error_message", models.CharField(blank=True, max_length=500)),
                ("received_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("channel", "provider_id", "status"), name="message_receipt_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="Attachment",
            fields=[
                ("id", models.UUIDField(default=crm.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"
                    ),
                ),
                (
                    "message",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="attachments",
                        to="inbox.message",
                    ),
                ),
                (
                    "uploaded_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("position", models.PositiveSmallIntegerField(default=0)),
                ("kind", models.CharField(max_length=12)),
                ("name", models.CharField(blank=True, max_length=255)),
                ("content_type", models.CharField(blank=True, max_length=120)),
                ("size", models.PositiveBigIntegerField(blank=True, null=True)),
                ("sha256", models.CharField(blank=True, db_default="", max_length=64)),
                ("provider_media_id", models.CharField(blank=True, max_length=255)),
                ("source", crm.encryption.EncryptedJSONField(blank=True, null=True)),
                ("storage_name", models.CharField(blank=True, db_default="", max_length=255)),
                (
                    "state",
                    models.CharField(
                        choices=[("pending", "Pending"), ("stored", "Stored"), ("failed", "Failed")],
                        default="pending",
                        max_length=8,
                    ),
                ),
                ("fetch_attempt", models.PositiveSmallIntegerField(db_default=0, default=0)),
                ("error_code", models.CharField(blank=True, db_default="", max_length=60)),
                ("error_message", models.CharField(blank=True, db_default="", max_length=300)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "indexes": [
                    models.Index(condition=models.Q(("message", None)), fields=["created_at"], name="attachment_unsent")
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("workspace", "id"), name="attachment_tenant_key"),
                    models.UniqueConstraint(fields=("message", "position"), name="attachment_position_once"),
                    models.CheckConstraint(
                        condition=models.Q(("message__isnull", False), ("uploaded_by__isnull", False), _connector="OR"),
                        name="attachment_has_owner",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Draft",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"
                    ),
                ),
                (
                    "conversation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="inbox.conversation"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("is_note", models.BooleanField(default=False)),
                ("body", models.TextField(blank=True)),
                ("detail", models.JSONField(blank=True, default=dict)),
                ("version", models.PositiveIntegerField(default=1)),
                ("updated_at", models.DateTimeField(auto_now=True)),
            ],
            options={
                "indexes": [models.Index(fields=["conversation"], name="draft_of_conversation")],
                "constraints": [models.UniqueConstraint(fields=("user", "conversation"), name="draft_once")],
            },
        ),
        migrations.CreateModel(
            name="SavedReply",
            fields=[
                ("id", models.UUIDField(default=crm.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"
                    ),
                ),
                ("shortcut", models.SlugField(max_length=40)),
                ("title", models.CharField(max_length=120)),
                ("body", models.TextField()),
                (
                    "audience",
                    models.CharField(
                        choices=[("mine", "Mine"), ("team", "Team"), ("everyone", "Everyone")],
                        default="everyone",
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
                ("uses", models.PositiveIntegerField(default=0)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
            ],
            options={
                "verbose_name_plural": "saved replies",
                "constraints": [
                    models.UniqueConstraint(fields=("workspace", "id"), name="saved_reply_tenant_key"),
                    models.UniqueConstraint(
                        models.F("workspace"),
                        django.db.models.functions.text.Lower("shortcut"),
                        condition=models.Q(("audience", "mine"), _negated=True),
                        name="saved_reply_shared_shortcut_once",
                    ),
                    models.UniqueConstraint(
                        models.F("owner"),
                        models.F("workspace"),
                        django.db.models.functions.text.Lower("shortcut"),
                        condition=models.Q(("audience", "mine")),
                        name="saved_reply_own_shortcut_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("audience", "mine"), ("owner__isnull", False), ("team", None)),
                            models.Q(("audience", "team"), ("team__isnull", False)),
                            models.Q(("audience", "everyone"), ("team", None)),
                            _connector="OR",
                        ),
                        name="saved_reply_audience_fits",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Macro",
            fields=[
                ("id", models.UUIDField(default=crm.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"
                    ),
                ),
                ("name", models.CharField(max_length=120)),
                ("steps", models.JSONField(default=list)),
                (
                    "audience",
                    models.CharField(
                        choices=[("mine", "Mine"), ("team", "Team"), ("everyone", "Everyone")],
                        default="everyone",
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
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("workspace", "id"), name="macro_tenant_key"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("audience", "mine"), ("owner__isnull", False), ("team", None)),
                            models.Q(("audience", "team"), ("team__isnull", False)),
                            models.Q(("audience", "everyone"), ("team", None)),
                            _connector="OR",
                        ),
                        name="macro_audience_fits",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Notice",
            fields=[
                ("id", models.UUIDField(default=crm.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("kind", models.CharField(max_length=20)),
                (
                    "conversation",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="inbox.conversation",
                    ),
                ),
                (
                    "message",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="inbox.message",
                    ),
                ),
                ("key", models.CharField(max_length=120)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("read_at", models.DateTimeField(blank=True, null=True)),
                ("mailed_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        models.F("user"),
                        models.F("workspace"),
                        models.OrderBy(models.F("id"), descending=True),
                        name="notice_newest",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("workspace", "id"), name="notice_tenant_key"),
                    models.UniqueConstraint(fields=("workspace", "user", "key"), name="notice_once"),
                ],
            },
        ),
        migrations.CreateModel(
            name="PushSubscription",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("digest", models.BinaryField(max_length=32, unique=True)),
                ("subscription", crm.encryption.EncryptedJSONField()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("failed_at", models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Visitor",
            fields=[
                ("id", models.UUIDField(default=crm.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"
                    ),
                ),
                (
                    "channel",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="inbox.channel"
                    ),
                ),
                (
                    "contact",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="crm.contact",
                    ),
                ),
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
                ("digest", models.BinaryField(max_length=32, unique=True)),
                ("name", models.CharField(blank=True, max_length=200)),
                ("email", models.EmailField(blank=True, max_length=254)),
                ("external_id", models.CharField(blank=True, max_length=255)),
                ("answers", models.JSONField(blank=True, default=dict)),
                ("page_url", models.CharField(blank=True, max_length=500)),
                ("language", models.CharField(blank=True, max_length=20)),
                ("last_seen_at", models.DateTimeField(blank=True, null=True)),
                ("expires_at", models.DateTimeField()),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("contact", None), _negated=True),
                        fields=["contact"],
                        name="visitor_of_contact",
                    )
                ],
                "constraints": [models.UniqueConstraint(fields=("workspace", "id"), name="visitor_tenant_key")],
            },
        ),
        migrations.CreateModel(
            name="Participant",
            fields=[
                ("id", models.UUIDField(default=crm.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"
                    ),
                ),
                (
                    "conversation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="participants",
                        to="inbox.conversation",
                    ),
                ),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("watcher", "Watcher"),
                            ("tutor", "Tutor"),
                            ("student", "Student"),
                            ("customer", "Customer"),
                            ("visitor", "Visitor"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "visitor",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="inbox.visitor",
                    ),
                ),
                ("seen_count", models.PositiveIntegerField(default=0)),
                ("last_read_at", models.DateTimeField(blank=True, null=True)),
                ("started_with", models.UUIDField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("user", None), _negated=True),
                        fields=["user", "conversation"],
                        name="participant_of_user",
                    ),
                    models.Index(
                        condition=models.Q(("visitor", None), _negated=True),
                        fields=["visitor", "conversation"],
                        name="participant_of_visitor",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("workspace", "id"), name="participant_tenant_key"),
                    models.UniqueConstraint(
                        condition=models.Q(("user", None), _negated=True),
                        fields=("conversation", "user"),
                        name="participant_user_once",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("visitor", None), _negated=True),
                        fields=("conversation", "visitor"),
                        name="participant_visitor_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("user__isnull", False), ("visitor", None)),
                            models.Q(("user", None), ("visitor__isnull", False)),
                            _connector="OR",
                        ),
                        name="participant_one_of_two",
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="message",
            name="conversation",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="messages", to="inbox.conversation"
            ),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                models.F("conversation"), models.OrderBy(models.F("id"), descending=True), name="message_thread"
            ),
        ),
        migrations.AddField(
            model_name="conversation",
            name="labels",
            field=models.ManyToManyField(related_name="+", through="inbox.ConversationLabel", to="inbox.label"),
        ),
    ]
