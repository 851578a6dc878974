"""What a journal is a witness of is found by what it names, and by the leases of what is in flight:
so a hand-off's end is told to no index."""

from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('notifications', '0039_attempts_without_ids'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='handoff',
            name='handoff_journal',
        ),
    ]
