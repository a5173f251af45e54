"""Reading the audit trail. Owns finding the entries of an object; writing them is the service's."""

from __future__ import annotations

from django.db import models

from config.platform.models import AuditEntry


def of(instance: models.Model) -> models.QuerySet[AuditEntry]:
    """The entries on one object, newest first. Served by an index."""
    return AuditEntry.objects.filter(object_type=instance._meta.label_lower, object_id=instance.pk).order_by(
        "-at", "-id"
    )
