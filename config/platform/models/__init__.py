"""Tables of the installation itself."""

from config.platform.models.access import ApiKey
from config.platform.models.audit import AuditEntry
from config.platform.models.idempotency import IdempotencyRecord
from config.platform.models.installation import Installation
from config.platform.models.numbers import NumberSequence

__all__ = ["ApiKey", "AuditEntry", "IdempotencyRecord", "Installation", "NumberSequence"]
