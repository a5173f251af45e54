"""Ingestion: every event once, whatever is sent again, and the number that metrics read taken out of it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import connection, transaction

from billing.models import EventKey, UsageEvent
from billing.services import usage
from tests.factories import catalog
from tests.factories.usage import RECEIVED_AT, make_event, store, stored

pytestmark = pytest.mark.django_db


def test_an_event_is_stored_as_it_was_given() -> None:
    event = make_event(
        "2026-05-04T12:00:00.123456",
        transaction_id="a",
        properties={"bytes": 7, "path": "/ä\"\\'%s"},
        amount_cents="12.345678901234567890",
    )
    ids = usage.ingest(events=[event], received_at=RECEIVED_AT).ids
    row = UsageEvent.objects.get()
    assert str(row.id) == ids[0]
    assert row.id.version == 4
    assert row.timestamp == event.timestamp
    assert row.received_at == RECEIVED_AT
    assert row.properties == {"bytes": 7, "path": "/ä\"\\'%s"}
    assert row.precise_total_amount_cents == Decimal("12.345678901234567890")
    assert row.value is None
    key = EventKey.objects.get()
    assert (key.transaction_id, key.external_subscription_id, key.timestamp) == ("a", "sub", event.timestamp)


def test_the_same_batch_twice_changes_nothing() -> None:
    batch = [make_event(properties={"n": number}) for number in range(20)]
    store(*batch)
    before = list(UsageEvent.objects.order_by("transaction_id").values())
    with pytest.raises(usage.EventsAlreadyExist) as refusal:
        store(*batch)
    assert refusal.value.positions == list(range(20))
    assert list(UsageEvent.objects.order_by("transaction_id").values()) == before


def test_one_event_that_exists_keeps_out_the_whole_batch() -> None:
    first, second = make_event(), make_event()
    store(first)
    with pytest.raises(usage.EventsAlreadyExist) as refusal:
        store(second, first)
    assert refusal.value.positions == [1]
    assert refusal.value.details == {"transaction_id": ["value_already_exist"]}
    assert stored() == 1
    store(second)
    assert stored() == 2


def test_a_repeat_inside_a_batch_is_told_together_with_what_exists() -> None:
    known, new = make_event(), make_event()
    store(known)
    with pytest.raises(usage.EventsAlreadyExist) as refusal:
        store(new, known, make_event(), new)
    assert refusal.value.positions == [1, 3]
    assert stored() == 1


def test_a_transaction_id_is_unique_in_its_subscription_only() -> None:
    store(make_event(transaction_id="same"), make_event(transaction_id="same", external_subscription_id="other"))
    assert stored() == 2
    # Another time or code makes no other event of it.
    with pytest.raises(usage.EventsAlreadyExist):
        store(make_event("2026-06-30T00:00:00", transaction_id="same", code="other"))
    assert stored() == 2


@pytest.mark.parametrize(
    ("sent", "value"),
    [
        (12, "12"),
        ("12", "12"),
        (-0.5, "-0.5"),
        ("-12.50", "-12.50"),
        (1e3, "1000.0"),
        ("00012", "12"),
        ("9" * 40 + "." + "9" * 40, "9" * 40 + "." + "9" * 40),
        ("-" + "9" * 40, "-" + "9" * 40),
        ("0." + "1" * 38, "0." + "1" * 38),
        ("0." + "1" * 41, None),
        ("1e3", None),
        ("+1", None),
        (" 1", None),
        ("1.", None),
        (".5", None),
        ("", None),
        ("NaN", None),
        ("١٢", None),
        ("9" * 41, None),
        (True, None),
        (None, None),
        ({"a": 1}, None),
        ([1], None),
    ],
)
def test_the_number_that_the_metric_reads_is_taken_out(sent: object, value: str | None) -> None:
    catalog.make_metric("egress", "sum_agg", field_name="bytes")
    store(make_event(code="egress", properties={"bytes": sent}))
    assert UsageEvent.objects.get().value == (None if value is None else Decimal(value))


def test_codes_and_subscriptions_need_not_be_known() -> None:
    store(make_event(code="nobody reads this", external_subscription_id="nobody"))
    row = UsageEvent.objects.get()
    assert (row.value, row.value_source) == (None, None)


def test_the_fingerprint_is_of_the_content_alone() -> None:
    def fingerprint(**values: object) -> int:
        with transaction.atomic():
            store(make_event(**{"transaction_id": "a", **values}))
            found = UsageEvent.objects.get().fingerprint
            transaction.set_rollback(True)
        return found

    content = {"properties": {"a": 1, "b": "x"}}
    same = fingerprint(**content)
    assert fingerprint(properties={"b": "x", "a": 1}) == same
    others = [
        fingerprint(**content, transaction_id="b"),
        fingerprint(**content, external_subscription_id="b"),
        fingerprint(**content, code="b"),
        fingerprint(**content, moment="2026-05-04T12:00:00.000001"),
        fingerprint(**content, amount_cents="1"),
        fingerprint(properties={"a": 1, "b": "y"}),
    ]
    assert len({same, *others}) == 7


@pytest.mark.parametrize("moment", ["2000-01-01T00:00:00", "2026-12-31T23:59:59.999999", "2099-12-31T23:59:59.999999"])
def test_an_event_is_in_the_partition_of_its_month(moment: str) -> None:
    event = make_event(moment)
    store(event)
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text FROM billing_usage_event")
        assert cursor.fetchone() == (f"billing_usage_event_{moment[:4]}{moment[5:7]}",)


def test_a_partition_has_the_indexes_of_the_table() -> None:
    store(make_event("2031-02-01T00:00:00"))
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE tablename = 'billing_usage_event_203102'")
        found = sorted(definition.partition("USING ")[2] for (definition,) in cursor.fetchall())
        cursor.execute("SELECT count(*) FROM pg_inherits WHERE inhrelid::regclass::text LIKE '%203102%'")
        inherited = cursor.fetchone()[0]
    beyond = "((value >= '10000000000000000000000000'::numeric) OR (value <= '-10000000000000000000000000'::numeric))"
    assert found == [
        "brin (written_in) WITH (autosummarize='on')",
        'btree ("timestamp")',
        f'btree ("timestamp") WHERE ({beyond} AND (replaced_at IS NULL))',
        'btree ("timestamp") WHERE (failures IS NOT NULL)',
        'btree (external_subscription_id, code, "timestamp") INCLUDE (value, value_source, fingerprint, replaced_at)',
    ]
    assert inherited == 6  # the table and its indexes belong to the parent's


def test_a_partition_is_tidied_up_often() -> None:
    store(make_event("2031-03-01T00:00:00"))
    with connection.cursor() as cursor:
        cursor.execute("SELECT reloptions FROM pg_class WHERE oid = 'billing_usage_event_203103'::regclass")
        assert cursor.fetchone() == (["autovacuum_vacuum_insert_scale_factor=0.02"],)


def test_a_partition_stays_when_the_request_fails() -> None:
    with transaction.atomic():
        store(make_event("2032-03-01T00:00:00"))
        transaction.set_rollback(True)
    assert stored() == 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('billing_usage_event_203203') IS NOT NULL")
        assert cursor.fetchone() == (True,)


def test_events_are_stored_where_connections_are_pooled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connection.settings_dict, "DISABLE_SERVER_SIDE_CURSORS", True)
    event = make_event()
    store(event)
    with pytest.raises(usage.EventsAlreadyExist):
        store(event)
    assert stored() == 1
