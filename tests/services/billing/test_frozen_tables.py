"""What the database itself refuses: every table of what was issued, booked, paid or billed is tried by SQL. A new table
has to be put on one of the lists.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction

from billing.models import RatedCharge
from billing.services import runs
from invoicing.models import Invoice
from invoicing.services import books_checks, books_register, invoices
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories.billing import instant
from tests.services.invoicing import test_books_checks as sound

pytestmark = pytest.mark.django_db

FROZEN = {
    "billing.adjustedline", "billing.appliedusagethreshold", "billing.billedperiod", "billing.owedline",
    "billing.prepaidinstalment", "billing.ratedcharge", "billing.rehearsedinvoice", "billing.subscriptionnotice",
    "billing.topupfiring",
    "billing.triggeredalert", "billing.triggeredwalletalert", "billing.walletdepletion",
    "customers.appliedcoupon",
    "invoicing.bookscheck", "invoicing.bookscheckresult", "invoicing.booksfinding",
    "invoicing.correctedline", "invoicing.correction", "invoicing.correctiondocument",
    "invoicing.creditnote", "invoicing.creditnoteitem", "invoicing.creditnotetax", "invoicing.creditnoteuse",
    "invoicing.creditnoteusereversal",
    "invoicing.disputemove", "invoicing.document",
    "invoicing.invoice", "invoicing.invoicecoupon", "invoicing.invoicedispute", "invoicing.invoiceline",
    "invoicing.invoicetax", "invoicing.journalexport", "invoicing.journalpart", "invoicing.ledgerentry",
    "invoicing.ledgerposting", "invoicing.linepayment", "invoicing.linetax", "invoicing.manualentry",
    "invoicing.openingbalance", "invoicing.openingsettlement",
    "invoicing.payment", "invoicing.paymentallocation", "invoicing.paymentreceipt", "invoicing.paymentrefund",
    "invoicing.paymentrelease", "invoicing.paymentrequest", "invoicing.paymentrequestinvoice",
    "invoicing.prepaidcredit", "invoicing.prepaidcredituse", "invoicing.prepaidcreditusereversal",
    "invoicing.progressivecredit",
    "invoicing.wallet", "invoicing.walletconsumption", "invoicing.wallettransaction",
    "invoicing.writeoff", "invoicing.writeoffreversal",
    "platform.approvalrequest", "platform.auditentry", "platform.numbersequence", "platform.personaldataview",
}  # fmt: skip
"""Tables whose rows, once they are written, issued or settled, may not be changed or deleted by whoever has SQL."""

LIVING = {
    "billing": {
        "activationrule", "advanceevent", "advancelevel", "advancevalue", "alertcheck", "alertcursor", "alertthreshold",
        "billingrun", "billingrunitem", "contract", "contractamendment", "contractcommitment", "contractitem",
        "contractnotice", "contractphase", "contractterm", "eventcorrection", "eventerrorcursor", "fixedchargeunits",
        "lateusage", "lateusagecheck", "lateusagecursor", "lifetimeusage", "planmigration", "planmigrationitem",
        "spendcap", "subscription", "subscriptionentitlement", "subscriptionprivilege", "subscriptionthreshold",
        "thresholdcheck", "thresholdcursor", "usagealert", "usagecount", "usagecountcursor", "walletcursor",
        "walletcheck", "walletalertthreshold",
        "walletalert",
        "order", "orderform", "outlierrule", "parkedaccount", "quote", "quoteapproval", "quoteapprovalrule",
        "quotedelivery", "quoteversion", "rehearsal",
    },
    "invoicing": {
        "delivery", "invoicemetadata", "ledgeraccount", "ledgermapping", "recurringtransactionrule", "taxcalculation",
        "taxengine", "taxreport",
    },
}  # fmt: skip
"""Tables of what lives: agreements, queues, marks and settings. History that they have is elsewhere."""

OWN_COLUMNS = {
    "customers.appliedcoupon": "customer_id = customer_id + 1",
    "invoicing.wallet": "rate_amount = rate_amount + 1",
    "invoicing.prepaidcredit": "amount = amount + 1",
    "invoicing.bookscheck": "sample = sample + 1",
    "platform.numbersequence": "last_value = last_value - 1",
    "platform.auditentry": "verb = 'x'",
}
"""What is tried where the usual is not held: most tables may not change their public id."""

INSERTED = ("invoiceline", "invoicetax", "linetax", "progressivecredit", "creditnoteitem", "creditnotetax")
"""Parts of documents: none is added to one that is issued."""


@pytest.fixture(scope="module")
def whole(django_db_setup: None, django_db_blocker: Any) -> Any:
    with django_db_blocker.unblock(), transaction.atomic():
        story = sound._told()
        version = goods.make_plan("pro", cents=3100, charges=[goods.standard(goods.make_metric("requests"), "0.5")])
        customer = parties.make_customer(story.paid.billing_entity, "c9")
        made.make_subscription(customer, version, "sub", at=instant("2026-01-01"))
        runs.run_scheduled(as_of=instant("2026-02-01T00:10"))
        invoices.finalize_due(as_of=instant("2026-02-01T00:10"))
        books_register.register()
        books_checks.run(as_of=parties.AT, trigger="test", actor=parties.ACTOR, names=["numbers"])
        yield story
        transaction.set_rollback(True)


@pytest.fixture
def story(whole: Any, db: None) -> Any:
    return whole


def refused(statement: str) -> str:
    """Run a statement that the database must refuse, and return why: a rule of ours, not just any constraint."""
    with pytest.raises(IntegrityError) as error, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    cause = error.value.__cause__
    assert getattr(cause, "sqlstate", "") == "23000", f"refused by something else: {error.value}"
    return str(error.value)


def test_every_table_is_on_a_list() -> None:
    there = {
        model._meta.label_lower
        for model in apps.get_models()
        if model._meta.managed and model._meta.app_label in LIVING
    }
    living = {f"{app}.{name}" for app, names in LIVING.items() for name in names}
    listed = {name for name in FROZEN if name.partition(".")[0] in LIVING} | living
    assert there - listed == set(), "a new table: can somebody with SQL change what it says?"
    assert listed - there == set()


@pytest.mark.parametrize("label", sorted(FROZEN))
def test_frozen_tables_have_their_trigger(label: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT bit_or(tgtype) FROM pg_trigger
            WHERE tgrelid = %s::regclass AND NOT tgisinternal AND tgenabled = 'O' AND tgtype & 3 = 3""",
            [apps.get_model(label)._meta.db_table],
        )
        (kinds,) = cursor.fetchone()
    assert (kinds or 0) & 8, "DELETE is not refused"
    assert (kinds or 0) & 16, "UPDATE is not refused"


