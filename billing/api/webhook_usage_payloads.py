"""What webhook endpoints are told of usage: fees paid in advance, alerts that fired, and events that are no good."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db import models

from billing.api.event_forms import EventAnswer
from billing.models import TriggeredAlert, TriggeredWalletAlert, UsageEvent
from billing.queries import events as known_events
from config.kernel import registry
from config.platform.api import representations
from config.platform.api.serializers import decimal_text, instant_text
from config.platform.queries import installation
from invoicing.models import InvoiceLine


def fees(instances: Sequence[InvoiceLine]) -> list[dict[str, Any]]:
    """Return fees in their order, with what they were rated from."""
    rows = InvoiceLine.objects.filter(pk__in=[line.pk for line in instances])
    rows = rows.select_related("invoice", "customer").prefetch_related("applied_taxes__tax")
    found = {line.pk: line for line in rows}
    ordered = [found[line.pk] for line in instances]
    extra = registry.parts("invoicing.line", ordered)
    shown = representations.represent("invoicing.fee", ordered)
    return [_completed(content, extra[line.pk]) for line, content in zip(ordered, shown, strict=True)]


def triggered_alerts(instances: Sequence[TriggeredAlert | TriggeredWalletAlert]) -> list[dict[str, Any]]:
    """Return firings of alerts on usage or on wallets, all of one kind, in their order."""
    organization = str(installation.current().uuid)
    if isinstance(instances[0], TriggeredAlert):
        rows = _by_id(TriggeredAlert.objects.select_related("alert", "subscription__customer"), instances)
        return [_shown(row, organization, _of_subscription(row)) for row in rows]
    of_wallets = _by_id(TriggeredWalletAlert.objects.select_related("alert__wallet__customer"), instances)
    return [_shown(row, organization, _of_wallet(row)) for row in of_wallets]


def event_errors(instances: Sequence[UsageEvent]) -> list[dict[str, Any]]:
    """Return events with the properties that could not be computed, in their order."""
    context = {"subscriptions": known_events.subscriptions(events=instances)}
    shown = EventAnswer(instances, many=True, context=context).data
    return [_refused(event, content) for event, content in zip(instances, shown, strict=True)]


def nothing_more(instances: Sequence[models.Model]) -> list[dict[str, Any]]:
    """Return nothing of the objects: all there is to tell comes with the event."""
    return [{} for _ in instances]


def _by_id(rows: models.QuerySet[Any], instances: Sequence[models.Model]) -> list[Any]:
    found = {row.pk: row for row in rows.filter(pk__in=[one.pk for one in instances])}
    return [found[one.pk] for one in instances]


def _shown(row: Any, organization: str, about: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "lago_id": str(row.uuid),
        "lago_organization_id": organization,
        "lago_alert_id": str(row.alert.uuid),
        **about,
        "alert_name": row.alert_name or None,
        "alert_code": row.alert_code,
        "alert_type": row.alert_type,
        "current_value": decimal_text(row.current_value),
        "previous_value": decimal_text(row.previous_value),
        "crossed_thresholds": [
            {**one, "code": one["code"] or None, "value": decimal_text(Decimal(one["value"]))} for one in row.crossed
        ],
        "triggered_at": instant_text(row.triggered_at),
    }


def _of_subscription(row: TriggeredAlert) -> dict[str, Any]:
    return {
        "lago_subscription_id": str(row.subscription.uuid),
        "external_subscription_id": row.subscription.external_id,
        "lago_wallet_id": None,
        "wallet_code": None,
        "external_customer_id": row.subscription.customer.external_id,
        "billable_metric_code": row.metric_code or None,
    }


def _of_wallet(row: TriggeredWalletAlert) -> dict[str, Any]:
    wallet = row.alert.wallet
    return {
        "lago_subscription_id": None,
        "external_subscription_id": None,
        "lago_wallet_id": str(wallet.uuid),
        "wallet_code": wallet.code,
        "external_customer_id": wallet.customer.external_id,
        "billable_metric_code": None,
    }


def _refused(event: UsageEvent, content: Mapping[str, Any]) -> dict[str, Any]:
    problems = {name: [failure["problem"]] for name, failure in (event.failures or {}).items()}
    return {
        "status": 422,
        "error": "Unprocessable entity",
        "message": json.dumps(problems),
        "event": dict(content),
    }


def _completed(content: Mapping[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    return {**content, **extra, "item": {**content["item"], **extra.get("item", {})}}
