"""Which rule an action meets, and which requests wait for whom. Never writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from django.apps import apps
from django.contrib.auth.models import Permission, User
from django.db import models
from moneyed import Money

from config.kernel import errors
from config.platform.models import ApprovalRequest, ApprovalRule


class ApprovalRequestNotFound(errors.NotFound):
    """No request has this id."""


@dataclass(frozen=True)
class Needed:
    """Why a second person is needed, and the groups of those who may be it. ``total`` was held against the limit,
    which is ``limit`` where it is a rule with one in the same currency.
    """

    group_ids: tuple[int, ...]
    group_names: tuple[str, ...]
    why: str
    total: Money | None = None
    limit: Money | None = None


class Before(Protocol):
    """What the same document, or its customer, had of an action before."""

    @property
    def at(self) -> datetime:
        """The clock."""

    @property
    def document(self) -> str:
        """What says which document it is."""

    @property
    def customer_id(self) -> int | None:
        """The customer, where there is one."""

    def of_document(self, *, since: datetime | None) -> Money:
        """Return the sum of the same document since an instant; ever without one."""

    def of_customer(self, *, since: datetime | None) -> Money:
        """Return the sum of the same customer in the same currency since an instant; ever without one."""


def needed(*, action: str, amount: Money | None, before: Before | None = None) -> Needed | None:
    """Return the second person that an action over an amount needs; None where nobody is needed.

    A rule without a limit applies always. One with a limit applies to more than it in its currency. An amount in a
    currency that none of the action's rules names cannot be compared with any limit, so all of them apply, and so they
    do to what has no amount. Of the rules that apply, those with the highest limit decide; a limit comes before always.
    With the amount counts what went ``before`` it, as far as a rule says.
    """
    rules = list(ApprovalRule.objects.filter(action=action, is_active=True).select_related("group").order_by("pk"))
    if not rules:
        return None
    limited = [rule for rule in rules if rule.above_amount is not None]
    always = [rule for rule in rules if rule.above_amount is None]
    if amount is None:
        return _by(rules, "always")
    own = [rule for rule in limited if rule.currency == amount.currency.code]
    totals = {rule.pk: _total(rule, amount, before) for rule in own}
    over = [rule for rule in own if rule.above_amount is not None and totals[rule.pk].amount > rule.above_amount]
    if over:
        highest = max(rule.above_amount for rule in over if rule.above_amount is not None)
        deciding = [rule for rule in over if rule.above_amount == highest]
        total = max(totals[rule.pk] for rule in deciding)
        limit = Money(highest, amount.currency)
        why = f"above {limit}"
        return _by(deciding, f"{why}, with {total - amount} before it" if total > amount else why, total, limit)
    if always:
        return _by(always, "always", max(totals.values(), default=amount))
    if own:
        return None
    return _by(limited, f"no limit in {amount.currency.code} is agreed", amount)


def in_force(*, action: str) -> list[ApprovalRule]:
    """Return the rules of an action that count, with their groups. One query."""
    rows = ApprovalRule.objects.filter(action=action, is_active=True).select_related("group")
    return list(rows.order_by("currency", "above_amount", "pk"))


def is_limited(*, action: str) -> bool:
    """Say whether an action has a limit that more than one amount counts against."""
    rules = ApprovalRule.objects.filter(action=action, is_active=True, above_amount__isnull=False)
    return rules.exclude(counts=ApprovalRule.Counts.EACH).exists()


def _total(rule: ApprovalRule, amount: Money, before: Before | None) -> Money:
    """What is held against the limit of a rule."""
    if before is None or rule.counts == ApprovalRule.Counts.EACH:
        return amount
    since = None if rule.days is None else before.at - timedelta(days=rule.days)
    if rule.counts == ApprovalRule.Counts.DOCUMENT or before.customer_id is None:
        return amount + before.of_document(since=since)
    return amount + before.of_customer(since=since)


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


def requests(*, statuses: Sequence[str] = (), actions: Sequence[str] = ()) -> models.QuerySet[ApprovalRequest]:
    """Return requests with their people and groups, newest first."""
    rows = ApprovalRequest.objects.select_related("asked_by", "decided_by").prefetch_related("groups")
    if statuses:
        rows = rows.filter(status__in=statuses)
    if actions:
        rows = rows.filter(action__in=actions)
    return rows.order_by("-asked_at", "-id")


def about(rows: models.QuerySet[ApprovalRequest], *, uuid: UUID | None) -> models.QuerySet[ApprovalRequest]:
    """Narrow requests to those about the object of a public id. One query for each kind of object there is."""
    found = models.Q(pk__in=())
    for label in ApprovalRequest.objects.order_by("object_type").values_list("object_type", flat=True).distinct():
        ids = apps.get_model(label)._base_manager.filter(uuid=uuid).values_list("pk", flat=True)
        found |= models.Q(object_type=label, object_id__in=list(ids))
    return rows.filter(found)


def by_uuid(uuid: UUID | None) -> ApprovalRequest:
    """Return a request. Raises ApprovalRequestNotFound (`approval_not_found`)."""
    found = None if uuid is None else requests().filter(uuid=uuid).first()
    if found is None:
        raise ApprovalRequestNotFound("approval_not_found", "There is no such request.")
    return found


def people(*, group_ids: Sequence[int], permissions: Sequence[str]) -> models.QuerySet[User]:
    """Return the people of one of the groups who have all of the rights ("app.codename"), by name."""
    found = User.objects.filter(is_active=True, groups__in=group_ids)
    for name in permissions:
        app, _, codename = name.partition(".")
        right = Permission.objects.filter(content_type__app_label=app, codename=codename)
        found = found.filter(
            models.Q(is_superuser=True)
            | models.Q(pk__in=User.objects.filter(groups__permissions__in=right).values("pk"))
            | models.Q(pk__in=User.objects.filter(user_permissions__in=right).values("pk"))
        )
    return found.order_by("username").distinct()


def one(request_id: int) -> ApprovalRequest:
    """Return a request. Raises ApprovalRequestNotFound."""
    found = ApprovalRequest.objects.filter(pk=request_id).first()
    if found is None:
        raise ApprovalRequestNotFound("approval_request_not_found", "There is no such request.")
    return found


def _by(rules: Sequence[ApprovalRule], why: str, total: Money | None = None, limit: Money | None = None) -> Needed:
    groups = {rule.group_id: rule.group.name for rule in rules}
    return Needed(tuple(groups), tuple(groups.values()), why, total, limit)
