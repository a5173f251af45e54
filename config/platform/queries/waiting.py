"""What of the installation waits for a person, as rows of work queues. Never writes."""

from __future__ import annotations

from datetime import datetime

from django.db.models import F, QuerySet
from django.db.models.functions import Coalesce

from config.platform.models import ApprovalRequest, WebhookEndpoint


def approvals(at: datetime) -> QuerySet[ApprovalRequest]:
    """Return what people may not do alone and asked a second person for."""
    rows = ApprovalRequest.objects.filter(status=ApprovalRequest.Status.WAITING)
    return rows.annotate(queue_since=F("asked_at"), queue_currency=F("currency"), queue_amount=F("amount"))


def resting_endpoints(at: datetime) -> QuerySet[WebhookEndpoint]:
    """Return webhook endpoints that do not answer and are left alone for a while."""
    rows = WebhookEndpoint.objects.filter(
        deleted_at__isnull=True, disabled_at__isnull=True, failing_since__isnull=False
    )
    return rows.annotate(queue_since=Coalesce("failing_since", "resting_until"))
