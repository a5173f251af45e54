"""Coupons with the question who has them: terms that stay for those who do, and what ends with a coupon.

The catalogue owns coupons themselves; giving them to customers is next door.
"""

from __future__ import annotations

from datetime import datetime

from django.db import models, transaction

from catalog.models import Coupon
from catalog.services import coupons
from catalog.services.coupons import CouponValues
from config.kernel import actors, db
from config.kernel.actors import Actor
from customers.models import AppliedCoupon
from customers.queries import applied_coupons as known
from customers.services import applied_coupons

CHUNK = 500

create = coupons.create
terminate = coupons.terminate


@transaction.atomic
def update(*, code: str, values: CouponValues, actor: Actor, at: datetime) -> Coupon:
    """Change a coupon; what somebody has keeps its terms. Raises as the catalogue's `update`."""
    is_applied = known.is_applied(coupons.locked(code))
    return coupons.update(code=code, values=values, is_applied=is_applied, actor=actor, at=at)


@transaction.atomic
def delete(*, code: str, actor: Actor, at: datetime) -> Coupon:
    """Retire a coupon and take it off everybody who has it. What invoices used of it stays. Raises NotFound."""
    coupon = coupons.delete(code=code, actor=actor, at=at)
    _end_applied([coupon.pk], AppliedCoupon.EndedBy.REMOVAL, actor, at)
    return coupon


def expire_due(*, as_of: datetime) -> int:
    """End the coupons whose time is over, with all that customers have of them; return how many coupons that were.

    May run any number of times: what has ended is left alone. Each chunk is a transaction of its own.
    """
    done = 0
    while chunk := _expire_chunk(as_of):
        done += chunk
    return done


@transaction.atomic
def _expire_chunk(as_of: datetime) -> int:
    running = AppliedCoupon.objects.filter(coupon=models.OuterRef("pk"), status=AppliedCoupon.Status.ACTIVE)
    due = Coupon.objects.filter(
        models.Q(terminated_at__isnull=True) | models.Exists(running), expires_at__lte=as_of, deleted_at__isnull=True
    )
    found = db.lock(Coupon.objects.filter(pk__in=list(due.order_by("pk").values_list("pk", flat=True)[:CHUNK])))
    for coupon in found:
        coupon.terminated_at = coupon.terminated_at or as_of
    Coupon.objects.bulk_update(found, ["terminated_at"])
    _end_applied([coupon.pk for coupon in found], AppliedCoupon.EndedBy.EXPIRY, actors.job("coupons"), as_of)
    return len(found)


def _end_applied(coupon_ids: list[int], ended_by: str, actor: Actor, at: datetime) -> None:
    rows = AppliedCoupon.objects.filter(coupon_id__in=coupon_ids, status=AppliedCoupon.Status.ACTIVE)
    ended = db.lock(rows.select_related("coupon"))
    if ended:
        applied_coupons.end_all(applied=ended, ended_by=ended_by, actor=actor, at=at)
