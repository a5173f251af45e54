"""Tables of the installation itself."""

from config.platform.models.access import ApiKey, RateCount, RoleDefault
from config.platform.models.audit import AuditEntry
from config.platform.models.idempotency import IdempotencyRecord
from config.platform.models.installation import Installation
from config.platform.models.logs import RequestLog, SecurityLog
from config.platform.models.numbers import NumberSequence
from config.platform.models.webhooks import WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookEvent

__all__ = [
    "ApiKey",
    "AuditEntry",
    "IdempotencyRecord",
    "Installation",
    "NumberSequence",
    "RateCount",
    "RequestLog",
    "RoleDefault",
    "SecurityLog",
    "WebhookAttempt",
    "WebhookDelivery",
    "WebhookEndpoint",
    "WebhookEvent",
]
