"""Own terms of one charge of a subscription, as they are agreed one by one: its price, and the filters of its price.

Owns the full list that a change of one filter makes, and refusals without a path; agreeing is `own_terms`'.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from billing.models import Subscription
from billing.services import own_terms
from catalog.models import Charge, ChargeFilter
from catalog.queries import plans
from catalog.services.charge_input import FilterValues, refused
from catalog.services.own_terms_input import PATH, OwnChargeValues, OwnFixedChargeValues, OwnTerms
from config.kernel import errors
from config.kernel.actors import Actor

_PLACE = re.compile(r"^filters\.\d+\.")


def agree(*, subscription_id: int, code: str, values: OwnChargeValues, actor: Actor, at: datetime) -> Subscription:
    """Agree on own terms of the charge with that code. Raises as `own_terms.agree`, without a path, and NotFound."""
    row = OwnChargeValues(**{**values, "code": code})
    return _agreed("charges", subscription_id, OwnTerms(charges=[row]), actor, at)


def agree_fixed(
    *, subscription_id: int, code: str, values: OwnFixedChargeValues, actor: Actor, at: datetime
) -> Subscription:
    """Agree on own terms of the fixed charge with that code.

    Raises as `agree`, and Invalid (`units`) where nothing is said.
    """
    if not values.keys() - {"apply_units_immediately"}:
        raise refused("units", "value_is_mandatory")
    row = OwnFixedChargeValues(**{**values, "code": code})
    return _agreed("fixed_charges", subscription_id, OwnTerms(fixed_charges=[row]), actor, at)


@transaction.atomic
def add_filter(
    *, subscription_id: int, code: str, values: FilterValues, actor: Actor, at: datetime
) -> tuple[Subscription, UUID]:
    """Price some values of the charge apart, after its other filters; return the filter's id too.

    Raises as `agree`, Invalid (`values`) for values that have a filter already.
    """
    charge = _charge(subscription_id, code, actor, at)
    rows = [*_rows(charge), values]
    subscription = _with_filters(subscription_id, code, rows, actor, at)
    before = {row.key for row in charge.filters.all()}
    after = plans.charge(subscription.plan_version, charge_code=code).filters.all()
    return subscription, next(row.key for row in after if row.key not in before)


@transaction.atomic
def change_filter(
    *, subscription_id: int, code: str, filter_id: UUID, values: FilterValues, actor: Actor, at: datetime
) -> Subscription:
    """Agree on another price or name of a filter, whose values stay. Raises as `agree`, and NotFound."""
    charge = _charge(subscription_id, code, actor, at)
    changed = filter_of(charge, filter_id)
    if values.get("values") and values["values"] != changed.values:
        raise refused("values", "modification_not_allowed")
    rows = [_row(row) | (values if row.key == filter_id else {}) for row in charge.filters.all()]
    return _with_filters(subscription_id, code, rows, actor, at)


@transaction.atomic
def remove_filter(
    *, subscription_id: int, code: str, filter_id: UUID, actor: Actor, at: datetime
) -> tuple[Subscription, ChargeFilter]:
    """Price the values of a filter as the rest of the charge; return the filter too. Raises as `change_filter`."""
    charge = _charge(subscription_id, code, actor, at)
    gone = filter_of(charge, filter_id)
    rows = [_row(row) for row in charge.filters.all() if row.key != filter_id]
    return _with_filters(subscription_id, code, rows, actor, at), gone


def filter_of(charge: Charge, filter_id: UUID) -> ChargeFilter:
    """Return the filter of a charge by its id. Raises NotFound (`charge_filter_not_found`)."""
    for row in charge.filters.all():
        if row.key == filter_id:
            return row
    raise errors.NotFound("charge_filter_not_found", "The charge has no filter of this id.")


def _charge(subscription_id: int, code: str, actor: Actor, at: datetime) -> Charge:
    subscription = own_terms.held(subscription_id=subscription_id, actor=actor, at=at)
    return plans.charge(subscription.plan_version, charge_code=code)


def _rows(charge: Charge) -> list[FilterValues]:
    return [_row(row) for row in charge.filters.all()]


def _row(row: ChargeFilter) -> FilterValues:
    return FilterValues(values=row.values, properties=row.properties, invoice_display_name=row.invoice_display_name)


def _with_filters(
    subscription_id: int, code: str, rows: Sequence[FilterValues], actor: Actor, at: datetime
) -> Subscription:
    """Agree on the full list of filters. A refusal is about the one that changed: it names fields without a place."""
    values = OwnChargeValues(filters=rows)
    try:
        return agree(subscription_id=subscription_id, code=code, values=values, actor=actor, at=at)
    except errors.Invalid as error:
        details: dict[str, Any] = {_PLACE.sub("", field): codes for field, codes in error.details.items()}
        raise errors.Invalid(error.code, error.message, details) from error


def _agreed(name: str, subscription_id: int, terms: OwnTerms, actor: Actor, at: datetime) -> Subscription:
    with _without_path(f"{PATH}.{name}.0."):
        return own_terms.agree(subscription_id=subscription_id, terms=terms, actor=actor, at=at)


@contextmanager
def _without_path(path: str) -> Iterator[None]:
    try:
        yield
    except errors.Invalid as error:
        details: dict[str, Any] = {field.removeprefix(path): codes for field, codes in error.details.items()}
        raise errors.Invalid(error.code, error.message, details) from error
