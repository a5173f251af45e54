"""``/subscriptions``."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api import fixed_units_forms, subscription_forms
from billing.api.subscription_forms import SubscriptionAnswer, SubscriptionChange, SubscriptionRequest
from billing.models import Subscription
from billing.queries import subscriptions as known
from billing.queries.subscriptions import SubscriptionFilter
from billing.services import subscription_updates, subscriptions, terminations
from billing.services.subscriptions import NewSubscription
from config.kernel import errors
from config.platform.api import pagination, params, schema, views
from customers.queries import customers

ROOT, LIST = "subscription", "subscriptions"
_LISTED = (*known.STATUSES, "incomplete")
_FILTERS = schema.filters(
    "external_customer_id",
    "plan_code",
    "currency",
    "external_id",
    "overridden",
    many=("status", "billing_entity_codes"),
)


class SubscriptionView(views.ApiView):
    """Shared by the views of subscriptions: finding one by its external id and status, and showing it."""

    def subscription(self, request: Request, external_id: str) -> Subscription:
        """Return the subscription of a path; the parameter ``status`` is active unless given. Raises NotFound."""
        status = params.text(request, "status") or Subscription.Status.ACTIVE.value
        return known.find(external_id=external_id, status=status)

    def shown(self, pk: int, *, at: datetime) -> Response:
        """Answer with a subscription and its plan."""
        found = known.with_prices(Subscription.objects.filter(pk=pk))
        (content,) = subscription_forms.full(list(found), at=at)
        return Response({ROOT: content})

    def page(self, request: Request, *, customer_id: int | None = None) -> Response:
        """Answer a page of subscriptions, newest first, active ones unless asked otherwise."""
        at = self.at()
        wanted = SubscriptionFilter(
            external_customer_id=params.text(request, "external_customer_id"),
            customer_id=customer_id,
            external_id=params.text(request, "external_id"),
            plan_code=params.text(request, "plan_code"),
            currency=params.text(request, "currency"),
            statuses=params.texts(request, "status", allowed=_LISTED) or (Subscription.Status.ACTIVE,),
            billing_entity_codes=params.texts(request, "billing_entity_codes"),
        )
        rows = known.with_prices(known.search(wanted))
        if params.flag(request, "overridden"):  # no plan is overridden for a single subscription
            rows = rows.none()
        return pagination.paginated(request, rows, LIST, lambda found: subscription_forms.full(found, at=at))


@extend_schema(tags=["subscriptions"])
class Subscriptions(SubscriptionView):
    """All subscriptions."""

    @extend_schema(parameters=_FILTERS, responses=schema.page(LIST, SubscriptionAnswer))
    def get(self, request: Request) -> Response:
        """List subscriptions, newest first; active ones unless ``status[]`` says otherwise."""
        return self.page(request)

    @extend_schema(request=schema.body(ROOT, SubscriptionRequest), responses=schema.answer(ROOT, SubscriptionAnswer))
    def post(self, request: Request) -> Response:
        """Begin a subscription, or change the plan of the one that runs under its external id.

        The same plan again returns the current one. A plan that costs as much or more begins at once and is returned; a
        cheaper one follows at the end of the period, and the current one is returned with ``next_plan_code``.
        """
        at = self.at()
        content = dict(self.root(request, ROOT))
        if "authorization" in request.data:
            content["authorization"] = request.data["authorization"]
        values = self.checked(content, SubscriptionRequest)
        made = subscriptions.create(new=NewSubscription(**_terms(values)), actor=self.actor(request), at=at)
        return self.shown(made.pk, at=at)


@extend_schema(tags=["subscriptions"], parameters=schema.filters("status", paged=False))
class OneSubscription(SubscriptionView):
    """One subscription, by its external id."""

    @extend_schema(responses=schema.answer(ROOT, SubscriptionAnswer))
    def get(self, request: Request, external_id: str) -> Response:
        """Show a subscription."""
        return self.shown(self.subscription(request, external_id).pk, at=self.at())

    @extend_schema(request=schema.body(ROOT, SubscriptionChange), responses=schema.answer(ROOT, SubscriptionAnswer))
    def put(self, request: Request, external_id: str) -> Response:
        """Change the name, the end, what its termination does, or the start while it waits."""
        at = self.at()
        content = self.root(request, ROOT)
        found = self.subscription(request, external_id)
        values = self.checked(content, SubscriptionChange, partial=True)
        if values.get("subscription_at", at) is None:
            del values["subscription_at"]
        subscription_updates.update(subscription_id=found.pk, changes=values, actor=self.actor(request), at=at)
        return self.shown(found.pk, at=at)

    @extend_schema(
        parameters=schema.filters("status", "on_termination_invoice", "on_termination_credit_note", paged=False),
        responses=schema.answer(ROOT, SubscriptionAnswer),
    )
    def delete(self, request: Request, external_id: str) -> Response:
        """Terminate an active subscription now, with its last invoice unless told otherwise.

        With ``status=pending``: cancel one that waits for its start, or a change of plan that waits.
        """
        at = self.at()
        found = self.subscription(request, external_id)
        last_invoice = _choice(request, "on_termination_invoice", Subscription.OnTermination.values)
        terminations.terminate(
            subscription_id=found.pk,
            actor=self.actor(request),
            at=at,
            on_termination_invoice=last_invoice,
            on_termination_credit_note=_choice(request, "on_termination_credit_note", Subscription.UnusedTime.values),
        )
        return self.shown(found.pk, at=at)


@extend_schema(tags=["customers"])
class CustomerSubscriptions(SubscriptionView):
    """The subscriptions of one customer."""

    @extend_schema(
        operation_id="findAllCustomerSubscriptions",
        parameters=_FILTERS,
        responses=schema.page(LIST, SubscriptionAnswer),
    )
    def get(self, request: Request, external_id: str) -> Response:
        """List a customer's subscriptions, newest first; active ones unless ``status[]`` says otherwise."""
        return self.page(request, customer_id=customers.by_external_id(external_id=external_id).pk)


def _terms(values: dict[str, Any]) -> dict[str, Any]:
    terms = {name: value for name, value in values.items() if name != "progressive_billing_disabled"}
    overrides = terms.pop("plan_overrides", None)
    return {**terms, "fixed_units": fixed_units_forms.numbers(overrides)}


def _choice(request: Request, name: str, choices: tuple[str, ...] | list[str]) -> str | None:
    given = params.text(request, name)
    if given is not None and given not in choices:
        raise errors.Invalid(
            "validation_errors", f"{name} is one of {', '.join(choices)}.", {name: ["value_is_invalid"]}
        )
    return given
