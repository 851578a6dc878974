"""The sequencer looks its events and their messages up together, and not one after the other."""

from importlib import import_module

from django.db import migrations

ONE_BY_ONE = import_module("notifications.migrations.0030_events_queued_together").CREATE

# VOLATILE and the lock in a statement of its own: each later statement then sees what the
# previous holder of the lock committed. Locking and numbering in one statement numbers twice.
#
# Whole rows are taken, in the order of their ids, until they have `batch` events. What is committed
# between the two statements comes in its order too: who sees a message's later row sees the earlier.
#
# Neighbours in an index are found by one way down it, if they are asked for by one array. The plan
# is made once, maybe while the queue is empty, and has to suit 10,000 events: so nothing is joined by
# looking through all of one side for each of the other. The joins are left ones, since an event
# without an owner must end in an error and not leave the queue.
CREATE = """
CREATE OR REPLACE FUNCTION limbo_sequence_events(batch integer) RETURNS integer
LANGUAGE plpgsql VOLATILE SET enable_nestloop = off SET enable_seqscan = off AS $$
DECLARE
    last_position bigint;
    waiting record;
    last_id bigint;
    events integer := 0;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtextextended('limbo_sequence_events', 0)) THEN
        RETURN 0;
    END IF;
    FOR waiting IN SELECT id, cardinality(event_ids) FROM notifications_eventqueue ORDER BY id LOOP
        last_id := waiting.id;
        events := events + waiting.cardinality;
        EXIT WHEN events >= batch;
    END LOOP;
    SELECT coalesce(max(position), 0) INTO last_position FROM notifications_eventposition;
    WITH taken AS (
        DELETE FROM notifications_eventqueue WHERE id <= last_id RETURNING id, event_ids
    ),
    numbered AS MATERIALIZED (
        SELECT event_id, last_position + row_number() OVER (ORDER BY taken.id, event_id) AS position
        FROM taken, unnest(taken.event_ids) event_id
    ),
    e AS MATERIALIZED (
        SELECT id, message_id FROM notifications_event
        WHERE id = ANY(ARRAY(SELECT event_id FROM numbered))
    ),
    m AS MATERIALIZED (
        SELECT id, owner_id FROM notifications_message
        WHERE id = ANY(ARRAY(SELECT message_id FROM e))
    )
    INSERT INTO notifications_eventposition (position, event_id, owner_id)
    SELECT position, event_id, owner_id
    FROM numbered LEFT JOIN e ON e.id = event_id LEFT JOIN m ON m.id = message_id
    ORDER BY position;
    GET DIAGNOSTICS events = ROW_COUNT;
    RETURN events;
END
$$
"""


class Migration(migrations.Migration):
    """Change the function alone."""

    dependencies = [("notifications", "0034_next_turns_of_each_share")]

    operations = [migrations.RunSQL(CREATE, ONE_BY_ONE)]
