"""The trigger that queues events cuts one array into rows, in place of grouping the rows."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations


class Migration(migrations.Migration):
    """Put the one in the other's place."""

    dependencies = [
        ('notifications', '0035_events_looked_up_together'),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name='event',
            name='queue_events',
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='event',
            trigger=pgtrigger.compiler.Trigger(name='queue_events', sql=pgtrigger.compiler.UpsertTriggerSql(func='\n            INSERT INTO notifications_eventqueue (event_ids)\n            SELECT ids[first:first + 199]\n            FROM (SELECT array_agg(id ORDER BY id) AS ids FROM added) all_added,\n                generate_series(1, cardinality(ids), 200) first\n            ORDER BY first;\n            RETURN NULL;\n        ', hash='3ff6938cc0f90819260697821c61c48f9f9ed87d', level='STATEMENT', operation='INSERT', pgid='pgtrigger_queue_events_f0421', referencing='REFERENCING NEW TABLE AS added ', table='notifications_event', when='AFTER')),
        ),
    ]
