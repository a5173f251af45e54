"""The plans that a simulation plays: versions that are stored, and drafts that are not. Owns making a price list of a
draft, by the very service that makes plans, in a transaction that is taken back.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

import msgspec
from django.db import transaction
from django.db.models import prefetch_related_objects

from billing.queries import price_lists, simulation_contracts
from billing.queries.price_lists import PriceList
from catalog.models import BillableMetric, PlanVersion
from catalog.services import plans
from config.kernel import actors, errors
from config.platform.services import outbox

MAX_MINOR = 10**15
MAX_DIGITS = 9

Text = Annotated[str, msgspec.Meta(max_length=255)]
LongText = Annotated[str, msgspec.Meta(max_length=10_000)]
Minor = Annotated[int, msgspec.Meta(ge=0, le=MAX_MINOR)]


@dataclass(frozen=True)
class Offer:
    """A version of a plan with its prices, and how a person knows it."""

    label: str
    version: PlanVersion
    prices: PriceList

    @property
    def metric_codes(self) -> frozenset[str]:
        """Return the codes of the metrics that it has prices for."""
        return frozenset(charge.metric.code for charge in self.prices.charges)


class InvalidDraft(errors.Invalid):
    """The draft of a plan cannot be read."""


class _Filter(msgspec.Struct, forbid_unknown_fields=True):
    values: dict[str, list[str]]
    properties: dict[str, Any]
    invoice_display_name: Text = ""


class _Charge(msgspec.Struct, forbid_unknown_fields=True):
    charge_model: Text
    billable_metric_code: Text = ""
    billable_metric_id: uuid.UUID | None = None
    code: Text = ""
    invoice_display_name: Text = ""
    prorated: bool = False
    min_amount_cents: Minor = 0
    pay_in_advance: bool = False
    properties: dict[str, Any] = {}
    filters: list[_Filter] = []


class _FixedCharge(msgspec.Struct, forbid_unknown_fields=True):
    charge_model: Text
    add_on_code: Text
    code: Text = ""
    invoice_display_name: Text = ""
    units: Decimal = Decimal(1)
    pay_in_advance: bool = False
    prorated: bool = False
    properties: dict[str, Any] = {}


class _Plan(msgspec.Struct, forbid_unknown_fields=True):
    interval: Text
    amount_cents: Minor
    amount_currency: Text
    code: Text = "draft"
    name: Text = ""
    invoice_display_name: Text = ""
    description: LongText = ""
    pay_in_advance: bool = False
    trial_period: Decimal = Decimal(0)
    bill_charges_monthly: bool = False
    bill_fixed_charges_monthly: bool = False
    charges: list[_Charge] = []
    fixed_charges: list[_FixedCharge] = []


def named(*, reference: str) -> Offer:
    """Return the plan of a code such as ``growth``, or a certain version of it as ``growth@3``.

    Raises NotFound (`plan_not_found`).
    """
    code, at, number = reference.rpartition("@")
    if at and number.isascii() and number.isdecimal() and len(number) <= MAX_DIGITS:
        return stored(code=code, number=int(number))
    return stored(code=reference)


def stored(*, code: str, number: int | None = None) -> Offer:
    """Return a version of a plan, the current one unless told. Raises NotFound (`plan_not_found`)."""
    return of_version(simulation_contracts.version(code=code, number=number))


def of_version(version: PlanVersion) -> Offer:
    """Return a version of a plan with its prices. Needs its plan at hand."""
    # The contracts that are moved to it share its fixed charges, which are asked for once.
    prefetch_related_objects([version], "fixed_charges")
    prices = price_lists.load(version_ids=[version.pk])[version.pk]
    return Offer(label(version), version, prices)


def label(version: PlanVersion) -> str:
    """Return how a person knows a version of a plan: plans in several currencies often share a name."""
    return f"{version.plan.name} ({version.plan.code}, {version.currency}, version {version.number})"


def draft(*, content: Mapping[str, Any], at: datetime) -> Offer:
    """Return the plan that a client would make with this content, without making it.

    The content is that of a plan in the API, alone or under ``plan``; its charges may name their metrics by code. It is
    checked and priced by making the plan in a transaction that is taken back, so nothing stays of it and what a plan
    refuses is refused here. Raises InvalidDraft for what cannot be read, and what making a plan raises.
    """
    found = _read(content.get("plan", content) if isinstance(content, Mapping) else content)
    values = _values(found)
    with outbox.silence(), transaction.atomic():
        version = plans.create(values=values, actor=actors.job("simulation"), at=at)
        offer = of_version(version)
        transaction.set_rollback(True)
    return Offer(f"{found.name or found.code} (draft)", offer.version, replace(offer.prices, plan_code=found.code))


def _read(content: Any) -> _Plan:
    try:
        found = msgspec.convert(content, type=_Plan)
    except msgspec.ValidationError as error:
        raise _unreadable(str(error)) from error
    if not all(value.is_finite() for value in (found.trial_period, *(one.units for one in found.fixed_charges))):
        raise _unreadable("a number of days or units is no number")
    if not _is_storable(content):
        raise _unreadable("a text has a null character or half a surrogate pair")
    return found


def _is_storable(content: Any) -> bool:
    """Say whether the database can hold all text; a null character is always written as its escape."""
    try:
        written = json.dumps(content, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return b"\\u0000" not in written


def _unreadable(reason: str) -> InvalidDraft:
    message = f"The draft of the plan cannot be read: {reason}."
    return InvalidDraft("invalid_draft", message, {"plan": ["value_is_invalid"]})


def _values(found: _Plan) -> Any:
    content = msgspec.structs.asdict(found)
    # Under a code of its own: the draft may be the next version of a plan that exists.
    content |= {"code": f"draft-{uuid.uuid4()}", "name": found.name or found.code}
    metrics = _metrics(found.charges)
    return {
        **content,
        "charges": [_charge(charge, metrics) for charge in found.charges],
        "fixed_charges": [msgspec.structs.asdict(charge) for charge in found.fixed_charges],
    }


def _charge(charge: _Charge, metrics: Mapping[str, uuid.UUID]) -> dict[str, Any]:
    content = msgspec.structs.asdict(charge)
    code = content.pop("billable_metric_code")
    if code:
        content["billable_metric_id"] = metrics[code]
    return content | {"filters": [msgspec.structs.asdict(one) for one in charge.filters]}


def _metrics(charges: Sequence[_Charge]) -> dict[str, uuid.UUID]:
    codes = {charge.billable_metric_code for charge in charges if charge.billable_metric_code}
    rows = BillableMetric.objects.filter(code__in=codes, deleted_at__isnull=True)
    found = dict(rows.values_list("code", "uuid"))
    for code in sorted(codes - found.keys()):
        raise errors.NotFound("billable_metric_not_found", f"There is no billable metric {code}.")
    return found
