"""The function that gives events their positions; see notifications.history.positions."""

from django.db import migrations

# VOLATILE and the lock in a statement of its own: each later statement then sees what the
# previous holder of the lock committed. Locking and numbering in one statement numbers twice.
CREATE = """
CREATE FUNCTION limbo_sequence_events(batch integer) RETURNS integer
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
    INSERT INTO notifications_eventposition (position, event_id)
    SELECT last_position + row_number() OVER (ORDER BY event_id), event_id FROM taken;
    GET DIAGNOSTICS numbered = ROW_COUNT;
    RETURN numbered;
END
$$
"""


class Migration(migrations.Migration):
    """Create the sequencer."""

    dependencies = [("notifications", "0001_initial")]

    operations = [
        migrations.RunSQL(CREATE, "DROP FUNCTION limbo_sequence_events(integer)"),
    ]
