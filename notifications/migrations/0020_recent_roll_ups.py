import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0019_roles"),
    ]

    operations = [
        migrations.CreateModel(
            name="RecentRollUp",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "minute",
                        "owner_id",
                        "name",
                        "kind",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("minute", models.DateTimeField(help_text="When it begins.")),
                (
                    "name",
                    models.TextField(help_text="The provider's name; empty for `accepted`."),
                ),
                ("kind", models.CharField(help_text="The events' kind.", max_length=24)),
                ("count", models.BigIntegerField()),
                (
                    "owner",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="rollup",
            index=models.Index(
                condition=models.Q(("dimension", "tag"), _negated=True),
                fields=["hour"],
                name="rollup_hour",
            ),
        ),
    ]
