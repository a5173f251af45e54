"""Checks of the books on stored documents: their bytes are those that were rendered, and what a PDF says to its reader
is what the invoice comes to. Reads a sample, because each document has to be opened. Never writes.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Sequence

import pypdf
from django.db.models import BigIntegerField, F, Func, Value
from django.utils import translation
from django.utils.translation import pgettext
from moneyed import Money
from pypdf.errors import PyPdfError

from config.kernel import checks, errors, money
from config.kernel.checks import Check, Finding, Scope, Verdict
from invoicing.domain import document_language
from invoicing.models import CreditNote, Document, Invoice
from invoicing.services import documents

_FIGURE = re.compile(r"\d[\d.,'’\s]*")
_GAPS = re.compile(r"\s+")
_BATCH = 100


def sampled(*, scope: Scope) -> Iterator[Document]:
    """Yield the documents that a run looks at: the same ones for the same seed."""
    found = Document.objects.filter(kind=Document.Kind.PDF)
    if scope.since is not None:
        found = found.filter(created_at__gte=scope.since)
    number = BigIntegerField()
    drawn = Func(F("pk"), Value(scope.seed, output_field=number), function="hashint8extended", output_field=number)
    chosen = found.order_by(drawn, "pk")[: scope.sample]
    yield from chosen.select_related("invoice", "credit_note__invoice").iterator(chunk_size=_BATCH)


def text_of(content: bytes) -> list[str]:
    """Return the lines of a PDF's text, every kind of blank as a plain one. Raises PyPdfError where it is no PDF."""
    pages = pypdf.PdfReader(io.BytesIO(content)).pages
    return [_GAPS.sub(" ", line).strip() for page in pages for line in page.extract_text().splitlines()]


def says(*, lines: Sequence[str], label: str, amount: Money) -> bool:
    """Say whether a document's text has an amount beside a label, whatever signs stand between its digits.

    A document that does not have the label, as one that was made by an earlier release may not, is searched as a whole.
    """
    wanted = str(abs(money.to_minor(amount)))
    labelled = [line[len(label) :] for line in lines if line.startswith(f"{label} ")]
    return any(wanted == _digits(figure) for line in labelled or lines for figure in _FIGURE.findall(line))


def _digits(figure: str) -> str:
    return "".join(sign for sign in figure if sign.isdigit()).lstrip("0") or "0"


def run(scope: Scope) -> Verdict:
    """Open a sample of the stored PDFs and compare them with their rows."""
    looked_at, findings = 0, []
    for document in sampled(scope=scope):
        looked_at += 1
        subject = document.invoice or document.credit_note
        if subject is not None and (problem := _problem(document, subject)):
            kind = subject._meta.label_lower
            findings.append(Finding(subject_type=kind, subject_id=subject.pk, label=str(subject), message=problem))
    return Verdict(looked_at=looked_at, count=len(findings), findings=tuple(findings[: checks.KEPT]))


def _problem(document: Document, subject: Invoice | CreditNote) -> str:
    """Return what is wrong with a document, or nothing."""
    try:
        lines = text_of(documents.content(document=document))
    except (errors.DomainError, PyPdfError) as error:
        return str(error)
    invoice = subject if isinstance(subject, Invoice) else subject.invoice
    amount = subject.gross_amount if isinstance(subject, Invoice) else subject.total_amount
    country = subject.snapshot.get("seller", {}).get("country") or ""
    with translation.override(document_language.choose(locale=invoice.locale, seller_country=country).code):
        label = pgettext("document", "Total")
    if not says(lines=lines, label=label, amount=amount):
        return f"the document does not say {amount.amount.normalize():f} {invoice.currency} as its total"
    # A long number may go over two lines.
    if subject.number and _squeezed([subject.number]) not in _squeezed(lines):
        return f"the document does not say its number {subject.number}"
    return ""


def _squeezed(lines: Iterable[str]) -> str:
    return "".join("".join(lines).split())


PDFS = Check(
    name="pdf_totals",
    title="PDF total = document total",
    proves=(
        "The stored file of an invoice or credit note has the bytes that were rendered, and its text says the number "
        "and the total that the document has."
    ),
    run=run,
    is_sampled=True,
)
