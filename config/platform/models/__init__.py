"""Tables of the installation itself."""

from config.platform.models.access import ApiKey, RateCount, RoleDefault
from config.platform.models.approvals import ApprovalRequest, ApprovalRule
from config.platform.models.audit import AuditEntry
from config.platform.models.bulk_runs import BulkRow, BulkRun
from config.platform.models.idempotency import IdempotencyRecord
from config.platform.models.imports import ImportFile, ImportRow
from config.platform.models.installation import Installation
from config.platform.models.logs import RequestLog, SecurityLog
from config.platform.models.numbers import NumberSequence
from config.platform.models.personal_views import PersonalDataView
from config.platform.models.saved_filters import SavedFilter, StandardFilter
from config.platform.models.webhooks import WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookEvent
from config.platform.models.work_queues import FirstStep, QueueOwner

__all__ = [
    "ApiKey",
    "ApprovalRequest",
    "ApprovalRule",
    "AuditEntry",
    "BulkRow",
    "BulkRun",
    "FirstStep",
    "IdempotencyRecord",
    "ImportFile",
    "ImportRow",
    "Installation",
    "NumberSequence",
    "PersonalDataView",
    "QueueOwner",
    "RateCount",
    "RequestLog",
    "RoleDefault",
    "SavedFilter",
    "SecurityLog",
    "StandardFilter",
    "WebhookAttempt",
    "WebhookDelivery",
    "WebhookEndpoint",
    "WebhookEvent",
]
