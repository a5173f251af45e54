"""Unique keys as refusals. Owns the step from a violated constraint to the code that clients know."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import IntegrityError, transaction

from config.kernel import errors


@contextmanager
def told(**fields: str) -> Iterator[None]:
    """Run a write in a savepoint and refuse a value that is taken: ``told(catalog_tax_code="code")``.

    Maps names of constraints to names of fields; raises Invalid with ``value_already_exist`` under the field. Any other
    violation is passed on. The database decides, so two writers at once cannot both win.
    """
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        diagnosis = getattr(error.__cause__, "diag", None)
        field = fields.get(getattr(diagnosis, "constraint_name", None) or "")
        if field is None:
            raise
        message = f"Another one has this {field.replace('_', ' ')} already."
        raise errors.Invalid("validation_errors", message, {field: ["value_already_exist"]}) from error
