"""Voided invoices: what they give back, whose place they take, and disputes; with the triggers that hold them.

What was used, drawn or paid stays as it was: what is given back are rows beside it, append-only, and every sum that was
held over the one is held over both. What is disputed of an invoice is the sum of its disputes, and theirs that of their
steps.
"""

import uuid

import django.db.models.deletion
import django.utils.timezone
import djmoney.models.fields
from django.db import migrations, models

import config.kernel.db

FORWARD = """
CREATE TRIGGER invoicing_credit_reversal_append_only BEFORE UPDATE OR DELETE ON invoicing_creditnoteusereversal
    FOR EACH ROW EXECUTE FUNCTION platform_append_only();
CREATE TRIGGER invoicing_prepaid_reversal_append_only BEFORE UPDATE OR DELETE ON invoicing_prepaidcreditusereversal
    FOR EACH ROW EXECUTE FUNCTION platform_append_only();
CREATE TRIGGER invoicing_release_append_only BEFORE UPDATE OR DELETE ON invoicing_paymentrelease
    FOR EACH ROW EXECUTE FUNCTION platform_append_only();
CREATE TRIGGER invoicing_payment_refund_append_only BEFORE UPDATE OR DELETE ON invoicing_paymentrefund
    FOR EACH ROW EXECUTE FUNCTION platform_append_only();
CREATE TRIGGER invoicing_dispute_move_append_only BEFORE UPDATE OR DELETE ON invoicing_disputemove
    FOR EACH ROW EXECUTE FUNCTION platform_append_only();

CREATE FUNCTION invoicing_freeze_dispute() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    later text[] := ARRAY['status', 'open_amount', 'resolved_at', 'resolution', 'updated_at'];
BEGIN
    IF TG_OP = 'DELETE' OR OLD.status IN ('won', 'withdrawn', 'settled')
        OR to_jsonb(NEW) - later <> to_jsonb(OLD) - later THEN
        RAISE EXCEPTION 'dispute % is %: % refused', OLD.id, OLD.status, TG_OP
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER invoicing_dispute_frozen BEFORE UPDATE OR DELETE ON invoicing_invoicedispute
    FOR EACH ROW EXECUTE FUNCTION invoicing_freeze_dispute();

CREATE FUNCTION invoicing_check_dispute() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    checked bigint := CASE TG_TABLE_NAME WHEN 'invoicing_invoicedispute' THEN (to_jsonb(NEW) ->> 'id')::bigint
                                         ELSE (to_jsonb(NEW) ->> 'dispute_id')::bigint END;
    found record;
    moved numeric;
    disputed numeric;
BEGIN
    SELECT part.open_amount, part.currency, bill.id AS bill, bill.currency AS billed_in, bill.disputed_amount,
           part.line_id IS NULL OR line.invoice_id = bill.id AS belongs
      INTO found
      FROM invoicing_invoicedispute part
      JOIN invoicing_invoice bill ON bill.id = part.invoice_id
      LEFT JOIN invoicing_invoiceline line ON line.id = part.line_id
     WHERE part.id = checked;
    SELECT coalesce(sum(amount), 0) INTO moved FROM invoicing_disputemove WHERE dispute_id = checked;
    SELECT coalesce(sum(open_amount), 0) INTO disputed FROM invoicing_invoicedispute WHERE invoice_id = found.bill;
    IF found.open_amount <> moved OR found.disputed_amount <> disputed OR found.belongs IS NOT TRUE
        OR found.currency <> found.billed_in THEN
        RAISE EXCEPTION 'dispute %: % open of % moved, % of its invoice disputed of %', checked, found.open_amount,
            moved, found.disputed_amount, disputed USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER invoicing_dispute_sums AFTER INSERT OR UPDATE ON invoicing_invoicedispute
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION invoicing_check_dispute();
CREATE CONSTRAINT TRIGGER invoicing_dispute_move_sums AFTER INSERT ON invoicing_disputemove
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION invoicing_check_dispute();

CREATE FUNCTION invoicing_check_disputed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    bill record;
    disputed numeric;
BEGIN
    SELECT * INTO bill FROM invoicing_invoice WHERE id = NEW.id;
    SELECT coalesce(sum(open_amount), 0) INTO disputed FROM invoicing_invoicedispute WHERE invoice_id = NEW.id;
    IF bill.disputed_amount <> disputed
        OR bill.disputed_amount > bill.total_amount - bill.paid_amount - bill.offset_amount
        OR (bill.disputed_amount > 0 AND bill.status <> 'finalized') THEN
        RAISE EXCEPTION 'invoice %: % disputed, by its disputes %', NEW.id, bill.disputed_amount, disputed
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER invoicing_invoice_disputed
    AFTER UPDATE OF disputed_amount, paid_amount, offset_amount, status ON invoicing_invoice
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (OLD.disputed_amount <> 0 OR NEW.disputed_amount <> 0)
    EXECUTE FUNCTION invoicing_check_disputed();

CREATE FUNCTION invoicing_check_reversal() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    used record;
BEGIN
    IF TG_TABLE_NAME = 'invoicing_creditnoteusereversal' THEN
        SELECT part.amount, part.currency, bill.status INTO used FROM invoicing_creditnoteuse part
          JOIN invoicing_invoice bill ON bill.id = part.invoice_id WHERE part.id = (to_jsonb(NEW) ->> 'use_id')::bigint;
    ELSIF TG_TABLE_NAME = 'invoicing_prepaidcreditusereversal' THEN
        SELECT part.amount, part.currency, bill.status INTO used FROM invoicing_prepaidcredituse part
          JOIN invoicing_invoice bill ON bill.id = part.invoice_id WHERE part.id = (to_jsonb(NEW) ->> 'use_id')::bigint;
    ELSE
        SELECT part.amount, part.currency, bill.status INTO used FROM invoicing_paymentallocation part
          JOIN invoicing_invoice bill ON bill.id = part.invoice_id
         WHERE part.id = (to_jsonb(NEW) ->> 'allocation_id')::bigint;
    END IF;
    IF (used.status <> 'voided' AND (used.status <> 'closed' OR TG_TABLE_NAME <> 'invoicing_paymentrelease'))
        OR NEW.amount > used.amount OR NEW.currency <> used.currency THEN
        RAISE EXCEPTION '% %: % of % given back of an invoice that is %', TG_TABLE_NAME, NEW.id, NEW.amount,
            used.amount, used.status USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER invoicing_credit_reversal_sum AFTER INSERT ON invoicing_creditnoteusereversal
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION invoicing_check_reversal();
CREATE CONSTRAINT TRIGGER invoicing_prepaid_reversal_sum AFTER INSERT ON invoicing_prepaidcreditusereversal
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION invoicing_check_reversal();
CREATE CONSTRAINT TRIGGER invoicing_release_sum AFTER INSERT ON invoicing_paymentrelease
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION invoicing_check_reversal();

CREATE FUNCTION invoicing_check_payment() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    checked bigint := (to_jsonb(NEW) ->> 'payment_id')::bigint;
    received record;
    spent numeric;
BEGIN
    SELECT amount, currency INTO received FROM invoicing_payment WHERE id = checked;
    SELECT coalesce((SELECT sum(part.amount) FROM invoicing_paymentallocation part WHERE part.payment_id = checked), 0)
         - coalesce((SELECT sum(held.amount) FROM invoicing_paymentrelease held
                       JOIN invoicing_paymentallocation part ON part.id = held.allocation_id
                      WHERE part.payment_id = checked), 0)
         + coalesce((SELECT sum(back.amount) FROM invoicing_paymentrefund back WHERE back.payment_id = checked), 0)
      INTO spent;
    IF spent > received.amount OR NEW.currency <> received.currency THEN
        RAISE EXCEPTION 'payment %: % spent of %', checked, spent, received.amount
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER invoicing_allocation_payment_sum AFTER INSERT ON invoicing_paymentallocation
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION invoicing_check_payment();
CREATE CONSTRAINT TRIGGER invoicing_payment_refund_sum AFTER INSERT ON invoicing_paymentrefund
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION invoicing_check_payment();
"""

