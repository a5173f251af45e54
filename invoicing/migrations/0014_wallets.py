"""Wallets and their transactions, and the triggers that hold them.

A wallet keeps its seller, its currency and its rate. What is settled or failed stays, but for what remains of it; what
paid for what is append-only. Sums that several rows must agree on are checked when the transaction ends: a balance
against its transactions, what remains against what was consumed, and what an invoice drew against the same.
"""

import decimal
import uuid

import django.db.models.deletion
import django.utils.timezone
import djmoney.models.fields
from django.db import migrations, models

import config.kernel.db

FREEZE = """
CREATE FUNCTION invoicing_freeze_wallet() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR (OLD.customer_id, OLD.billing_entity_id, OLD.currency, OLD.rate_amount)
        IS DISTINCT FROM (NEW.customer_id, NEW.billing_entity_id, NEW.currency, NEW.rate_amount) THEN
        RAISE EXCEPTION 'wallet %: % of its customer, seller, currency or rate refused', OLD.id, TG_OP
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF OLD.status = 'terminated' AND NEW.status <> 'terminated' THEN
        RAISE EXCEPTION 'wallet % is terminated', OLD.id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER invoicing_wallet_frozen BEFORE UPDATE OR DELETE ON invoicing_wallet
    FOR EACH ROW EXECUTE FUNCTION invoicing_freeze_wallet();

CREATE FUNCTION invoicing_freeze_wallet_transaction() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    later text[] := ARRAY['remaining_credit_amount', 'remaining_amount', 'remaining_purchased_amount'];
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'wallet transaction %: DELETE refused', OLD.id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF OLD.status = 'pending' THEN
        later := later || ARRAY['status', 'settled_at', 'failed_at', 'invoice_id'];
    END IF;
    IF to_jsonb(NEW) - later <> to_jsonb(OLD) - later
        OR (OLD.invoice_id IS NOT NULL AND OLD.invoice_id IS DISTINCT FROM NEW.invoice_id) THEN
        RAISE EXCEPTION 'wallet transaction % is %: UPDATE refused', OLD.id, OLD.status
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER invoicing_wallettx_frozen BEFORE UPDATE OR DELETE ON invoicing_wallettransaction
    FOR EACH ROW EXECUTE FUNCTION invoicing_freeze_wallet_transaction();
CREATE TRIGGER invoicing_consumption_append_only BEFORE UPDATE OR DELETE ON invoicing_walletconsumption
    FOR EACH ROW EXECUTE FUNCTION platform_append_only();
"""

