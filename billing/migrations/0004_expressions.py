"""What an expression could not compute stays with its event. The index finds those few among any number of events."""

from django.db import migrations

FORWARD = """
ALTER TABLE billing_usage_event ADD COLUMN failures jsonb;
CREATE INDEX billing_usage_event_failed ON billing_usage_event ("timestamp") WHERE failures IS NOT NULL;
"""

BACKWARD = """
DROP INDEX billing_usage_event_failed;
ALTER TABLE billing_usage_event DROP COLUMN failures;
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0003_advance")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