BACKWARD = """
DROP TRIGGER invoicing_payment_refund_sum ON invoicing_paymentrefund;
DROP TRIGGER invoicing_allocation_payment_sum ON invoicing_paymentallocation;
DROP FUNCTION invoicing_check_payment();
DROP TRIGGER invoicing_release_sum ON invoicing_paymentrelease;
DROP TRIGGER invoicing_prepaid_reversal_sum ON invoicing_prepaidcreditusereversal;
DROP TRIGGER invoicing_credit_reversal_sum ON invoicing_creditnoteusereversal;
DROP FUNCTION invoicing_check_reversal();
DROP TRIGGER invoicing_invoice_disputed ON invoicing_invoice;
DROP FUNCTION invoicing_check_disputed();
DROP TRIGGER invoicing_dispute_move_sums ON invoicing_disputemove;
DROP TRIGGER invoicing_dispute_sums ON invoicing_invoicedispute;
DROP FUNCTION invoicing_check_dispute();
DROP TRIGGER invoicing_dispute_frozen ON invoicing_invoicedispute;
DROP FUNCTION invoicing_freeze_dispute();
DROP TRIGGER invoicing_dispute_move_append_only ON invoicing_disputemove;
DROP TRIGGER invoicing_payment_refund_append_only ON invoicing_paymentrefund;
DROP TRIGGER invoicing_release_append_only ON invoicing_paymentrelease;
DROP TRIGGER invoicing_prepaid_reversal_append_only ON invoicing_prepaidcreditusereversal;
DROP TRIGGER invoicing_credit_reversal_append_only ON invoicing_creditnoteusereversal;
"""

