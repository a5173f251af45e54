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
    """Say of taxes whether the default seller applies them, and of others that may be shown beside them."""
    found = billing_entities.applied_by_default(tax_ids=[tax.pk for tax in taxes])
    return {key: {"applied_to_organization": is_applied} for key, is_applied in found.items()}


registry.register_part("catalog.tax", applied)