@pytest.mark.parametrize("label", sorted(FROZEN))
@pytest.mark.parametrize("verb", ["update", "delete"])
def test_frozen_rows_stay(story: Any, label: str, verb: str) -> None:
    model = apps.get_model(label)
    if not model._default_manager.exists():
        return  # no story has one; its trigger is looked for above
    change = OWN_COLUMNS.get(label, "uuid = gen_random_uuid()")
    table = model._meta.db_table
    refused(f"UPDATE {table} SET {change}" if verb == "update" else f"DELETE FROM {table}")


@pytest.mark.parametrize("name", INSERTED)
def test_nothing_is_added_to_a_document(story: Any, name: str) -> None:
    table = f"invoicing_{name}"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        if not cursor.fetchone()[0]:
            return
    issued_bills = "SELECT id FROM invoicing_invoice WHERE status = 'finalized'"
    issued = {
        "invoiceline": f"invoice_id IN ({issued_bills})",
        "invoicetax": f"invoice_id IN ({issued_bills})",
        "linetax": f"line_id IN (SELECT id FROM invoicing_invoiceline WHERE invoice_id IN ({issued_bills}))",
    }.get(name, "TRUE")
    refused(f"""INSERT INTO {table} SELECT (jsonb_populate_record(NULL::{table},
            to_jsonb(old) || jsonb_build_object('id', -old.id, 'uuid', gen_random_uuid()))).*
        FROM {table} old WHERE {issued} ORDER BY id LIMIT 1""")


@pytest.mark.parametrize("change", ["trace = '{}'", "from_at = from_at - interval '1 day'", "line_id = line_id + 1"])
def test_a_stored_calculation_stays(story: Any, change: str) -> None:
    assert "is billed" in refused(f"UPDATE billing_ratedcharge SET {change}")


def test_what_a_draft_was_rated_from_may_change(story: Any) -> None:
    row = RatedCharge.objects.filter(line__invoice__status=Invoice.Status.FINALIZED).first()
    assert row is not None
    RatedCharge.objects.filter(pk=row.pk).update(released_at=row.created_at)  # given back: that is told beside it
    row.refresh_from_db()
    assert row.released_at == row.created_at
