"""A message's hand-offs are found by its deliveries' attempts: an index less to write twice."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('notifications', '0037_lists_of_what_is_pending'),
    ]

    operations = [
        migrations.AlterField(
            model_name='handoff',
            name='message',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='handoffs', to='notifications.message'),
        ),
    ]
