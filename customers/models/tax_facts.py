"""Why customers have the taxes that they have: decisions with their reasons, and exemptions."""

from django.db import models

from config.kernel import db
from customers.models.customers import Customer


class TaxDecision(db.Base):
    """Why a customer has the taxes that it has: written whenever they are decided anew, the newest counts.

    ``basis`` is the rule that decided, ``tax_code`` what it came to (empty where the taxes were set by hand) and
    ``facts`` what it was decided from: countries, postcode, VAT number and its check. One that ``is_provisional`` waits
    for the check of the number. Append-only.
    """

    class Basis(models.TextChoices):
        BY_HAND = "by_hand", "set by hand"
        TERRITORY = "territory", "territory with a rate of its own"
        DOMESTIC_COMPANY = "domestic_company", "company in the seller's country"
        REVERSE_CHARGE = "reverse_charge", "company in another country of the EU"
        CONSUMER = "consumer", "no valid VAT number: the customer's country"
        UNKNOWN_COUNTRY = "unknown_country", "no country known: the seller's country"
        OUTSIDE = "outside", "customer outside the EU"

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="tax_decisions")
    basis = models.CharField(max_length=32, choices=Basis.choices)
    tax_code = models.CharField(max_length=255, blank=True, default="")
    is_provisional = models.BooleanField(default=False)
    facts = models.JSONField(default=dict)

    class Meta:
        verbose_name = "decision about taxes"
        verbose_name_plural = "decisions about taxes"
        ordering = ["-id"]
        indexes = [models.Index(fields=["customer", "-id"], name="customers_tax_decision")]

    def __str__(self) -> str:
        return self.get_basis_display()


class TaxExemption(db.Base):
    """A customer that pays no tax at all, with the evidence. ``legal_note`` is printed on its documents.

    It counts through the local day ``valid_until``; without one for good.
    """

    class Reason(models.TextChoices):
        DIPLOMATIC = "diplomatic", "diplomatic or consular mission"
        INTERNATIONAL = "international", "international organisation"
        GOVERNMENT = "government", "public body"
        NONPROFIT = "nonprofit", "charity or non-profit organisation"
        RESALE = "resale", "bought for resale"
        OTHER = "other", "other"

    customer = models.OneToOneField(Customer, on_delete=models.PROTECT, related_name="tax_exemption")
    reason = models.CharField(max_length=32, choices=Reason.choices)
    legal_note = models.TextField(blank=True, default="")
    certificate_number = models.CharField(max_length=255, blank=True, default="")
    valid_until = models.DateField(null=True, blank=True)

    class Meta:
        verbose_name = "exemption from tax"
        verbose_name_plural = "exemptions from tax"

    def __str__(self) -> str:
        return self.get_reason_display()
