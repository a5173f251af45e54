"""Offers a new tax to the billing entities at once: without one that applies it, a tax changes no invoice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django import forms
from django.contrib.auth import get_user_model

from catalog.models import Tax
from catalog.queries import taxes
from config.kernel import errors
from config.kernel.actors import Actor
from config.platform.admin import offers
from customers.models import BillingEntity
from customers.services import default_taxes

_RIGHT = "customers.change_billingentity"


def _field() -> forms.Field:
    """The billing entities; all of them are ticked while there is no tax yet."""
    field = forms.ModelMultipleChoiceField(
        BillingEntity.objects.order_by("-is_default", "name"),
        label="Use it for",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Invoices of these billing entities have it, unless the customer or the price has its own taxes.",
    )
    if not taxes.listed().exists():
        field.initial = lambda: list(BillingEntity.objects.filter(eu_tax_management=False))
    return field


def _apply(*, instance: Tax, chosen: Sequence[BillingEntity], actor: Actor, at: datetime) -> None:
    if not chosen:
        return
    person = get_user_model().objects.filter(pk=actor.user_id).first()
    if person is None or not person.has_perm(_RIGHT):
        text = "You may not change billing entities: make the tax without them."
        raise errors.Forbidden("forbidden", text, {"billing_entities": ["forbidden"]})
    default_taxes.use(tax=instance, entities=chosen, actor=actor, at=at)


offers.register("catalog.tax", offers.Offer("billing_entities", _field, _apply))
