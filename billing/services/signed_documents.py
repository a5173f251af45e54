"""Documents that came back signed on paper: what such a file may be, and storing it. Owns both."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage

from billing.models import OrderForm
from config.kernel import errors

FOLDER = "quotes/signed"
MOST_BYTES = 10 * 1024 * 1024
CONTENT_TYPES = {"pdf": "application/pdf", "jpg": "image/jpeg", "png": "image/png"}
_KINDS = {b"%PDF-": "pdf", b"\xff\xd8\xff": "jpg", b"\x89PNG\r\n\x1a\n": "png"}


class InvalidDocument(errors.Invalid):
    """The file is none that a signed document can be."""


@dataclass(frozen=True, slots=True)
class SignedDocument:
    """A scan: PDF, JPEG or PNG, of ten megabytes at most. What it is, its content says, not its name."""

    content: bytes


def kind_of(content: bytes) -> str:
    """Return the ending that belongs to the content. Raises InvalidDocument (`signed_document`)."""
    if not content or len(content) > MOST_BYTES:
        raise _refused("invalid_size", "A signed document has ten megabytes at most.")
    for start, ending in _KINDS.items():
        if content.startswith(start):
            return ending
    raise _refused("invalid_content_type", "A signed document is a PDF, JPEG or PNG.")


@contextlib.contextmanager
def stored(*, order_form: OrderForm, document: SignedDocument | None) -> Iterator[str]:
    """Store a document beside the order form that it is of, and give its name; without a document an empty one.

    Where what is done with it fails, the file is deleted again. Raises InvalidDocument.
    """
    if document is None:
        yield ""
        return
    ending = kind_of(document.content)
    name = default_storage.save(
        f"{FOLDER}/{order_form.number}-{uuid.uuid4().hex}.{ending}", ContentFile(document.content)
    )
    try:
        yield name
    except BaseException:
        default_storage.delete(name)
        raise


def opened(*, order_form: OrderForm) -> File[bytes]:
    """Open the document of an order form. Raises NotFound (`signed_document_not_found`)."""
    try:
        return default_storage.open(order_form.signed_document.name)
    except (FileNotFoundError, ValueError) as error:
        raise errors.NotFound("signed_document_not_found", f"The scan of {order_form.number} is gone.") from error


def _refused(code: str, message: str) -> InvalidDocument:
    return InvalidDocument("validation_errors", message, {"signed_document": [code]})