SUMS = """
CREATE FUNCTION invoicing_check_wallet() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    checked bigint := CASE TG_TABLE_NAME WHEN 'invoicing_wallet' THEN (to_jsonb(NEW) ->> 'id')::bigint
                                         ELSE (to_jsonb(NEW) ->> 'wallet_id')::bigint END;
    purse record;
    credits numeric;
    money numeric;
BEGIN
    SELECT * INTO purse FROM invoicing_wallet WHERE id = checked;
    SELECT coalesce(sum(CASE transaction_type WHEN 'inbound' THEN credit_amount ELSE -credit_amount END), 0),
           coalesce(sum(CASE transaction_type WHEN 'inbound' THEN amount ELSE -amount END), 0)
      INTO credits, money FROM invoicing_wallettransaction WHERE wallet_id = checked AND status = 'settled';
    IF purse.credits_balance <> credits OR purse.balance_amount <> money THEN
        RAISE EXCEPTION 'wallet %: balance % (% credits) differs from its transactions % (% credits)', checked,
            purse.balance_amount, purse.credits_balance, money, credits
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF TG_TABLE_NAME = 'invoicing_wallettransaction' AND to_jsonb(NEW) ->> 'currency' <> purse.currency THEN
        RAISE EXCEPTION 'wallet % is in %', checked, purse.currency USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER invoicing_wallet_sums AFTER INSERT OR UPDATE OF credits_balance, balance_amount
    ON invoicing_wallet DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION invoicing_check_wallet();
CREATE CONSTRAINT TRIGGER invoicing_wallettx_wallet AFTER INSERT OR UPDATE OF status ON invoicing_wallettransaction
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION invoicing_check_wallet();

CREATE FUNCTION invoicing_check_consumed(checked bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    entry record;
    credits numeric;
    money numeric;
    bought numeric;
BEGIN
    SELECT * INTO entry FROM invoicing_wallettransaction WHERE id = checked;
    IF entry.status <> 'settled' THEN
        RETURN;
    END IF;
    IF entry.transaction_type = 'inbound' THEN
        SELECT entry.remaining_credit_amount + coalesce(sum(credit_amount), 0),
               entry.remaining_amount + coalesce(sum(amount), 0),
               entry.remaining_purchased_amount + coalesce(sum(purchased_amount), 0)
          INTO credits, money, bought FROM invoicing_walletconsumption WHERE inbound_id = checked;
    ELSE
        SELECT coalesce(sum(credit_amount), 0), coalesce(sum(amount), 0), coalesce(sum(purchased_amount), 0)
          INTO credits, money, bought FROM invoicing_walletconsumption WHERE outbound_id = checked;
    END IF;
    IF (entry.credit_amount, entry.amount, entry.purchased_amount) IS DISTINCT FROM (credits, money, bought) THEN
        RAISE EXCEPTION 'wallet transaction %: % (% credits) differs from its consumptions % (% credits)', checked,
            entry.amount, entry.credit_amount, money, credits USING ERRCODE = 'integrity_constraint_violation';
    END IF;
END $$;
CREATE FUNCTION invoicing_check_wallet_transaction() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM invoicing_check_consumed(NEW.id);
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER invoicing_wallettx_consumed AFTER INSERT OR UPDATE ON invoicing_wallettransaction
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION invoicing_check_wallet_transaction();
CREATE FUNCTION invoicing_check_wallet_consumption() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM invoicing_wallettransaction came JOIN invoicing_wallettransaction went
            ON went.wallet_id = came.wallet_id AND went.currency = came.currency
         WHERE came.id = NEW.inbound_id AND came.transaction_type = 'inbound' AND came.currency = NEW.currency
           AND went.id = NEW.outbound_id AND went.transaction_type = 'outbound'
    ) THEN
        RAISE EXCEPTION 'consumption % is of two wallets, or in a wrong direction', NEW.id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    PERFORM invoicing_check_consumed(NEW.inbound_id);
    PERFORM invoicing_check_consumed(NEW.outbound_id);
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER invoicing_consumption_sums AFTER INSERT ON invoicing_walletconsumption
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION invoicing_check_wallet_consumption();
"""

_INVOICE = """
CREATE OR REPLACE FUNCTION invoicing_check_prepaid_of_invoice() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    checked bigint := CASE TG_TABLE_NAME WHEN 'invoicing_invoice' THEN (to_jsonb(NEW) ->> 'id')::bigint
                                         ELSE (to_jsonb(NEW) ->> 'invoice_id')::bigint END;
    bill record;
    drawn numeric;
BEGIN
    SELECT * INTO bill FROM invoicing_invoice WHERE id = checked;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    SELECT coalesce(sum(amount), 0) INTO drawn FROM invoicing_prepaidcredituse WHERE invoice_id = checked;
    {wallets}
    IF bill.prepaid_credit_amount <> drawn OR (drawn > 0 AND (bill.status IN ({drafts}) OR bill.kind = 'credit')) THEN
        RAISE EXCEPTION 'invoice %: prepaid credit % differs from the % that it drew', checked,
            bill.prepaid_credit_amount, drawn USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
"""
_WALLETS = """SELECT drawn + coalesce(sum(amount), 0) INTO drawn FROM invoicing_wallettransaction
     WHERE invoice_id = checked AND transaction_status = 'invoiced';
    IF EXISTS (
        SELECT 1 FROM invoicing_wallettransaction part JOIN invoicing_wallet purse ON purse.id = part.wallet_id
         WHERE part.invoice_id = checked
           AND (bill.customer_id, bill.billing_entity_id, bill.currency)
               IS DISTINCT FROM (purse.customer_id, purse.billing_entity_id, purse.currency)
    ) THEN
        RAISE EXCEPTION 'invoice % is of another customer, seller or currency than its wallet', checked
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;"""
_DRAWN = """
CREATE CONSTRAINT TRIGGER invoicing_wallettx_invoice AFTER INSERT ON invoicing_wallettransaction
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.transaction_status = 'invoiced')
    EXECUTE FUNCTION invoicing_check_prepaid_of_invoice();
"""
INVOICE = _INVOICE.replace("{wallets}", _WALLETS).replace("{drafts}", "'draft', 'pending', 'failed', 'open'") + _DRAWN

