"""Why no tax is charged, in the words of the law: what documents say of it. Only reads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from django.db.models import Q

from catalog.queries import tax_notes
from customers.models import TaxExemption
from invoicing.models import Invoice, InvoiceLine, InvoiceTax

KEY = "taxes"
"""Where the texts of a snapshot have them."""


def of_many(*, invoices: Sequence[Invoice]) -> Mapping[int, list[str]]:
    """Return what invoices say about their taxes, in their languages, in two queries; three if one is exempt."""
    by_id = {invoice.pk: invoice for invoice in invoices}
    found: dict[int, list[str]] = defaultdict(list)
    rows = InvoiceTax.objects.filter(Q(rate=0) | ~Q(tax__legal_note=""), invoice__in=by_id).select_related("tax")
    for row in rows.order_by("pk"):
        locale = by_id[row.invoice_id].locale
        note = row.tax.legal_note or tax_notes.of_tax(code=row.tax_code, is_nothing=not row.rate, locale=locale)
        if note and note not in found[row.invoice_id]:
            found[row.invoice_id].append(note)
    exempt = TaxExemption.objects.filter(customer__in={invoice.customer_id for invoice in invoices})
    exemptions = {row.customer_id: row for row in exempt}
    if exemptions:
        lines = InvoiceLine.objects.filter(invoice__in=by_id, tax_basis=InvoiceLine.TaxBasis.EXEMPT)
        for pk in lines.order_by("invoice_id").values_list("invoice_id", flat=True).distinct():
            invoice = by_id[pk]
            if invoice.customer_id in exemptions:
                found[pk].append(_exempt(exemptions[invoice.customer_id], invoice.locale))
    return found


def _exempt(row: TaxExemption, locale: str) -> str:
    words = row.legal_note
    if not words:
        words = tax_notes.exemption(reason=row.reason, locale=locale)
    if row.certificate_number:
        certificate = tax_notes.text(key=tax_notes.CERTIFICATE, locale=locale)
        words = f"{words} {certificate.replace('{number}', row.certificate_number)}"
    return words
