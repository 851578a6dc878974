"""Room on the pages for each row's next version beside it, of all rows at once: a batch changes
neighbours in one transaction, in which none of the old versions can go away."""

from django.db import migrations

# deliveries, hand-offs and attempts had 70, which was too little for that; messages had none
BEFORE = {"delivery": 70, "handoff": 70, "attempt": 70, "message": 100}
ROOM = 50


def _room(table: str, before: int) -> migrations.RunSQL:
    change = f"ALTER TABLE notifications_{table} SET (fillfactor = %d)"
    return migrations.RunSQL(change % ROOM, change % before)


class Migration(migrations.Migration):
    """Set it, for what is inserted from now on."""

    dependencies = [("notifications", "0030_events_queued_together")]

    operations = [_room(table, before) for table, before in BEFORE.items()]