# What was used is less what was given back, and so is what was paid. Empty, these are the sums as they were before.
SUMS = """
CREATE OR REPLACE FUNCTION invoicing_check_paid() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    checked bigint := CASE TG_TABLE_NAME WHEN 'invoicing_invoice' THEN (to_jsonb(NEW) ->> 'id')::bigint
                                         ELSE (to_jsonb(NEW) ->> 'invoice_id')::bigint END;
    paid numeric;
    allocated numeric;
BEGIN
    SELECT paid_amount INTO paid FROM invoicing_invoice WHERE id = checked;
    SELECT coalesce(sum(amount), 0) INTO allocated FROM invoicing_paymentallocation WHERE invoice_id = checked;
    {released}
    IF paid <> allocated THEN
        RAISE EXCEPTION 'invoice %: paid amount % differs from its payments %', checked, paid, allocated
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION invoicing_check_credit_note() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    checked bigint := CASE TG_TABLE_NAME WHEN 'invoicing_creditnote' THEN (to_jsonb(NEW) ->> 'id')::bigint
                                         ELSE (to_jsonb(NEW) ->> 'credit_note_id')::bigint END;
    note record;
    used numeric;
    items numeric;
BEGIN
    SELECT * INTO note FROM invoicing_creditnote WHERE id = checked;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    SELECT coalesce(sum(amount), 0) INTO used FROM invoicing_creditnoteuse WHERE credit_note_id = checked;
    {credits}
    IF note.credit_status <> 'voided' AND note.balance_amount <> note.credit_amount - used THEN
        RAISE EXCEPTION 'credit note %: balance % differs from credit % less % used',
            checked, note.balance_amount, note.credit_amount, used USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF used > note.credit_amount OR (used > 0 AND note.status <> 'finalized') THEN
        RAISE EXCEPTION 'credit note %: % used of %', checked, used, note.credit_amount
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    SELECT coalesce(sum(amount), 0) INTO items FROM invoicing_creditnoteitem WHERE credit_note_id = checked;
    IF items - note.coupons_adjustment_amount <> note.sub_total_amount THEN
        RAISE EXCEPTION 'credit note %: net % differs from its items %', checked, note.sub_total_amount, items
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION invoicing_check_prepaid_credit() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    checked bigint := CASE TG_TABLE_NAME WHEN 'invoicing_prepaidcredit' THEN (to_jsonb(NEW) ->> 'id')::bigint
                                         ELSE (to_jsonb(NEW) ->> 'credit_id')::bigint END;
    bought record;
    used numeric;
BEGIN
    SELECT * INTO bought FROM invoicing_prepaidcredit WHERE id = checked;
    SELECT coalesce(sum(amount), 0) INTO used FROM invoicing_prepaidcredituse WHERE credit_id = checked;
    {prepaid}
    IF bought.used_amount <> used THEN
        RAISE EXCEPTION 'prepaid credit %: used amount % differs from its uses %', checked, bought.used_amount, used
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF EXISTS (
        SELECT 1 FROM invoicing_prepaidcredituse part JOIN invoicing_invoice bill ON bill.id = part.invoice_id
         WHERE part.credit_id = checked
           AND (bill.customer_id, bill.billing_entity_id, bill.currency, part.currency)
               IS DISTINCT FROM (bought.customer_id, bought.billing_entity_id, bought.currency, bought.currency)
    ) THEN
        RAISE EXCEPTION 'prepaid credit % pays an invoice of another customer, seller or currency', checked
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
"""
_RELEASED = """SELECT allocated - coalesce(sum(held.amount), 0) INTO allocated FROM invoicing_paymentrelease held
        JOIN invoicing_paymentallocation part ON part.id = held.allocation_id WHERE part.invoice_id = checked;"""
