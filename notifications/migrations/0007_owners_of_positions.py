"""Whose event each position is, so that one user's feed never reads the others' events."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

# VOLATILE and the lock in a statement of its own: each later statement then sees what the
# previous holder of the lock committed. Locking and numbering in one statement numbers twice.
#
# The owner by a subquery for each row: the function's plan is made once, maybe while the queue is
# empty, and a join that was planned then could read the whole history for a handful of events.
CREATE = """
CREATE OR REPLACE FUNCTION limbo_sequence_events(batch integer) RETURNS integer
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    last_position bigint;
    numbered integer;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtextextended('limbo_sequence_events', 0)) THEN
        RETURN 0;
    END IF;
    SELECT coalesce(max(position), 0) INTO last_position FROM notifications_eventposition;
    WITH taken AS (
        DELETE FROM notifications_eventqueue WHERE event_id IN (
            SELECT event_id FROM notifications_eventqueue ORDER BY event_id LIMIT batch
        ) RETURNING event_id
    )
    INSERT INTO notifications_eventposition (position, event_id, owner_id)
    SELECT last_position + row_number() OVER (ORDER BY event_id), event_id, (
        SELECT m.owner_id FROM notifications_event e
        JOIN notifications_message m ON m.id = e.message_id WHERE e.id = taken.event_id
    ) FROM taken;
    GET DIAGNOSTICS numbered = ROW_COUNT;
    RETURN numbered;
END
$$
"""

FILL = """
UPDATE notifications_eventposition p SET owner_id = m.owner_id
FROM notifications_event e JOIN notifications_message m ON m.id = e.message_id
WHERE e.id = p.event_id
"""


def owner(**options):
    """The column, without a constraint."""
    return models.ForeignKey(
        db_constraint=False,
        db_index=False,
        on_delete=django.db.models.deletion.PROTECT,
        related_name="+",
        to=settings.AUTH_USER_MODEL,
        **options,
    )


class Migration(migrations.Migration):
    """Add the column, fill it, and have the sequencer fill it from now on."""

    dependencies = [("notifications", "0006_templates")]

    operations = [
        migrations.AddField("eventposition", "owner", owner(null=True)),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.AlterField("eventposition", "owner", owner()),
        migrations.AddIndex(
            "eventposition", models.Index(fields=["owner", "position"], name="eventposition_owner")
        ),
        migrations.RunSQL(CREATE),
    ]
