"""The lists' indexes do not learn that a hand-off begins: what is being sent is pending there.

The column is computed, so the table of messages is written anew: some ten seconds a million. Its
statistics are made at once, since nobody else makes them until a tenth of the messages has changed.
"""

from django.db import migrations, models


ANALYZE = """
DO $$ BEGIN
    IF EXISTS (SELECT FROM notifications_message) THEN
        ANALYZE notifications_message;
    END IF;
END $$
"""


class Migration(migrations.Migration):

    dependencies = [
        ('notifications', '0036_events_queued_by_slices'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='message',
            name='message_owner_state',
        ),
        migrations.RemoveIndex(
            model_name='message',
            name='message_state',
        ),
        migrations.RemoveIndex(
            model_name='message',
            name='message_scheduled',
        ),
        migrations.AddField(
            model_name='message',
            name='list_state',
            field=models.GeneratedField(db_persist=True, expression=models.Case(models.When(state='sending', then=models.Value('pending')), default=models.F('state'), output_field=models.CharField()), help_text="Its state as the lists' indexes have it: what is being sent is pending there.", output_field=models.CharField(max_length=16)),
        ),
        migrations.AddIndex(
            model_name='message',
            index=models.Index(condition=models.Q(('list_state', 'scheduled')), fields=['due_at'], name='message_scheduled'),
        ),
        migrations.AddIndex(
            model_name='message',
            index=models.Index(fields=['owner', 'list_state', '-id'], name='message_owner_state'),
        ),
        migrations.AddIndex(
            model_name='message',
            index=models.Index(fields=['list_state', '-id'], name='message_state'),
        ),
        migrations.RunSQL(ANALYZE, migrations.RunSQL.noop),
    ]
