"""Where users want events posted, and each post."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
import notifications.models.fields
import uuid_utils.compat
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """Create both tables; drop an index whose only query is gone."""

    dependencies = [
        ("notifications", "0002_sequencer"),
    ]

    operations = [
        migrations.CreateModel(
            name="WebhookDelivery",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7,
                        editable=False,
                        help_text="The webhook-id of every try.",
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("event_id", models.BigIntegerField()),
                (
                    "state",
                    notifications.models.fields.ChoiceField(default="pending", max_length=16),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                (
                    "due_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        help_text="When it may be tried next.",
                        null=True,
                    ),
                ),
                ("last_status", models.PositiveSmallIntegerField(null=True)),
                (
                    "last_answer",
                    models.TextField(
                        blank=True,
                        default="",
                        help_text="How the last answer began, or what went wrong.",
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("delivered_at", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name_plural": "webhook deliveries",
            },
        ),
        migrations.CreateModel(
            name="WebhookEndpoint",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("url", models.URLField(max_length=2000, verbose_name="URL")),
                (
                    "sealed_secret",
                    models.TextField(
                        editable=False,
                        help_text="The signing secret, encrypted by a key from SECRET_KEY.",
                    ),
                ),
                (
                    "kinds",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=24),
                        blank=True,
                        default=list,
                        help_text="The kinds of events it wants; empty for all.",
                        size=None,
                    ),
                ),
                ("enabled", models.BooleanField(default=True)),
                ("disabled_reason", models.TextField(blank=True, default="")),
                (
                    "position",
                    models.BigIntegerField(
                        help_text="The last event position that was looked at for it."
                    ),
                ),
                (
                    "failing_since",
                    models.DateTimeField(
                        help_text="The first failure since its last success.", null=True
                    ),
                ),
                (
                    "paused_until",
                    models.DateTimeField(
                        help_text="After a failure it is left alone for a while.", null=True
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
            ],
        ),
        migrations.RemoveIndex(
            model_name="event",
            name="event_unapplied",
        ),
        migrations.AddField(
            model_name="webhookendpoint",
            name="owner",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="webhook_endpoints",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="webhookdelivery",
            name="endpoint",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="deliveries",
                to="notifications.webhookendpoint",
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookendpoint",
            constraint=models.CheckConstraint(
                condition=models.Q(("enabled", False), ("disabled_reason", ""), _connector="OR"),
                name="webhookendpoint_reason_while_disabled",
            ),
        ),
        migrations.AddIndex(
            model_name="webhookdelivery",
            index=models.Index(
                condition=models.Q(("state", "pending")),
                fields=["endpoint", "due_at", "id"],
                name="webhookdelivery_due",
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookdelivery",
            constraint=models.UniqueConstraint(
                fields=("endpoint", "event_id"), name="webhookdelivery_once_an_event"
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookdelivery",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("due_at__isnull", False), ("state", "pending")),
                    models.Q(
                        models.Q(("state", "pending"), _negated=True), ("due_at__isnull", True)
                    ),
                    _connector="OR",
                ),
                name="webhookdelivery_pending_is_due",
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookdelivery",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("delivered_at__isnull", False), ("state", "delivered")),
                    models.Q(
                        models.Q(("state", "delivered"), _negated=True),
                        ("delivered_at__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="webhookdelivery_delivered_has_time",
            ),
        ),
    ]
