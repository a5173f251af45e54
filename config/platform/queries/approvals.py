"""Which rule an action meets, and which requests wait for whom. Never writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import models
from moneyed import Money

from config.kernel import errors
from config.platform.models import ApprovalRequest, ApprovalRule


class ApprovalRequestNotFound(errors.NotFound):
    """No request has this id."""


@dataclass(frozen=True)
class Needed:
    """Why a second person is needed, and the groups of those who may be it."""

    group_ids: tuple[int, ...]
    group_names: tuple[str, ...]
    why: str


def needed(*, action: str, amount: Money | None) -> Needed | None:
    """Return the second person that an action over an amount needs; None where nobody is needed.

    A rule without a limit applies always. One with a limit applies to more than it in its currency. An amount in a
    currency that none of the action's rules names cannot be compared with any limit, so all of them apply, and so they
    do to what has no amount. Of the rules that apply, those with the highest limit decide; a limit comes before always.
    """
    rules = list(ApprovalRule.objects.filter(action=action, is_active=True).select_related("group").order_by("pk"))
    if not rules:
        return None
    limited = [rule for rule in rules if rule.above_amount is not None]
    always = [rule for rule in rules if rule.above_amount is None]
    if amount is None:
        return _by(rules, "always")
    own = [rule for rule in limited if rule.currency == amount.currency.code]
    over = [rule for rule in own if rule.above_amount is not None and amount.amount > rule.above_amount]
    if over:
        highest = max(rule.above_amount for rule in over if rule.above_amount is not None)
        return _by([rule for rule in over if rule.above_amount == highest], f"above {Money(highest, amount.currency)}")
    if always:
        return _by(always, "always")
    if own:
        return None
    return _by(limited, f"no limit in {amount.currency.code} is agreed")


def waiting(*, action: str, object_type: str, object_id: int | None) -> ApprovalRequest | None:
    """Return the request that waits for an action on an object; none for what has no object yet."""
    if object_id is None:
        return None
    rows = ApprovalRequest.objects.filter(status=ApprovalRequest.Status.WAITING)
    return rows.filter(action=action, object_type=object_type, object_id=object_id).first()


def sent_before(
    *, asked_by_id: int, action: str, verb: str, values: Mapping[str, Sequence[str]]
) -> ApprovalRequest | None:
    """Return the request that waits and was made by the same person with the same form, sent once before."""
    rows = ApprovalRequest.objects.filter(status=ApprovalRequest.Status.WAITING, asked_by_id=asked_by_id)
    return rows.filter(action=action, verb=verb, values=dict(values)).first()


def of(instance: models.Model) -> models.QuerySet[ApprovalRequest]:
    """Return the requests about one object, newest first."""
    rows = ApprovalRequest.objects.filter(object_type=instance._meta.label_lower, object_id=instance.pk)
    return rows.select_related("asked_by", "decided_by").order_by("-asked_at", "-id")


def waiting_for(user: User) -> models.QuerySet[ApprovalRequest]:
    """Return the requests that a person could decide: those of the person's groups that others asked for.

    Whether the person has the right of the action itself is asked when it is decided.
    """
    rows = ApprovalRequest.objects.filter(status=ApprovalRequest.Status.WAITING).exclude(asked_by_id=user.pk)
    return rows.filter(
        models.Exists(
            ApprovalRequest.groups.through.objects.filter(
                approvalrequest_id=models.OuterRef("pk"), group_id__in=user.groups.values("pk")
            )
        )
    )


def one(request_id: int) -> ApprovalRequest:
    """Return a request. Raises ApprovalRequestNotFound."""
    found = ApprovalRequest.objects.filter(pk=request_id).first()
    if found is None:
        raise ApprovalRequestNotFound("approval_request_not_found", "There is no such request.")
    return found


def _by(rules: Sequence[ApprovalRule], why: str) -> Needed:
    groups = {rule.group_id: rule.group.name for rule in rules}
    return Needed(tuple(groups), tuple(groups.values()), why)
