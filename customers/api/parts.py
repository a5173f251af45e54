"""What upper apps may show of customers, by name, and what this app adds to what lower apps show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from catalog.models import Tax
from config.kernel import registry
from config.platform.api import representations
from customers.api.coupon_forms import ListedAppliedCoupon
from customers.api.customer_forms import CustomerAnswer, CustomerDetailAnswer
from customers.api.entity_forms import EntityAnswer
from customers.api.section_forms import SectionAnswer
from customers.queries import billing_entities

representations.register("customers.customer", CustomerAnswer)
representations.register("customers.customer_detail", CustomerDetailAnswer)
representations.register("customers.billing_entity", EntityAnswer)
representations.register("customers.custom_section", SectionAnswer)
representations.register("customers.applied_coupon", ListedAppliedCoupon)


def applied(taxes: Sequence[Tax]) -> Mapping[int, Mapping[str, Any]]:
    """Say of taxes whether the default seller applies them."""
    found = billing_entities.default_tax_ids()
    return {tax.pk: {"applied_to_organization": tax.pk in found} for tax in taxes}


registry.register_part("catalog.tax", applied)
