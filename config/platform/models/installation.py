"""The installation: one organisation with any number of selling entities."""

from django.db import models

from config.kernel import db


class Installation(db.Base):
    """The one row that names this installation. ``singleton`` lets the database refuse a second one."""

    name = models.CharField(max_length=255, default="Quittance")
    singleton = models.BooleanField(default=True, unique=True, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(singleton=True), name="platform_installation_single"),
        ]

    def __str__(self) -> str:
        return self.name
