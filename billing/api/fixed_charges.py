"""``/subscriptions/:external_id/fixed_charges``: the fixed charges of a subscription's plan, with its own numbers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api.own_terms_forms import FixedChargeTerms
from billing.api.subscriptions import WHICH, SubscriptionView
from billing.models import Subscription
from billing.queries import fixed_units
from billing.services import own_charges
from catalog.models import FixedCharge
from catalog.queries import plans
from config.platform.api import pagination, representations, schema
from config.platform.api.serializers import decimal_text

ROOT, LIST = "fixed_charge", "fixed_charges"
_Answer = representations.serializer("catalog.fixed_charge")


@extend_schema(parameters=WHICH)
class FixedCharges(SubscriptionView):
    """All fixed charges of a subscription."""

    @extend_schema(
        operation_id="findAllSubscriptionFixedCharges",
        parameters=[*WHICH, *schema.PAGE],
        responses=schema.page(LIST, _Answer),
    )
    def get(self, request: Request, external_id: str) -> Response:
        """List them in the plan's order; ``units`` are the subscription's own."""
        found = self.subscription(request, external_id)
        rows = plans.fixed_charges(found.plan_version)
        at = self.at()
        return pagination.paginated(request, rows, LIST, lambda charges: shown(found, charges, at=at))


@extend_schema(parameters=WHICH)
class OneFixedCharge(SubscriptionView):
    """One fixed charge of a subscription, by its code."""

    is_conditional = True

    @extend_schema(operation_id="findSubscriptionFixedCharge", responses=schema.answer(ROOT, _Answer))
    def get(self, request: Request, external_id: str, code: str) -> Response:
        """Show it; ``units`` are the subscription's own."""
        found = self.subscription(request, external_id)
        return self._shown(found, plans.fixed_charge(found.plan_version, fixed_charge_code=code))

    @extend_schema(
        operation_id="overrideSubscriptionFixedCharge",
        request=schema.body(ROOT, FixedChargeTerms),
        responses=schema.answer(ROOT, _Answer),
    )
    def put(self, request: Request, external_id: str, code: str) -> Response:
        """Agree on another number of units, from the next period on or now, and on a price, name or tax of its own.

        Now, and paid in advance: what is added is invoiced at once; fewer units are told by an invoice of nothing. A
        price counts for what is not billed yet.
        """
        content = self.root(request, ROOT)
        found = self.subscription(request, external_id)
        plans.fixed_charge(found.plan_version, fixed_charge_code=code)
        values = self.checked(content, FixedChargeTerms)
        now = own_charges.agree_fixed(
            subscription_id=found.pk, code=code, values=values, actor=self.actor(request), at=self.at()
        )
        charge = plans.fixed_charge(now.plan_version, fixed_charge_code=code)
        # What was agreed is what is answered, also where it counts from the next period on.
        return self._shown(now, charge, units=values.get("units"))

    def _shown(self, subscription: Subscription, charge: FixedCharge, *, units: Decimal | None = None) -> Response:
        (content,) = shown(subscription, [charge], at=self.at())
        return Response({ROOT: content if units is None else {**content, "units": decimal_text(units)}})


def shown(subscription: Subscription, charges: Sequence[FixedCharge], *, at: datetime) -> list[dict[str, Any]]:
    """Return fixed charges as the API shows them, with the units that the subscription has at an instant."""
    own = fixed_units.numbers(subscription=subscription, at=at)
    content = [dict(row) for row in _Answer(charges, many=True).data]
    return [
        {**row, "units": decimal_text(own.get(str(charge.key), charge.units))}
        for row, charge in zip(content, charges, strict=True)
    ]
