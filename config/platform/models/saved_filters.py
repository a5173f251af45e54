"""Filters of lists that people saved, and with which one of them somebody opens a list. They narrow what is looked at
and change no rights: whoever follows one sees what they may see.
"""

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models

from config.kernel import db


class SavedFilter(db.Base):
    """Filter, search and order of a list under a name. ``list_of`` is the model as "app.model", ``query`` the address's
    query string in its normal form. With a role it is shown to everybody who has the role, else to its owner alone.
    """

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    list_of = models.CharField(max_length=64)
    name = models.CharField(max_length=64)
    query = models.CharField(max_length=2000)
    role = models.ForeignKey(Group, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = "saved filter"
        ordering = ["list_of", "name", "id"]
        default_permissions = ()
        permissions = [("share_savedfilter", "Can share saved filters with a role")]
        constraints = [
            models.UniqueConstraint(fields=["person", "list_of", "name"], name="platform_saved_filter_name"),
        ]

    def __str__(self) -> str:
        return self.name


class StandardFilter(db.Base):
    """The saved filter with which a person opens a list."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    list_of = models.CharField(max_length=64)
    saved = models.ForeignKey(SavedFilter, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = "standard filter"
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["person", "list_of"], name="platform_standard_filter_one"),
        ]

    def __str__(self) -> str:
        return f"{self.list_of}: {self.saved_id}"
