"""The document of an order form: rendered once of what was approved, stored with its digest, and handed out.

Owns rendering and storing of these PDFs, and previews that are stored nowhere. What the document says is
`quote_document_view`'s. Rendering takes about a second and happens outside of any transaction.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from datetime import datetime

from django.core.files.storage import default_storage
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import translation

from billing.domain.quote_document import QuoteDocument
from billing.models import OrderForm
from billing.services import quote_document_view
from config.kernel import db, errors
from invoicing.domain import document_files
from invoicing.services import document_pdf, documents

log = logging.getLogger(__name__)

TEMPLATE = "documents/quote.html"
FOLDER = "quotes"


class NoDocument(errors.NotAllowed):
    """An order form that was voided before its document was made does not get one."""


class DamagedDocument(errors.Conflict):
    """The stored file is not the one that was rendered."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """What a sweep did: ids of order forms whose document it made, and of those where that failed."""

    rendered: tuple[int, ...] = ()
    failed: tuple[int, ...] = ()


def render(*, order_form_id: int, at: datetime) -> OrderForm:
    """Render the PDF of an order form, store it and return the order form; one that has its PDF keeps it.

    Safe to call any number of times and at the same time: there is one document per order form, and its file never
    changes. Not for use inside a transaction, because it takes about a second. Raises NotFound (`order_form_not_found`)
    and NoDocument (`order_form_voided`).
    """
    order_form = read(order_form_id=order_form_id)
    if order_form.sha256:
        return order_form
    _demand_living(order_form)
    content = _pdf(quote_document_view.of(version=order_form.version))
    with transaction.atomic():
        locked = db.lock_one(OrderForm.objects.filter(pk=order_form_id))
        if locked.sha256:
            return read(order_form_id=order_form_id)
        _demand_living(locked)
        locked.file.name = _path(order_form)
        locked.sha256 = hashlib.sha256(content).hexdigest()
        locked.size = len(content)
        locked.updated_at = at
        locked.save(update_fields=["file", "sha256", "size", "updated_at"])
        documents.store(locked.file.name, content)
    return read(order_form_id=order_form_id)


def render_pending(*, as_of: datetime, limit: int = 200) -> Sweep:
    """Render what documents are missing of order forms that may still be signed, the oldest first, `limit` at most.

    One that cannot be rendered is logged and left for the next sweep; it does not keep the others waiting.
    """
    waiting = (
        OrderForm.objects.filter(state=OrderForm.State.GENERATED, sha256="", created_at__lte=as_of)
        .order_by("created_at", "pk")
        .values_list("pk", flat=True)[:limit]
    )
    found = documents.each(list(waiting), what="order form", render=lambda pk: render(order_form_id=pk, at=as_of))
    return Sweep(rendered=found.rendered, failed=found.failed)


def read(*, order_form_id: int) -> OrderForm:
    """Read an order form with its version, quote and parties. Raises NotFound (`order_form_not_found`)."""
    rows = OrderForm.objects.select_related(
        "version__quote__customer",
        "version__quote__billing_entity",
        "version__quote__owner",
        "version__quote__contract",
    )
    try:
        return rows.get(pk=order_form_id)
    except OrderForm.DoesNotExist as error:
        raise errors.NotFound("order_form_not_found", "There is no such order form.") from error


def content(*, order_form: OrderForm) -> bytes:
    """Return the bytes of the stored document. Raises DamagedDocument where they do not have the digest of the row."""
    try:
        with default_storage.open(order_form.file.name) as file:
            stored = bytes(file.read())
    except (FileNotFoundError, ValueError) as error:
        raise DamagedDocument("document_missing", f"The file of {order_form.number} is gone.") from error
    if hashlib.sha256(stored).hexdigest() != order_form.sha256:
        raise DamagedDocument("document_damaged", f"The file {order_form.file.name} was changed.")
    return stored


def file_name(*, order_form: OrderForm) -> str:
    """Return the name under which the document is handed to people: `OF-2026-0001.pdf`."""
    return f"{document_files.stem(order_form.number)}.pdf"


def preview_html(*, version_id: int) -> str:
    """Return the page of a version for a screen, one that was not approved yet marked as a draft. Stores nothing."""
    return html(document=_of_version(version_id), for_screen=True)


def preview_pdf(*, version_id: int) -> bytes:
    """Return the PDF of a version: the stored one where there is one, else as it would be now, marked as a draft.

    Stores nothing. Raises NotFound (`quote_version_not_found`).
    """
    stored = OrderForm.objects.filter(version_id=version_id).exclude(sha256="").first()
    return _pdf(_of_version(version_id)) if stored is None else content(order_form=stored)


def html(*, document: QuoteDocument, for_screen: bool = False) -> str:
    """Return the page. For a screen it carries its style sheet; for print the style sheet comes with the printer."""
    with translation.override(document.language):
        return render_to_string(
            TEMPLATE, {"quote": document, "style_sheet": document_pdf.style_sheet() if for_screen else ""}
        )


def _of_version(version_id: int) -> QuoteDocument:
    return quote_document_view.of(version=quote_document_view.read(version_id=version_id))


def _pdf(document: QuoteDocument) -> bytes:
    return document_pdf.write(html=html(document=document))


def _demand_living(order_form: OrderForm) -> None:
    if order_form.state == OrderForm.State.VOIDED:
        raise NoDocument("order_form_voided", f"{order_form.number} was voided before its document was made.")


def _path(order_form: OrderForm) -> str:
    entity = order_form.version.quote.billing_entity
    return document_files.path(
        year=order_form.created_at.year,
        entity_id=entity.pk,
        entity_code=entity.code,
        number=order_form.number,
        suffix="pdf",
        folder=FOLDER,
    )