_CREDITS = """SELECT used - coalesce(sum(back.amount), 0) INTO used FROM invoicing_creditnoteusereversal back
        JOIN invoicing_creditnoteuse part ON part.id = back.use_id WHERE part.credit_note_id = checked;"""
_PREPAID = """SELECT used - coalesce(sum(back.amount), 0) INTO used FROM invoicing_prepaidcreditusereversal back
        JOIN invoicing_prepaidcredituse part ON part.id = back.use_id WHERE part.credit_id = checked;"""
NEW_SUMS = SUMS.replace("{released}", _RELEASED).replace("{credits}", _CREDITS).replace("{prepaid}", _PREPAID)
OLD_SUMS = SUMS.replace("{released}", "").replace("{credits}", "").replace("{prepaid}", "")

# What was paid for invoices that were closed unpaid is held as well; as the customer's it is booked already.
CLOSED = """
INSERT INTO invoicing_paymentrelease (uuid, created_at, allocation_id, currency, amount)
SELECT gen_random_uuid(), bill.updated_at, part.id, part.currency, part.amount
  FROM invoicing_paymentallocation part
  JOIN invoicing_invoice bill ON bill.id = part.invoice_id
 WHERE bill.status = 'closed';
UPDATE invoicing_invoice SET paid_amount = 0 WHERE status = 'closed' AND paid_amount <> 0;
"""
NOT_CLOSED = """
UPDATE invoicing_invoice bill SET paid_amount = parts.amount
  FROM (SELECT invoice_id, sum(amount) AS amount FROM invoicing_paymentallocation GROUP BY invoice_id) AS parts
 WHERE parts.invoice_id = bill.id AND bill.status = 'closed';
"""


