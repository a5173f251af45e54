"""The tables of usage events: monthly partitions, made when the first event of a month arrives, and the unique key.

Texts are compared bytewise, which is what keys need and quicker. The covering index answers counts, sums and maxima of
a subscription and metric without touching the rows; the one by time serves lists of the newest events.
"""

from django.db import migrations

FORWARD = """
CREATE TABLE billing_event_key (
    transaction_id text COLLATE "C" NOT NULL,
    external_subscription_id text COLLATE "C" NOT NULL,
    "timestamp" timestamptz NOT NULL,
    PRIMARY KEY (transaction_id, external_subscription_id)
);

CREATE TABLE billing_usage_event (
    id uuid NOT NULL,
    external_subscription_id text COLLATE "C" NOT NULL,
    transaction_id text COLLATE "C" NOT NULL,
    code text COLLATE "C" NOT NULL,
    "timestamp" timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    fingerprint bigint NOT NULL,
    value_source bigint,
    value numeric,
    precise_total_amount_cents numeric,
    properties jsonb NOT NULL
) PARTITION BY RANGE ("timestamp");

CREATE INDEX billing_usage_event_usage ON billing_usage_event (external_subscription_id, code, "timestamp")
    INCLUDE (value, value_source, fingerprint);
CREATE INDEX billing_usage_event_time ON billing_usage_event ("timestamp");
"""

BACKWARD = """
DROP TABLE billing_usage_event;
DROP TABLE billing_event_key;
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
