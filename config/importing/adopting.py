"""Public ids. Owns that a row that was made for a thing there has the id of that thing, so that whoever stored the id
still finds it. Nothing else of a row is touched.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import models

from billing.models import UsageAlert
from catalog.models import (
    AddOn,
    BillableMetric,
    Charge,
    ChargeFilter,
    Coupon,
    FixedCharge,
    MinimumCommitment,
    Plan,
    Tax,
    UsageThreshold,
)
from config.platform.models import Installation
from customers.models import BillingEntity, Customer, CustomerMetadata
from invoicing.models import RecurringTransactionRule, Wallet

LIVING: Mapping[str, type[models.Model]] = {
    "tax": Tax,
    "add_on": AddOn,
    "billable_metric": BillableMetric,
    "plan": Plan,
    "coupon": Coupon,
    "billing_entity": BillingEntity,
    "customer": Customer,
    "wallet": Wallet,
    "alert": UsageAlert,
    "organization": Installation,
}
"""What has a public id of its own, by the root key of the API."""


def is_known(model: type[models.Model], public_id: Any, *, field: str = "uuid") -> bool:
    """Say whether a row has that public id, one that was ended or deleted since too."""
    found = _uuid(public_id)
    return found is not None and model._default_manager.filter(**{field: found}).exists()


def adopt(rows: models.QuerySet[Any], public_id: Any, *, field: str = "uuid") -> None:
    """Give the one row of a queryset a public id, unless another row has it or it is none."""
    found = _uuid(public_id)
    if found is not None and not is_known(rows.model, found, field=field):
        rows.update(**{field: found})


def adopt_as(root: str, answer: Mapping[str, Any], theirs: Mapping[str, Any]) -> dict[str, Any]:
    """Give what an answer shows the public id that it has there, and return the answer with it."""
    adopt(LIVING[root].objects.filter(uuid=answer["lago_id"]), theirs.get("lago_id"))  # type: ignore[attr-defined]
    return {**answer, "lago_id": theirs.get("lago_id") or answer["lago_id"]}


def adopt_plan(theirs: Mapping[str, Any]) -> None:
    """Give a plan that was just made, its charges, filters, fixed charges, minimum and thresholds their ids."""
    adopt(Plan.objects.filter(code=theirs["code"], deleted_at__isnull=True), theirs.get("lago_id"))
    current = {"plan_version__plan__code": theirs["code"], "plan_version__plan__deleted_at__isnull": True}
    for charge in theirs.get("charges") or ():
        rows = Charge.objects.filter(**current, code=charge["code"])
        adopt(rows, charge.get("lago_id"), field="key")
        filters = ChargeFilter.objects.filter(charge__in=rows.values("pk")).order_by("pk")
        _adopt_each(filters, charge.get("filters") or ())
    for fixed in theirs.get("fixed_charges") or ():
        adopt(FixedCharge.objects.filter(**current, code=fixed["code"]), fixed.get("lago_id"), field="key")
    minimum = theirs.get("minimum_commitment") or {}
    adopt(MinimumCommitment.objects.filter(**current), minimum.get("lago_id"), field="key")
    for threshold in theirs.get("usage_thresholds") or ():
        same = {"amount_cents": threshold["amount_cents"], "recurring": bool(threshold.get("recurring"))}
        adopt(UsageThreshold.objects.filter(**current, **same), threshold.get("lago_id"), field="key")


def adopt_notes(theirs: Mapping[str, Any]) -> None:
    """Give the notes of a customer that was just made their ids."""
    for note in theirs.get("metadata") or ():
        rows = CustomerMetadata.objects.filter(customer__uuid=theirs.get("lago_id"), key=note["key"])
        adopt(rows, note.get("lago_id"))


def adopt_rules(answer: Mapping[str, Any], theirs: Iterable[Mapping[str, Any]]) -> None:
    """Give the rules of a wallet that was just made their ids, in their order."""
    for mine, rule in zip(answer.get("recurring_transaction_rules") or (), theirs, strict=False):
        adopt(RecurringTransactionRule.objects.filter(uuid=mine["lago_id"]), rule.get("lago_id"))


def _adopt_each(rows: models.QuerySet[Any], theirs: Iterable[Mapping[str, Any]]) -> None:
    for row, there in zip(list(rows), theirs, strict=False):
        adopt(rows.model._default_manager.filter(pk=row.pk), there.get("lago_id"), field="key")


def _uuid(public_id: Any) -> uuid.UUID | None:
    try:
        return uuid.UUID(str(public_id))
    except ValueError:
        return None
