"""An owner's whole list is read by the index of his lists by state, which is built anew for that.

Some seconds a million messages, while nobody can write any.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    """Put one index in the place of two."""

    dependencies = [("notifications", "0040_journals_without_an_index")]

    operations = [
        migrations.RemoveIndex("message", "message_owner"),
        migrations.RemoveIndex("message", "message_owner_state"),
        migrations.AddIndex(
            "message",
            models.Index(
                models.F("owner"),
                models.F("list_state"),
                models.OrderBy(models.F("id"), descending=True, nulls_last=True),
                name="message_owner_state",
            ),
        ),
    ]
