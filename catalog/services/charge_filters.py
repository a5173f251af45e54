"""The filters of a plan's charge, changed one by one. Owns the full list that the change of one filter makes, and
refusals without a path; each change is another version of the plan.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

from django.db import transaction

from catalog.domain import publications
from catalog.domain.publications import Publication
from catalog.models import ChargeFilter
from catalog.queries import plans as plan_queries
from catalog.services import plans, price_lists, versions
from catalog.services.charge_input import ChargeValues, FilterValues
from catalog.services.price_lists import ChargeContent, FilterContent
from config.kernel import errors
from config.kernel.actors import Actor

_PLACE = re.compile(r"^filters\.\d+\.")


@transaction.atomic
def add(
    *,
    code: str,
    charge_code: str,
    values: FilterValues,
    actor: Actor,
    at: datetime,
    publication: Publication = publications.FOLLOWED,
) -> ChargeFilter:
    """Price some values apart, after the charge's other filters.

    Raises as `plans.change_charge`, without a path, and Invalid (`values`) for values that have a filter already.
    """
    charge = _charge(code, charge_code, at)
    rows = [*map(_row, charge.filters), values]
    after = _publish(code, charge_code, rows, actor, at, publication)
    return _stored(code, charge_code, after.filters[-1].key)


@transaction.atomic
def change(
    *,
    code: str,
    charge_code: str,
    key: UUID,
    values: FilterValues,
    actor: Actor,
    at: datetime,
    publication: Publication = publications.FOLLOWED,
) -> ChargeFilter:
    """Change the price, the name or the values of a filter, which keeps its id and its place. Raises as `add`."""
    charge = _charge(code, charge_code, at)
    position = _position(charge, key)
    rows = [_row(part) for part in charge.filters]
    rows[position] = FilterValues(**{**rows[position], **values})
    _publish(code, charge_code, rows, actor, at, publication)
    return _stored(code, charge_code, key)


@transaction.atomic
def remove(
    *,
    code: str,
    charge_code: str,
    key: UUID,
    actor: Actor,
    at: datetime,
    publication: Publication = publications.FOLLOWED,
) -> ChargeFilter:
    """Price the values of a filter as the rest of the charge; return it as it was. Raises as `add`."""
    charge = _charge(code, charge_code, at)
    _position(charge, key)
    gone = _stored(code, charge_code, key)
    rows = [_row(part) for part in charge.filters if part.key != key]
    _publish(code, charge_code, rows, actor, at, publication)
    return gone


def _charge(code: str, charge_code: str, at: datetime) -> ChargeContent:
    return plans.charge_of(price_lists.read(versions.lock(code=code, at=at)), charge_code)


def _position(charge: ChargeContent, key: UUID) -> int:
    for position, part in enumerate(charge.filters):
        if part.key == key:
            return position
    raise errors.NotFound("charge_filter_not_found", "The charge has no filter of this id.")


def _row(part: FilterContent) -> FilterValues:
    return FilterValues(
        key=part.key,
        values=part.values,
        properties=part.properties,
        invoice_display_name=part.invoice_display_name,
    )


def _publish(
    code: str,
    charge_code: str,
    rows: Sequence[FilterValues],
    actor: Actor,
    at: datetime,
    publication: Publication,
) -> ChargeContent:
    with _without_path():
        return plans.change_charge(
            code=code,
            charge_code=charge_code,
            values=ChargeValues(filters=rows),
            actor=actor,
            at=at,
            publication=publication,
        )


def _stored(code: str, charge_code: str, key: UUID) -> ChargeFilter:
    return plan_queries.charge_filter(
        plan_queries.charge(plan_queries.by_code(code=code), charge_code=charge_code), key=key
    )


@contextmanager
def _without_path() -> Iterator[None]:
    """Name refused fields as the caller sent them: whichever filter is refused, it is because of this one."""
    try:
        yield
    except errors.Invalid as error:
        details = {_PLACE.sub("", field): codes for field, codes in error.details.items()}
        raise errors.Invalid(error.code, error.message, details) from error
