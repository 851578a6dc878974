"""A cache that all web processes share. What it holds may be lost, so no log is written for it."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("notifications", "0016_known_terms")]

    operations = [
        migrations.RunSQL(
            """
            CREATE UNLOGGED TABLE notifications_cache (
                cache_key varchar(255) PRIMARY KEY,
                value text NOT NULL,
                expires timestamptz NOT NULL
            );
            CREATE INDEX notifications_cache_expires ON notifications_cache (expires);
            """,
            "DROP TABLE notifications_cache",
        ),
    ]
