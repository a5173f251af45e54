"""The postal address that sellers and customers share."""

from django.db import models


class Addressed(models.Model):
    """Postal address; ``country`` is the ISO 3166-1 alpha-2 code."""

    address_line1 = models.CharField(max_length=255, blank=True, default="")
    address_line2 = models.CharField(max_length=255, blank=True, default="")
    zipcode = models.CharField(max_length=32, blank=True, default="")
    city = models.CharField(max_length=255, blank=True, default="")
    state = models.CharField(max_length=255, blank=True, default="")
    country = models.CharField(max_length=2, blank=True, default="")

    class Meta:
        abstract = True
