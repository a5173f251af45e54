"""Coupons: making, changing, ending and retiring them. Giving them to customers is the customers app's.

A coupon that somebody has keeps its terms: whoever calls says whether somebody does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, TypedDict

from django.db import transaction

from catalog.domain import coupons as rules
from catalog.models import Coupon
from catalog.queries import coupons
from config.kernel import db, errors, money
from config.kernel.actors import Actor
from config.platform.services import audit, uniqueness

_PLAIN = ("code", "name", "description", "kind", "rate", "frequency", "frequency_duration", "is_reusable", "expires_at")
_ALWAYS = {"name", "description", "expires_at"}
"""What may be changed of a coupon that somebody has."""

_FIELDS = {
    "kind": "coupon_type",
    "rate": "percentage_rate",
    "amount": "amount_cents",
    "is_reusable": "reusable",
    "expires_at": "expiration_at",
    "plans": "applies_to",
    "metrics": "applies_to",
}


class CouponValues(TypedDict, total=False):
    """What a coupon is made of.

    ``amount_cents`` is in minor units of ``amount_currency``, ``rate`` a fraction (0.1); ``frequency_duration`` counts
    only for a recurring one. No ``expires_at`` is no end. ``plan_codes`` and ``metric_codes`` are full lists.
    """

    code: str
    name: str
    description: str
    kind: str
    amount_cents: int | None
    amount_currency: str
    rate: Decimal | None
    frequency: str
    frequency_duration: int | None
    expires_at: datetime | None
    is_reusable: bool
    plan_codes: Sequence[str]
    metric_codes: Sequence[str]


@transaction.atomic
def create(*, values: CouponValues, actor: Actor, at: datetime) -> Coupon:
    """Make a coupon. Raises Invalid with codes by field, NotFound (`plans_not_found`, `billable_metrics_not_found`) and
    NotAllowed (`only_one_limitation_type_per_coupon_allowed`).
    """
    content = _content(values, None)
    _demand(content, at, expiry_is_new=True)
    limits = _limits(values)
    coupon = Coupon(**content, created_at=at)
    with uniqueness.told(catalog_coupon_code="code"):
        coupon.save(force_insert=True)
    coupon.plans.set(limits.get("plans", ()))
    coupon.metrics.set(limits.get("metrics", ()))
    audit.record(actor=actor, at=at, verb="create", instance=coupon, new=values)
    return coupons.by_code(code=coupon.code)


@transaction.atomic
def update(*, code: str, values: CouponValues, is_applied: bool, actor: Actor, at: datetime) -> Coupon:
    """Change what ``values`` holds; without a difference nothing is written. Call it with the coupon locked.

    Where somebody has the coupon (``is_applied``) only name, description and end may change. Raises NotFound, Invalid
    (`modification_not_allowed` by field), and as `create`.
    """
    coupon = locked(code)
    content = _content(values, coupon)
    new = {field: value for field, value in content.items() if getattr(coupon, field) != value}
    old = {field: getattr(coupon, field) for field in new}
    limits = _limits(values)
    before = {name: sorted(row.pk for row in getattr(coupon, name).all()) for name in limits}
    moved = {name: rows for name, rows in limits.items() if sorted(row.pk for row in rows) != before[name]}
    if is_applied:
        _demand_kept({*new, *moved})
    if new:
        _demand(content, at, expiry_is_new="expires_at" in new)
        _assign(coupon, new)
        with uniqueness.told(catalog_coupon_code="code"):
            coupon.save(update_fields=[*new, *(["currency"] if "amount" in new else [])])
    for name, rows in moved.items():
        getattr(coupon, name).set(rows)
        old[name], new[name] = before[name], sorted(row.pk for row in rows)
    if moved and all(getattr(coupon, name).exists() for name in ("plans", "metrics")):
        raise _both()
    if new:
        audit.record(actor=actor, at=at, verb="update", instance=coupon, old=old, new=new)
    return coupons.by_code(code=coupon.code)


@transaction.atomic
def terminate(*, code: str, actor: Actor, at: datetime) -> Coupon:
    """End a coupon: it is applied to nobody any more. Who has it keeps it. Idempotent. Raises NotFound."""
    coupon = locked(code)
    if coupon.terminated_at is None:
        coupon.terminated_at = at
        coupon.save(update_fields=["terminated_at"])
        audit.record(actor=actor, at=at, verb="terminate", instance=coupon)
    return coupons.by_code(code=code)


@transaction.atomic
def delete(*, code: str, actor: Actor, at: datetime) -> Coupon:
    """Retire a coupon; its code may be used again. Raises NotFound."""
    coupon = locked(code)
    found = coupons.by_code(code=code)
    coupon.terminated_at = coupon.terminated_at or at
    coupon.deleted_at = at
    coupon.save(update_fields=["terminated_at", "deleted_at"])
    audit.record(actor=actor, at=at, verb="delete", instance=coupon)
    found.terminated_at, found.deleted_at = coupon.terminated_at, at
    return found


def locked(code: str) -> Coupon:
    """Lock a coupon that is still there after everybody who held it is done. Needs a transaction. Raises NotFound."""
    found = coupons.by_code(code=code)
    rows = db.lock(Coupon.objects.filter(pk=found.pk, deleted_at__isnull=True))
    if not rows:
        raise coupons.not_found(code)
    return rows[0]


def _content(values: CouponValues, coupon: Coupon | None) -> dict[str, Any]:
    """Return the whole coupon as it is to be: what is not given stays, and what its kind does not have goes."""
    given: Mapping[str, Any] = values
    content: dict[str, Any] = {
        field: given[field] if field in given else getattr(coupon or Coupon(), field) for field in _PLAIN
    }
    currency = given.get("amount_currency") or (coupon.currency if coupon else "")
    cents = given.get("amount_cents")
    if "amount_cents" not in given and coupon is not None and coupon.amount is not None:
        cents = money.to_minor(coupon.amount)
    if coupon is not None and content["kind"] != coupon.kind:
        # The terms of the other kind are gone with it, unless they are sent by mistake.
        content["rate"] = given.get("rate")
        cents = given.get("amount_cents")
    content["amount"] = None if cents is None else money.from_minor(cents, _currency(currency))
    content["currency"] = currency if cents is not None else ""
    if content["frequency"] != Coupon.Frequency.RECURRING:
        content["frequency_duration"] = None
    return content


def _demand(content: Mapping[str, Any], at: datetime, *, expiry_is_new: bool) -> None:
    details = rules.check_terms(
        kind=content["kind"],
        amount=content["amount"],
        rate=content["rate"],
        frequency=content["frequency"],
        frequency_duration=content["frequency_duration"],
    )
    if expiry_is_new:
        details.update(rules.check_expiry(expires_at=content["expires_at"], at=at))
    if details:
        raise errors.Invalid("validation_errors", f"Please check: {', '.join(details)}.", details)


def _demand_kept(changed: set[str]) -> None:
    fields = sorted({_FIELDS.get(field, field) for field in changed - _ALWAYS - {"currency"}})
    if fields:
        details = {field: ["modification_not_allowed"] for field in fields}
        raise errors.Invalid("validation_errors", f"Somebody has the coupon: {', '.join(fields)} stay.", details)


def _limits(values: CouponValues) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    if "plan_codes" in values:
        found["plans"] = list(coupons.plans(codes=values["plan_codes"]))
    if "metric_codes" in values:
        found["metrics"] = list(coupons.metrics(codes=values["metric_codes"]))
    if found.get("plans") and found.get("metrics"):
        raise _both()
    return found


def _both() -> errors.NotAllowed:
    message = "A coupon is limited to plans or to metrics, not to both."
    return errors.NotAllowed("only_one_limitation_type_per_coupon_allowed", message)


def _assign(coupon: Coupon, new: Mapping[str, Any]) -> None:
    if "amount" in new or "currency" in new:
        coupon.amount = None
        coupon.currency = ""
    for field, value in new.items():
        if field not in ("amount", "currency"):
            setattr(coupon, field, value)
    if new.get("amount") is not None:
        coupon.currency = new["amount"].currency.code
        coupon.amount = new["amount"]


def _currency(code: str) -> str:
    if not code:
        raise errors.Invalid("validation_errors", "", {"amount_currency": ["value_is_mandatory"]})
    if not money.known(code):
        raise errors.Invalid("validation_errors", "", {"amount_currency": ["value_is_invalid"]})
    return code
