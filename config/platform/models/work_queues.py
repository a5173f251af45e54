"""Work queues: who looks after which. And what was ticked off of the first steps."""

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models
from django.db.models import Q

from config.kernel import db


class QueueOwner(db.Base):
    """Who looks after a work queue: a person, or everybody of a role. ``code`` names the queue."""

    code = models.CharField(max_length=64, unique=True)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    role = models.ForeignKey(Group, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    updated_at = models.DateTimeField(editable=False)

    class Meta:
        verbose_name = "owner of a work queue"
        verbose_name_plural = "owners of work queues"
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(
                condition=Q(person__isnull=True, role__isnull=False) | Q(person__isnull=False, role__isnull=True),
                name="platform_queue_owner_one",
            ),
        ]

    def __str__(self) -> str:
        return str(self.person.get_full_name() or self.person) if self.person is not None else str(self.role)


class FirstStep(db.Base):
    """Something of the first steps that no other row can tell: a person said so, or a test went well.

    "hidden" is the whole list, put away.
    """

    class Code(models.TextChoices):
        HIDDEN = "hidden", "put away"
        MAIL = "mail", "test mail sent"
        BACKUP = "backup", "backups set up"
        NO_TAX = "no_tax", "no tax is charged"

    code = models.CharField(max_length=16, choices=Code.choices, unique=True)
    by = models.CharField(max_length=255)
    at = models.DateTimeField()

    class Meta:
        verbose_name = "first step"
        ordering = ["code"]

    def __str__(self) -> str:
        return self.get_code_display()
