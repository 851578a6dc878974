"""An attempt is known by its hand-off and its delivery, and found by one index beside that key.

Both are built while nobody can read the attempts: a few seconds a million.
"""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Case, When

KEY = """
ALTER TABLE notifications_attempt
    DROP CONSTRAINT attempt_once_a_handoff,
    DROP COLUMN id,
    ADD PRIMARY KEY (handoff_id, delivery_id)
"""


class Migration(migrations.Migration):
    """Change the key, and put one index in the place of two."""

    dependencies = [("notifications", "0038_handoffs_by_attempts")]

    operations = [
        migrations.RunSQL(
            KEY,
            state_operations=[
                migrations.RemoveConstraint("attempt", "attempt_once_a_handoff"),
                migrations.RemoveField("attempt", "id"),
                migrations.AddField(
                    "attempt",
                    "pk",
                    models.CompositePrimaryKey(
                        "handoff_id",
                        "delivery_id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
            ],
        ),
        migrations.RemoveConstraint("attempt", "attempt_one_live"),
        migrations.AddConstraint(
            "attempt",
            models.UniqueConstraint(
                "delivery",
                "generation",
                Case(When(is_live=False, then="handoff")),
                nulls_distinct=False,
                name="attempt_one_live",
            ),
        ),
        migrations.AlterField(
            model_name="attempt",
            name="delivery",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="attempts",
                to="notifications.delivery",
            ),
        ),
    ]
