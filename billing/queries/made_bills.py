"""Invoices as they were made, with all that they are compared and agreed by: lines with their traces, taxes, periods,
the buyer's facts and coupons. Owns reading them for many at once; never writes.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from moneyed import Money

from billing.domain import rehearsal_inputs
from billing.domain.bill_differences import BilledLine, BilledSums
from billing.domain.rehearsal_inputs import Fact, Inputs, Origin
from billing.models import BilledPeriod, RatedCharge
from catalog.domain import decimals
from config.kernel import dates, money
from customers.models import AppliedCoupon, BillingEntity, Customer
from invoicing.models import Invoice, InvoiceLine, LineTax

_HUNDRED = Decimal(100)
_ADDRESS = ("address_line1", "address_line2", "zipcode", "city", "state", "country")
_NAMES = ("name", "legal_name", "firstname", "lastname", "legal_number", "email", "shipping_address")
_BANK = ("bank_name", "iban", "bic")
_TEXTS = ("texts", "custom_sections", "locale")


@dataclass(frozen=True)
class MadeBill:
    """An invoice with its lines in their order, their origins by line, the taxes of its lines and its periods."""

    invoice: Invoice
    lines: tuple[InvoiceLine, ...]
    origins: Mapping[int, RatedCharge]
    periods: tuple[BilledPeriod, ...]
    coupons: tuple[AppliedCoupon, ...]
    treatments: Mapping[int, str]
    ordinal: int = 0

    @property
    def billing_date(self) -> date:
        """Return the local day that it bills."""
        days = [period.billing_date for period in self.periods]
        return min(days) if days else dates.local_date(self.invoice.billed_at, dates.zone(self.invoice.timezone))

    @property
    def subscriptions(self) -> frozenset[str]:
        """Return the external ids of the subscriptions that it bills."""
        return frozenset(period.subscription.external_id for period in self.periods)

    @property
    def group_sha256(self) -> str:
        """Return what finds it again among the invoices of another run: whose, for which day, by whom, of what."""
        apart = next(
            (one.subscription.external_id for one in self.periods if not one.subscription.consolidate_invoice), ""
        )
        invoice = self.invoice
        parts = (
            invoice.customer_id,
            self.billing_date.isoformat(),
            invoice.billing_entity_id,
            invoice.currency,
            invoice.purchase_order_number,
            apart,
            self.ordinal,
        )
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    def billed_lines(self, *, currency: str) -> list[tuple[InvoiceLine, BilledLine]]:
        """Return its lines as they are compared with those of an invoice in a currency."""
        return [(line, self._line(line, currency)) for line in self.lines]

    def sums(self) -> BilledSums:
        """Return what it says below its lines."""
        return BilledSums(
            discount=money.to_minor(self.invoice.coupons_amount),
            tax=money.to_minor(self.invoice.taxes_amount),
            credits=money.to_minor(self.credits),
        )

    @property
    def credits(self) -> Money:
        """Return what was paid before: progressively, by credit notes and by prepaid money."""
        invoice = self.invoice
        return invoice.progressive_billing_credit_amount + invoice.credit_notes_amount + invoice.prepaid_credit_amount

    @property
    def taxes(self) -> frozenset[str]:
        """Return the tax treatments of its lines in words."""
        return frozenset(self._tax(line) for line in self.lines if line.amount)

    def inputs(self) -> Inputs:
        """Return what it was computed from, by name."""
        origins = [
            Origin(origin.subscription.external_id, origin.trace)
            for line in self.lines
            if (origin := self.origins.get(line.pk)) is not None
        ]
        return rehearsal_inputs.of(origins=origins, facts=self._facts())

    def _line(self, line: InvoiceLine, currency: str) -> BilledLine:
        origin = self.origins.get(line.pk)
        trace: Mapping[str, Any] = {} if origin is None else origin.trace
        days, of_days = rehearsal_inputs.days_of(trace)
        return BilledLine(
            subscription=line.group_key,
            key=f"{line.kind}:{line.item_code}" if origin is None else str(origin.item_key),
            kind=line.kind,
            item_code=line.item_code,
            label=line.label,
            units=line.units,
            unit_amount=line.unit_amount,
            amount_minor=money.to_minor(line.amount),
            price=rehearsal_inputs.price_of(trace) if trace else "",
            days=days,
            of_days=of_days,
            is_other_currency=line.currency != currency,
        )

    def _tax(self, line: InvoiceLine) -> str:
        return self.treatments.get(line.pk, "no tax")

    def _facts(self) -> list[Fact]:
        invoice, buyer, seller = self.invoice, self.invoice.customer, self.invoice.billing_entity
        times = sorted(
            [
                period.subscription.external_id,
                period.reason,
                period.billing_date.isoformat(),
                period.from_at.isoformat(),
                period.to_at.isoformat(),
                period.charges_from_at.isoformat(),
                period.charges_to_at.isoformat(),
            ]
            for period in self.periods
        )
        rows = [[line.label, str(line.units.normalize()), str(line.amount.amount.normalize())] for line in self.lines]
        taxed = sorted([line.label, self._tax(line)] for line in self.lines)
        coupons = [_coupon(one) for one in self.coupons]
        return [
            Fact("period", times, ", ".join(sorted({f"{one[3][:10]} to {one[4][:10]}" for one in times}))),
            Fact("tax", taxed, "; ".join(sorted(self.taxes))),
            Fact(
                "tax facts of the buyer",
                [buyer.tax_identification_number, buyer.country, buyer.state, buyer.customer_type],
                " ".join(filter(None, [buyer.tax_identification_number or "no VAT id", buyer.country])),
            ),
            Fact("name and address of the buyer", _named(buyer), buyer.legal_name or buyer.name),
            Fact("seller", [seller.code, seller.tax_identification_number, _named(seller)], seller.name),
            Fact("bank details of the seller", [getattr(seller, name) for name in _BANK]),
            Fact("texts of the document", [invoice.locale, *(invoice.snapshot.get(name) for name in _TEXTS)]),
            Fact("grace period", [invoice.status, (invoice.finalize_after - invoice.billed_at).days], invoice.status),
            Fact(
                "coupons",
                [_amount(invoice.coupons_amount), coupons],
                _told(invoice.coupons_amount),
            ),
            Fact(
                "progressive billing",
                _amount(invoice.progressive_billing_credit_amount),
                _told(invoice.progressive_billing_credit_amount),
            ),
            Fact("credit notes", _amount(invoice.credit_notes_amount), _told(invoice.credit_notes_amount)),
            Fact("prepaid credits", _amount(invoice.prepaid_credit_amount), _told(invoice.prepaid_credit_amount)),
            Fact("purchase order number", invoice.purchase_order_number, invoice.purchase_order_number),
            Fact("payment term", invoice.net_payment_term, f"{invoice.net_payment_term} days"),
            Fact(rehearsal_inputs.LINES, sorted(rows), f"{len(rows)} lines"),
            Fact(rehearsal_inputs.TOTAL, _amount(invoice.total_amount), _told(invoice.total_amount)),
        ]


def of_invoices(*, invoice_ids: Collection[int]) -> list[MadeBill]:
    """Return invoices as they are, in the order of their ids. A fixed number of statements for all of them."""
    invoices = list(
        Invoice.objects.filter(pk__in=invoice_ids).select_related("customer", "billing_entity").order_by("pk")
    )
    lines: dict[int, list[InvoiceLine]] = defaultdict(list)
    rows = InvoiceLine.objects.filter(invoice_id__in=invoice_ids)
    for line in rows.order_by("invoice_id", "position", "pk"):
        lines[line.invoice_id or 0].append(line)
    found = RatedCharge.objects.filter(line__invoice_id__in=invoice_ids).select_related("subscription")
    origins = {row.line_id: row for row in found}
    periods: dict[int, list[BilledPeriod]] = defaultdict(list)
    for period in (
        BilledPeriod.objects.filter(invoice_id__in=invoice_ids, released_at__isnull=True)
        .select_related("subscription", "plan_version__plan", "plan_version__minimum_commitment")
        .order_by("pk")
    ):
        periods[period.invoice_id or 0].append(period)
    treatments = _treatments(invoice_ids)
    coupons: dict[int, list[AppliedCoupon]] = defaultdict(list)
    for coupon in AppliedCoupon.objects.filter(
        customer_id__in={invoice.customer_id for invoice in invoices}, status=AppliedCoupon.Status.ACTIVE
    ).select_related("coupon"):
        coupons[coupon.customer_id].append(coupon)
    return _numbered(
        [
            MadeBill(
                invoice,
                tuple(lines[invoice.pk]),
                {line.pk: origins[line.pk] for line in lines[invoice.pk] if line.pk in origins},
                tuple(periods[invoice.pk]),
                tuple(coupons[invoice.customer_id]),
                {line.pk: treatments[line.pk] for line in lines[invoice.pk] if line.pk in treatments},
            )
            for invoice in invoices
        ]
    )


def _numbered(bills: Sequence[MadeBill]) -> list[MadeBill]:
    """Tell invoices of the same group apart, in their order."""
    seen: dict[str, int] = defaultdict(int)
    found = []
    for bill in bills:
        group = bill.group_sha256
        found.append(replace(bill, ordinal=seen[group]))
        seen[group] += 1
    return found


def _treatments(invoice_ids: Collection[int]) -> dict[int, str]:
    """Return the taxes of lines in words, by the line; those without any are left out."""
    taxes = LineTax.objects.filter(line__invoice_id__in=invoice_ids)
    parts: dict[int, list[str]] = defaultdict(list)
    for line_id, name, rate in taxes.values_list("line_id", "tax_name", "rate"):
        parts[line_id].append(f"{name} {decimals.text(rate * _HUNDRED)} %")
    return {line_id: " + ".join(sorted(found)) for line_id, found in parts.items()}


def _coupon(one: AppliedCoupon) -> list[object]:
    return [
        one.coupon.code,
        None if one.amount is None else _amount(one.amount),
        None if one.rate is None else decimals.text(one.rate),
        one.frequency,
        one.frequency_duration_remaining,
    ]


def _named(party: Customer | BillingEntity) -> list[str]:
    return [str(getattr(party, name, "")) for name in (*_NAMES, *_ADDRESS)]


def _amount(value: Money) -> list[str]:
    return [decimals.text(value.amount), value.currency.code]


def _told(value: Money) -> str:
    return f"{money.quantize(value.amount, currency=value.currency.code)} {value.currency.code}"