class Migration(migrations.Migration):
    dependencies = [("invoicing", "0016_documents")]

    operations = [
        migrations.CreateModel(
            name="CreditNoteUseReversal",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "use",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reversal",
                        to="invoicing.creditnoteuse",
                    ),
                ),
                ("currency", config.kernel.db.CurrencyField(max_length=3)),
                (
                    "amount",
                    djmoney.models.fields.MoneyField(currency_field_name="currency", decimal_places=4, max_digits=20),
                ),
            ],
            options={
                "verbose_name": "credit given back",
                "verbose_name_plural": "credits given back",
                "ordering": ["id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("amount__gt", 0)), name="invoicing_credit_reversal_amount"
                    )
                ],
                "indexes": [],
            },
        ),
        migrations.CreateModel(
            name="PrepaidCreditUseReversal",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "use",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reversal",
                        to="invoicing.prepaidcredituse",
                    ),
                ),
                ("currency", config.kernel.db.CurrencyField(max_length=3)),
                (
                    "amount",
                    djmoney.models.fields.MoneyField(currency_field_name="currency", decimal_places=4, max_digits=20),
                ),
            ],
            options={
                "verbose_name": "prepaid credit given back",
                "verbose_name_plural": "prepaid credits given back",
                "ordering": ["id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("amount__gt", 0)), name="invoicing_prepaid_reversal_amount"
                    )
                ],
                "indexes": [],
            },
        ),
        migrations.CreateModel(
            name="PaymentRelease",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "allocation",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="release",
                        to="invoicing.paymentallocation",
                    ),
                ),
                ("currency", config.kernel.db.CurrencyField(max_length=3)),
                (
                    "amount",
                    djmoney.models.fields.MoneyField(currency_field_name="currency", decimal_places=4, max_digits=20),
                ),
            ],
            options={
                "verbose_name": "payment held",
                "verbose_name_plural": "payments held",
                "ordering": ["id"],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("amount__gt", 0)), name="invoicing_release_amount")
                ],
                "indexes": [],
            },
        ),
        migrations.CreateModel(
            name="PaymentRefund",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "payment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="refunds", to="invoicing.payment"
                    ),
                ),
                ("currency", config.kernel.db.CurrencyField(max_length=3)),
                (
                    "amount",
                    djmoney.models.fields.MoneyField(currency_field_name="currency", decimal_places=4, max_digits=20),
                ),
                ("reference", models.CharField(blank=True, default="", max_length=255)),
                ("refunded_at", models.DateTimeField()),
                (
                    "idempotency_key",
                    models.CharField(blank=True, editable=False, max_length=255, null=True, unique=True),
                ),
            ],
            options={
                "verbose_name": "refund of a payment",
                "verbose_name_plural": "refunds of payments",
                "ordering": ["id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("amount__gt", 0)), name="invoicing_payment_refund_amount"
                    )
                ],
                "indexes": [],
            },
        ),
        migrations.CreateModel(
            name="InvoiceDispute",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "invoice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="disputes", to="invoicing.invoice"
                    ),
                ),
                (
                    "line",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="disputes",
                        to="invoicing.invoiceline",
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("open", "open"),
                            ("won", "won: it is owed"),
                            ("lost", "lost: it will not be paid"),
                            ("withdrawn", "withdrawn by the customer"),
                            ("settled", "settled: paid, credited or voided"),
                        ],
                        default="open",
                        max_length=16,
                    ),
                ),
                ("currency", config.kernel.db.CurrencyField(max_length=3)),
                (
                    "amount",
                    djmoney.models.fields.MoneyField(
                        currency_field_name="currency", decimal_places=4, max_digits=20, verbose_name="disputed"
                    ),
                ),
                (
                    "open_amount",
                    djmoney.models.fields.MoneyField(
                        currency_field_name="currency", decimal_places=4, max_digits=20, verbose_name="disputed still"
                    ),
                ),
                ("reason", models.TextField()),
                ("opened_at", models.DateTimeField()),
                ("resolved_at", models.DateTimeField(editable=False, null=True)),
                ("resolution", models.TextField(blank=True, default="")),
                ("updated_at", models.DateTimeField(editable=False)),
            ],
            options={
                "verbose_name": "dispute",
                "ordering": ["-opened_at", "-id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("status__in", ["open", "lost"])),
                        fields=["invoice"],
                        name="invoicing_dispute_standing",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("amount__gt", 0), ("open_amount__gte", 0), ("open_amount__lte", models.F("amount"))
                        ),
                        name="invoicing_dispute_amounts",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("open_amount__gt", 0), ("status__in", ["open", "lost"])),
                            models.Q(
                                ("open_amount", 0),
                                ("resolved_at__isnull", False),
                                ("status__in", ["won", "withdrawn", "settled"]),
                            ),
                            _connector="OR",
                        ),
                        name="invoicing_dispute_status",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "lost"), _negated=True), ("resolved_at__isnull", False), _connector="OR"
                        ),
                        name="invoicing_dispute_lost_at",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="DisputeMove",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "dispute",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="moves", to="invoicing.invoicedispute"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("opened", "opened"),
                            ("won", "won"),
                            ("lost", "lost"),
                            ("withdrawn", "withdrawn"),
                            ("settled", "paid, credited or voided"),
                        ],
                        max_length=16,
                    ),
                ),
                ("currency", config.kernel.db.CurrencyField(max_length=3)),
                (
                    "amount",
                    djmoney.models.fields.MoneyField(
                        currency_field_name="currency", decimal_places=4, max_digits=20, verbose_name="change"
                    ),
                ),
            ],
            options={
                "verbose_name": "step of a dispute",
                "verbose_name_plural": "steps of disputes",
                "ordering": ["id"],
                "indexes": [],
                "constraints": [],
            },
        ),
        migrations.AddConstraint(
            model_name="invoice",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "voided"), _negated=True),
                fields=("regenerated_from",),
                name="invoicing_invoice_regenerated_once",
            ),
        ),
        migrations.AlterField(
            model_name="ledgeraccount",
            name="role",
            field=models.CharField(
                choices=[
                    ("receivable", "receivable"),
                    ("revenue", "revenue"),
                    ("tax", "tax payable"),
                    ("cash", "cash"),
                    ("customer_credit", "customer credit"),
                    ("refunds", "refunds to pay"),
                    ("prepaid", "prepaid by customers"),
                    ("promotion", "given credits used"),
                    ("disputed", "receivable in dispute"),
                    ("write_off", "written off"),
                ],
                max_length=32,
            ),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
        migrations.RunSQL(NEW_SUMS, OLD_SUMS),
        migrations.RunSQL(CLOSED, NOT_CLOSED),
    ]