BACKWARD = (
    "DROP TRIGGER invoicing_wallettx_invoice ON invoicing_wallettransaction;"
    + _INVOICE.replace("{wallets}", "").replace("{drafts}", "'draft'")
    + """
DROP TRIGGER invoicing_consumption_sums ON invoicing_walletconsumption;
DROP FUNCTION invoicing_check_wallet_consumption();
DROP TRIGGER invoicing_wallettx_consumed ON invoicing_wallettransaction;
DROP FUNCTION invoicing_check_wallet_transaction();
DROP FUNCTION invoicing_check_consumed(bigint);
DROP TRIGGER invoicing_wallettx_wallet ON invoicing_wallettransaction;
DROP TRIGGER invoicing_wallet_sums ON invoicing_wallet;
DROP FUNCTION invoicing_check_wallet();
DROP TRIGGER invoicing_consumption_append_only ON invoicing_walletconsumption;
DROP TRIGGER invoicing_wallettx_frozen ON invoicing_wallettransaction;
DROP FUNCTION invoicing_freeze_wallet_transaction();
DROP TRIGGER invoicing_wallet_frozen ON invoicing_wallet;
DROP FUNCTION invoicing_freeze_wallet();
"""
)


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0012_overrides"),
        ("customers", "0001_initial"),
        ("platform", "0002_append_only"),
        ("invoicing", "0013_coupons"),
    ]

    operations = [
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
                ],
                max_length=32,
            ),
        ),
        migrations.CreateModel(
            name="Wallet",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("code", models.CharField(max_length=255)),
                ("name", models.CharField(blank=True, default="", max_length=255)),
                (
                    "status",
                    models.CharField(
                        choices=[("active", "active"), ("terminated", "terminated")], default="active", max_length=16
                    ),
                ),
                ("currency", config.kernel.db.CurrencyField(max_length=3)),
                (
                    "rate_amount",
                    models.DecimalField(decimal_places=12, max_digits=30, verbose_name="worth of one credit"),
                ),
                ("priority", models.PositiveSmallIntegerField(default=50)),
                ("expiration_at", models.DateTimeField(blank=True, null=True)),
                (
                    "paid_top_up_min_amount",
                    djmoney.models.fields.MoneyField(
                        blank=True,
                        currency_field_name="currency",
                        decimal_places=4,
                        max_digits=20,
                        null=True,
                        verbose_name="smallest purchase",
                    ),
                ),
                (
                    "paid_top_up_max_amount",
                    djmoney.models.fields.MoneyField(
                        blank=True,
                        currency_field_name="currency",
                        decimal_places=4,
                        max_digits=20,
                        null=True,
                        verbose_name="largest purchase",
                    ),
                ),
                ("fee_types", models.JSONField(blank=True, default=list, verbose_name="kinds of lines")),
                (
                    "invoice_requires_successful_payment",
                    models.BooleanField(default=False, verbose_name="issue invoices once they are paid"),
                ),
                ("purchase_order_number", models.CharField(blank=True, default="", max_length=255)),
                ("metadata", models.JSONField(blank=True, default=dict)),
                (
                    "credits_balance",
                    models.DecimalField(
                        decimal_places=5, default=decimal.Decimal, max_digits=30, verbose_name="credits"
                    ),
                ),
                (
                    "balance_amount",
                    djmoney.models.fields.MoneyField(
                        currency_field_name="currency",
                        decimal_places=4,
                        default=decimal.Decimal,
                        max_digits=20,
                        verbose_name="balance",
                    ),
                ),
                ("consumed_credits", models.DecimalField(decimal_places=5, default=decimal.Decimal, max_digits=30)),
                (
                    "consumed_amount",
                    djmoney.models.fields.MoneyField(
                        currency_field_name="currency",
                        decimal_places=4,
                        default=decimal.Decimal,
                        max_digits=20,
                        verbose_name="consumed",
                    ),
                ),
                ("last_balance_sync_at", models.DateTimeField(editable=False, null=True)),
                ("last_consumed_credit_at", models.DateTimeField(editable=False, null=True)),
                (
                    "credits_ongoing_balance",
                    models.DecimalField(
                        decimal_places=5, default=decimal.Decimal, max_digits=30, verbose_name="ongoing credits"
                    ),
                ),
                (
                    "ongoing_balance_amount",
                    djmoney.models.fields.MoneyField(
                        currency_field_name="currency",
                        decimal_places=4,
                        default=decimal.Decimal,
                        max_digits=20,
                        verbose_name="ongoing balance",
                    ),
                ),
                (
                    "credits_ongoing_usage",
                    models.DecimalField(
                        decimal_places=5,
                        default=decimal.Decimal,
                        max_digits=30,
                        verbose_name="credits of current usage",
                    ),
                ),
                (
                    "ongoing_usage_amount",
                    djmoney.models.fields.MoneyField(
                        currency_field_name="currency",
                        decimal_places=4,
                        default=decimal.Decimal,
                        max_digits=20,
                        verbose_name="current usage",
                    ),
                ),
                ("depleted_ongoing_balance", models.BooleanField(default=False, editable=False)),
                ("ongoing_refreshed_at", models.DateTimeField(editable=False, null=True)),
                ("terminated_at", models.DateTimeField(editable=False, null=True)),
                ("updated_at", models.DateTimeField(editable=False)),
                (
                    "billable_metrics",
                    models.ManyToManyField(blank=True, related_name="wallets", to="catalog.billablemetric"),
                ),
                (
                    "billing_entity",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="wallets",
                        to="customers.billingentity",
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="wallets", to="customers.customer"
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at", "-id"],
                "permissions": [
                    ("top_up_wallet", "Can top up wallet"),
                    ("void_wallet_credits", "Can void credits of a wallet"),
                    ("terminate_wallet", "Can terminate wallet"),
                ],
            },
        ),
        migrations.CreateModel(
            name="RecurringTransactionRule",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "status",
                    models.CharField(
                        choices=[("active", "active"), ("terminated", "terminated")], default="active", max_length=16
                    ),
                ),
                (
                    "trigger",
                    models.CharField(
                        choices=[("interval", "every interval"), ("threshold", "below a threshold")], max_length=16
                    ),
                ),
                (
                    "method",
                    models.CharField(
                        choices=[("fixed", "the same each time"), ("target", "up to a target")],
                        default="fixed",
                        max_length=16,
                    ),
                ),
                (
                    "interval",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "none"),
                            ("weekly", "weekly"),
                            ("monthly", "monthly"),
                            ("quarterly", "quarterly"),
                            ("semiannual", "half-yearly"),
                            ("yearly", "yearly"),
                        ],
                        default="",
                        max_length=16,
                    ),
                ),
                ("paid_credits", models.DecimalField(decimal_places=5, default=decimal.Decimal, max_digits=30)),
                ("granted_credits", models.DecimalField(decimal_places=5, default=decimal.Decimal, max_digits=30)),
                ("grants_target_top_up", models.BooleanField(default=False)),
                ("threshold_credits", models.DecimalField(decimal_places=5, default=decimal.Decimal, max_digits=30)),
                ("target_ongoing_balance", models.DecimalField(blank=True, decimal_places=5, max_digits=30, null=True)),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                ("expiration_at", models.DateTimeField(blank=True, null=True)),
                ("invoice_requires_successful_payment", models.BooleanField(default=False)),
                ("ignore_paid_top_up_limits", models.BooleanField(default=False)),
                ("purchase_order_number", models.CharField(blank=True, default="", max_length=255)),
                ("transaction_name", models.CharField(blank=True, default="", max_length=255)),
                ("transaction_metadata", models.JSONField(blank=True, default=list)),
                ("held_until", models.DateTimeField(editable=False, null=True)),
                ("warned_at", models.DateTimeField(editable=False, null=True)),
                ("terminated_at", models.DateTimeField(editable=False, null=True)),
                ("updated_at", models.DateTimeField(editable=False)),
                (
                    "wallet",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="recurring_transaction_rules",
                        to="invoicing.wallet",
                    ),
                ),
            ],
            options={
                "verbose_name": "recurring top-up",
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="WalletTransaction",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("transaction_type", models.CharField(choices=[("inbound", "in"), ("outbound", "out")], max_length=16)),
                (
                    "transaction_status",
                    models.CharField(
                        choices=[
                            ("purchased", "purchased"),
                            ("granted", "granted"),
                            ("voided", "voided"),
                            ("invoiced", "invoiced"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[("pending", "pending"), ("settled", "settled"), ("failed", "failed")],
                        default="pending",
                        max_length=16,
                    ),
                ),
                (
                    "source",
                    models.CharField(
                        choices=[("manual", "by hand"), ("interval", "interval"), ("threshold", "threshold")],
                        default="manual",
                        max_length=16,
                    ),
                ),
                ("currency", config.kernel.db.CurrencyField(max_length=3)),
                ("credit_amount", models.DecimalField(decimal_places=5, max_digits=30, verbose_name="credits")),
                (
                    "amount",
                    djmoney.models.fields.MoneyField(currency_field_name="currency", decimal_places=4, max_digits=20),
                ),
                (
                    "purchased_amount",
                    djmoney.models.fields.MoneyField(
                        currency_field_name="currency",
                        decimal_places=4,
                        default=decimal.Decimal,
                        max_digits=20,
                        verbose_name="of it paid for",
                    ),
                ),
                (
                    "remaining_credit_amount",
                    models.DecimalField(
                        decimal_places=5, default=decimal.Decimal, max_digits=30, verbose_name="remaining credits"
                    ),
                ),
                (
                    "remaining_amount",
                    djmoney.models.fields.MoneyField(
                        currency_field_name="currency",
                        decimal_places=4,
                        default=decimal.Decimal,
                        max_digits=20,
                        verbose_name="remaining",
                    ),
                ),
                (
                    "remaining_purchased_amount",
                    djmoney.models.fields.MoneyField(
                        currency_field_name="currency",
                        decimal_places=4,
                        default=decimal.Decimal,
                        max_digits=20,
                        verbose_name="remaining of what was paid for",
                    ),
                ),
                ("priority", models.PositiveSmallIntegerField(default=50)),
                ("name", models.CharField(blank=True, default="", max_length=255)),
                ("metadata", models.JSONField(blank=True, default=list)),
                ("purchase_order_number", models.CharField(blank=True, default="", max_length=255)),
                ("invoice_requires_successful_payment", models.BooleanField(default=False)),
                ("rule_day", models.DateField(editable=False, null=True)),
                ("settled_at", models.DateTimeField(editable=False, null=True)),
                ("failed_at", models.DateTimeField(editable=False, null=True)),
                (
                    "credit_note",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="wallet_transactions",
                        to="invoicing.creditnote",
                    ),
                ),
                (
                    "invoice",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="wallet_transactions",
                        to="invoicing.invoice",
                    ),
                ),
                (
                    "rule",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="transactions",
                        to="invoicing.recurringtransactionrule",
                    ),
                ),
                (
                    "voided_invoice",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="returned_wallet_transactions",
                        to="invoicing.invoice",
                    ),
                ),
                (
                    "voided_transaction",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="voiding_transactions",
                        to="invoicing.wallettransaction",
                    ),
                ),
                (
                    "wallet",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="transactions", to="invoicing.wallet"
                    ),
                ),
            ],
            options={
                "verbose_name": "wallet transaction",
                "ordering": ["-created_at", "-id"],
            },
        ),
        migrations.CreateModel(
            name="WalletConsumption",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("currency", config.kernel.db.CurrencyField(max_length=3)),
                ("credit_amount", models.DecimalField(decimal_places=5, max_digits=30, verbose_name="credits")),
                (
                    "amount",
                    djmoney.models.fields.MoneyField(currency_field_name="currency", decimal_places=4, max_digits=20),
                ),
                (
                    "purchased_amount",
                    djmoney.models.fields.MoneyField(
                        currency_field_name="currency",
                        decimal_places=4,
                        default=decimal.Decimal,
                        max_digits=20,
                        verbose_name="of it paid for",
                    ),
                ),
                (
                    "inbound",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="consumptions",
                        to="invoicing.wallettransaction",
                    ),
                ),
                (
                    "outbound",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="fundings",
                        to="invoicing.wallettransaction",
                    ),
                ),
            ],
            options={
                "verbose_name": "consumption of credits",
                "verbose_name_plural": "consumptions of credits",
                "ordering": ["id"],
            },
        ),
        migrations.AddIndex(
            model_name="wallet",
            index=models.Index(fields=["-created_at", "-id"], name="invoicing_wallet_recent"),
        ),
        migrations.AddIndex(
            model_name="wallet",
            index=models.Index(
                condition=models.Q(("status", "active")),
                fields=["customer", "priority", "created_at"],
                name="invoicing_wallet_active",
            ),
        ),
        migrations.AddIndex(
            model_name="wallet",
            index=models.Index(
                condition=models.Q(("expiration_at__isnull", False), ("status", "active")),
                fields=["expiration_at"],
                name="invoicing_wallet_expiring",
            ),
        ),
        migrations.AddConstraint(
            model_name="wallet",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "active")), fields=("customer", "code"), name="invoicing_wallet_code"
            ),
        ),
        migrations.AddConstraint(
            model_name="wallet",
            constraint=models.CheckConstraint(condition=models.Q(("rate_amount__gt", 0)), name="invoicing_wallet_rate"),
        ),
        migrations.AddConstraint(
            model_name="wallet",
            constraint=models.CheckConstraint(
                condition=models.Q(("priority__gte", 1), ("priority__lte", 50)), name="invoicing_wallet_priority"
            ),
        ),
        migrations.AddConstraint(
            model_name="wallet",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("balance_amount__gte", 0),
                    ("consumed_amount__gte", 0),
                    ("consumed_credits__gte", 0),
                    ("credits_balance__gte", 0),
                ),
                name="invoicing_wallet_not_negative",
            ),
        ),
        migrations.AddConstraint(
            model_name="wallet",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "active"), ("terminated_at__isnull", True)),
                    models.Q(("status", "terminated"), ("terminated_at__isnull", False)),
                    _connector="OR",
                ),
                name="invoicing_wallet_terminated_at",
            ),
        ),
        migrations.AddConstraint(
            model_name="wallet",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("paid_top_up_min_amount__isnull", True), ("paid_top_up_min_amount__gt", 0), _connector="OR"
                    ),
                    models.Q(
                        ("paid_top_up_max_amount__isnull", True), ("paid_top_up_max_amount__gt", 0), _connector="OR"
                    ),
                    models.Q(
                        ("paid_top_up_min_amount__isnull", True),
                        ("paid_top_up_max_amount__isnull", True),
                        ("paid_top_up_max_amount__gte", models.F("paid_top_up_min_amount")),
                        _connector="OR",
                    ),
                ),
                name="invoicing_wallet_top_up_limits",
            ),
        ),
        migrations.AddIndex(
            model_name="recurringtransactionrule",
            index=models.Index(
                condition=models.Q(("status", "active")), fields=["trigger", "id"], name="invoicing_rule_active"
            ),
        ),
        migrations.AddConstraint(
            model_name="recurringtransactionrule",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "active")), fields=("wallet",), name="invoicing_rule_one_active"
            ),
        ),
        migrations.AddConstraint(
            model_name="recurringtransactionrule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("trigger", "interval"), models.Q(("interval", ""), _negated=True)),
                    models.Q(("interval", ""), ("trigger", "threshold")),
                    _connector="OR",
                ),
                name="invoicing_rule_interval",
            ),
        ),
        migrations.AddConstraint(
            model_name="recurringtransactionrule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("method", "target"), _negated=True),
                    ("target_ongoing_balance__isnull", False),
                    _connector="OR",
                ),
                name="invoicing_rule_target",
            ),
        ),
        migrations.AddConstraint(
            model_name="recurringtransactionrule",
            constraint=models.CheckConstraint(
                condition=models.Q(("granted_credits__gte", 0), ("paid_credits__gte", 0)), name="invoicing_rule_credits"
            ),
        ),
        migrations.AddConstraint(
            model_name="recurringtransactionrule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "active"), ("terminated_at__isnull", True)),
                    models.Q(("status", "terminated"), ("terminated_at__isnull", False)),
                    _connector="OR",
                ),
                name="invoicing_rule_terminated_at",
            ),
        ),
        migrations.AddIndex(
            model_name="wallettransaction",
            index=models.Index(fields=["wallet", "-created_at", "-id"], name="invoicing_wallettx_recent"),
        ),
        migrations.AddIndex(
            model_name="wallettransaction",
            index=models.Index(
                condition=models.Q(("remaining_credit_amount__gt", 0)),
                fields=["wallet", "priority", "created_at"],
                name="invoicing_wallettx_open",
            ),
        ),
        migrations.AddConstraint(
            model_name="wallettransaction",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("transaction_status__in", ["purchased", "granted"]), ("transaction_type", "inbound")),
                    models.Q(
                        ("status", "settled"),
                        ("transaction_status__in", ["voided", "invoiced"]),
                        ("transaction_type", "outbound"),
                    ),
                    _connector="OR",
                ),
                name="invoicing_wallettx_kind",
            ),
        ),
        migrations.AddConstraint(
            model_name="wallettransaction",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("amount__gte", 0),
                    ("credit_amount__gte", 0),
                    models.Q(("credit_amount__gt", 0), ("amount__gt", 0), _connector="OR"),
                ),
                name="invoicing_wallettx_amount",
            ),
        ),
        migrations.AddConstraint(
            model_name="wallettransaction",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("purchased_amount__gte", 0),
                    ("purchased_amount__lte", models.F("amount")),
                    ("remaining_amount__gte", 0),
                    ("remaining_amount__lte", models.F("amount")),
                    ("remaining_credit_amount__gte", 0),
                    ("remaining_credit_amount__lte", models.F("credit_amount")),
                    ("remaining_purchased_amount__gte", 0),
                    ("remaining_purchased_amount__lte", models.F("remaining_amount")),
                ),
                name="invoicing_wallettx_remaining",
            ),
        ),
        migrations.AddConstraint(
            model_name="wallettransaction",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "settled"), ("transaction_type", "inbound")),
                    models.Q(("remaining_amount", 0), ("remaining_credit_amount", 0)),
                    _connector="OR",
                ),
                name="invoicing_wallettx_nothing_remains",
            ),
        ),
        migrations.AddConstraint(
            model_name="wallettransaction",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("failed_at__isnull", True), ("settled_at__isnull", True), ("status", "pending")),
                    models.Q(("failed_at__isnull", True), ("settled_at__isnull", False), ("status", "settled")),
                    models.Q(("failed_at__isnull", False), ("settled_at__isnull", True), ("status", "failed")),
                    _connector="OR",
                ),
                name="invoicing_wallettx_status",
            ),
        ),
        migrations.AddConstraint(
            model_name="wallettransaction",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("transaction_status", "purchased"), _negated=True),
                    ("purchased_amount", models.F("amount")),
                    _connector="OR",
                ),
                name="invoicing_wallettx_purchased",
            ),
        ),
        migrations.AddConstraint(
            model_name="wallettransaction",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("transaction_status", "invoiced"), _negated=True),
                    ("invoice__isnull", False),
                    _connector="OR",
                ),
                name="invoicing_wallettx_invoiced",
            ),
        ),
        migrations.AddConstraint(
            model_name="wallettransaction",
            constraint=models.UniqueConstraint(
                condition=models.Q(("transaction_status", "invoiced")),
                fields=("wallet", "invoice"),
                name="invoicing_wallettx_one_draw",
            ),
        ),
        migrations.AddConstraint(
            model_name="wallettransaction",
            constraint=models.UniqueConstraint(
                condition=models.Q(("transaction_status", "purchased")),
                fields=("invoice",),
                name="invoicing_wallettx_one_purchase",
            ),
        ),
        migrations.AddConstraint(
            model_name="wallettransaction",
            constraint=models.UniqueConstraint(
                condition=models.Q(("source", "interval")),
                fields=("rule", "rule_day", "transaction_status"),
                name="invoicing_wallettx_rule_day",
            ),
        ),
        migrations.AddConstraint(
            model_name="walletconsumption",
            constraint=models.UniqueConstraint(fields=("inbound", "outbound"), name="invoicing_consumption_pair"),
        ),
        migrations.AddConstraint(
            model_name="walletconsumption",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("amount__gte", 0),
                    ("credit_amount__gte", 0),
                    ("purchased_amount__gte", 0),
                    ("purchased_amount__lte", models.F("amount")),
                ),
                name="invoicing_consumption_amounts",
            ),
        ),
        migrations.RunSQL(FREEZE + SUMS + INVOICE, BACKWARD),
    ]
