import django.db.models.deletion
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models

import crm.encryption
import crm.ids


class Migration(migrations.Migration):
    dependencies = [
        ("crm", "0011_teams_and_availability"),
        ("inbox", "0009_message_search_index"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Draft",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("is_note", models.BooleanField(default=False)),
                ("body", models.TextField(blank=True)),
                ("detail", models.JSONField(blank=True, default=dict)),
                ("version", models.PositiveIntegerField(default=1)),
                ("updated_at", models.DateTimeField(auto_now=True)),
            ],
        ),
        migrations.CreateModel(
            name="Macro",
            fields=[
                ("id", models.UUIDField(default=crm.ids.uuid7, editable=False, primary_key=True, serialize=False)),
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
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
            ],
        ),
        migrations.CreateModel(
            name="Notice",
            fields=[
                ("id", models.UUIDField(default=crm.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("kind", models.CharField(max_length=20)),
                ("key", models.CharField(max_length=120)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("read_at", models.DateTimeField(blank=True, null=True)),
                ("mailed_at", models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Participant",
            fields=[
                ("id", models.UUIDField(default=crm.ids.uuid7, editable=False, primary_key=True, serialize=False)),
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
                ("seen_count", models.PositiveIntegerField(default=0)),
                ("last_read_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name="PushSubscription",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("digest", models.BinaryField(max_length=32, unique=True)),
                ("subscription", crm.encryption.EncryptedJSONField()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("failed_at", models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name="SavedReply",
            fields=[
                ("id", models.UUIDField(default=crm.ids.uuid7, editable=False, primary_key=True, serialize=False)),
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
                ("uses", models.PositiveIntegerField(default=0)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
            ],
            options={
                "verbose_name_plural": "saved replies",
            },
        ),
        migrations.CreateModel(
            name="Visitor",
            fields=[
                ("id", models.UUIDField(default=crm.ids.uuid7, editable=False, primary_key=True, serialize=False)),
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
        ),
        migrations.AddField(
            model_name="conversation",
            name="first_reply_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="conversation",
            name="rating",
            field=models.PositiveSmallIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="conversation",
            name="rating_comment",
            field=models.CharField(blank=True, db_default="", max_length=2000),
        ),
        migrations.AddField(
            model_name="conversation",
            name="resolved_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="conversation",
            name="snoozed_until",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="conversation",
            name="spam_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="conversation",
            name="team",
            field=models.ForeignKey(
                blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="crm.team"
            ),
        ),
        migrations.AddField(
            model_name="draft",
            name="conversation",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="inbox.conversation"
            ),
        ),
        migrations.AddField(
            model_name="draft",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="draft",
            name="workspace",
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"),
        ),
        migrations.AddField(
            model_name="macro",
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
            model_name="macro",
            name="team",
            field=models.ForeignKey(
                blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.team"
            ),
        ),
        migrations.AddField(
            model_name="macro",
            name="workspace",
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"),
        ),
        migrations.AddField(
            model_name="notice",
            name="conversation",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="inbox.conversation",
            ),
        ),
        migrations.AddField(
            model_name="notice",
            name="message",
            field=models.ForeignKey(
                blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="inbox.message"
            ),
        ),
        migrations.AddField(
            model_name="notice",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="notice",
            name="workspace",
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"),
        ),
        migrations.AddField(
            model_name="participant",
            name="conversation",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="participants", to="inbox.conversation"
            ),
        ),
        migrations.AddField(
            model_name="participant",
            name="user",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="participant",
            name="workspace",
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"),
        ),
        migrations.AddField(
            model_name="pushsubscription",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="savedreply",
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
            model_name="savedreply",
            name="team",
            field=models.ForeignKey(
                blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.team"
            ),
        ),
        migrations.AddField(
            model_name="savedreply",
            name="workspace",
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"),
        ),
        migrations.AddField(
            model_name="visitor",
            name="channel",
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="inbox.channel"),
        ),
        migrations.AddField(
            model_name="visitor",
            name="contact",
            field=models.ForeignKey(
                blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.contact"
            ),
        ),
        migrations.AddField(
            model_name="visitor",
            name="user",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="visitor",
            name="workspace",
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"),
        ),
        migrations.AddField(
            model_name="participant",
            name="visitor",
            field=models.ForeignKey(
                blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="inbox.visitor"
            ),
        ),
        migrations.AddIndex(
            model_name="draft",
            index=models.Index(fields=["conversation"], name="draft_of_conversation"),
        ),
        migrations.AddConstraint(
            model_name="draft",
            constraint=models.UniqueConstraint(fields=("user", "conversation"), name="draft_once"),
        ),
        migrations.AddConstraint(
            model_name="macro",
            constraint=models.UniqueConstraint(fields=("workspace", "id"), name="macro_tenant_key"),
        ),
        migrations.AddConstraint(
            model_name="macro",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("audience", "mine"), ("owner__isnull", False), ("team", None)),
                    models.Q(("audience", "team"), ("team__isnull", False)),
                    models.Q(("audience", "everyone"), ("team", None)),
                    _connector="OR",
                ),
                name="macro_audience_fits",
            ),
        ),
        migrations.AddIndex(
            model_name="notice",
            index=models.Index(
                models.F("user"),
                models.F("workspace"),
                models.OrderBy(models.F("id"), descending=True),
                name="notice_newest",
            ),
        ),
        migrations.AddConstraint(
            model_name="notice",
            constraint=models.UniqueConstraint(fields=("workspace", "id"), name="notice_tenant_key"),
        ),
        migrations.AddConstraint(
            model_name="notice",
            constraint=models.UniqueConstraint(fields=("workspace", "user", "key"), name="notice_once"),
        ),
        migrations.AddConstraint(
            model_name="savedreply",
            constraint=models.UniqueConstraint(fields=("workspace", "id"), name="saved_reply_tenant_key"),
        ),
        migrations.AddConstraint(
            model_name="savedreply",
            constraint=models.UniqueConstraint(
                models.F("workspace"),
                django.db.models.functions.text.Lower("shortcut"),
                condition=models.Q(("audience", "mine"), _negated=True),
                name="saved_reply_shared_shortcut_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="savedreply",
            constraint=models.UniqueConstraint(
                models.F("owner"),
                models.F("workspace"),
                django.db.models.functions.text.Lower("shortcut"),
                condition=models.Q(("audience", "mine")),
                name="saved_reply_own_shortcut_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="savedreply",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("audience", "mine"), ("owner__isnull", False), ("team", None)),
                    models.Q(("audience", "team"), ("team__isnull", False)),
                    models.Q(("audience", "everyone"), ("team", None)),
                    _connector="OR",
                ),
                name="saved_reply_audience_fits",
            ),
        ),
        migrations.AddIndex(
            model_name="visitor",
            index=models.Index(
                condition=models.Q(("contact", None), _negated=True), fields=["contact"], name="visitor_of_contact"
            ),
        ),
        migrations.AddConstraint(
            model_name="visitor",
            constraint=models.UniqueConstraint(fields=("workspace", "id"), name="visitor_tenant_key"),
        ),
        migrations.AddIndex(
            model_name="participant",
            index=models.Index(
                condition=models.Q(("user", None), _negated=True),
                fields=["user", "conversation"],
                name="participant_of_user",
            ),
        ),
        migrations.AddIndex(
            model_name="participant",
            index=models.Index(
                condition=models.Q(("visitor", None), _negated=True),
                fields=["visitor", "conversation"],
                name="participant_of_visitor",
            ),
        ),
        migrations.AddConstraint(
            model_name="participant",
            constraint=models.UniqueConstraint(fields=("workspace", "id"), name="participant_tenant_key"),
        ),
        migrations.AddConstraint(
            model_name="participant",
            constraint=models.UniqueConstraint(
                condition=models.Q(("user", None), _negated=True),
                fields=("conversation", "user"),
                name="participant_user_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="participant",
            constraint=models.UniqueConstraint(
                condition=models.Q(("visitor", None), _negated=True),
                fields=("conversation", "visitor"),
                name="participant_visitor_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="participant",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("user__isnull", False), ("visitor", None)),
                    models.Q(("user", None), ("visitor__isnull", False)),
                    _connector="OR",
                ),
                name="participant_one_of_two",
            ),
        ),
    ]
