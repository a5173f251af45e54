"""Rates of VAT by country and day, as they were published. What a customer is taxed with is decided by other apps."""

from django.db import models

from config.kernel import db


class VatRate(db.Base):
    """The standard rate of a country from a day on, or that of a territory inside it with another rate.

    ``country`` is the ISO code. ``territory`` is empty for the country itself; the postcodes of a territory match
    ``postcodes``, a regular expression over the whole postcode without blanks. ``rate`` is a fraction. A territory
    ``for_companies`` alone is taxed like the country where a consumer buys.
    """

    country = models.CharField(max_length=2)
    territory = models.CharField(max_length=64, blank=True, default="")
    name = models.CharField(max_length=255)
    rate = models.DecimalField(max_digits=12, decimal_places=8)
    postcodes = models.CharField(max_length=255, blank=True, default="")
    for_companies = models.BooleanField(default=False)
    effective_from = models.DateField()
    source = models.CharField(max_length=255)

    class Meta:
        verbose_name = "VAT rate"
        ordering = ["country", "territory", "effective_from"]
        constraints = [
            models.UniqueConstraint(fields=["country", "territory", "effective_from"], name="catalog_vat_rate"),
            models.CheckConstraint(condition=models.Q(rate__gte=0, rate__lte=1), name="catalog_vat_rate_fraction"),
            models.CheckConstraint(
                condition=models.Q(territory="", postcodes="") | (~models.Q(territory="") & ~models.Q(postcodes="")),
                name="catalog_vat_rate_territory",
            ),
        ]

    def __str__(self) -> str:
        return self.name
