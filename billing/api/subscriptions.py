"""``/subscriptions``."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api import activation_forms, subscription_forms
from billing.api.subscription_forms import SubscriptionAnswer, SubscriptionChange, SubscriptionRequest
from billing.domain import chosen_times
from billing.domain.plan_changes import PlanChangeConflict
from billing.models import Subscription
from billing.queries import subscriptions as known
from billing.queries.subscriptions import SubscriptionFilter
from billing.services import plan_changes, subscription_updates, subscriptions, terminations
from billing.services.subscriptions import NewSubscription
from config.kernel import errors
from config.platform.api import conditional, pagination, params, schema, sections, views
from config.platform.api import errors as refusals
from customers.queries import billing_entities, customers

ROOT, LIST = "subscription", "subscriptions"
_LISTED = (*known.STATUSES, "incomplete")
_ENDING = ("status", "terminate_at", "on_termination_invoice", "on_termination_credit_note")
_LAST_INVOICE = Subscription.OnTermination.values
_UNUSED_TIME = Subscription.UnusedTime.values
WHICH = [
    OpenApiParameter("status", description="The same as `subscription_status`."),
    *schema.filters("subscription_status", paged=False),
]
"""Which of several subscriptions a path names."""

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

    resource = "subscription"

    def subscription(self, request: Request, external_id: str) -> Subscription:
        """Return the subscription of a path: without a ``status`` the active or the paused one. Raises NotFound.

        Some clients name that ``subscription_status``, beneath what belongs to a subscription.
        """
        status = params.text(request, "status") or params.text(request, "subscription_status")
        return known.find(external_id=external_id, status=status)

    def shown(self, pk: int, *, at: datetime) -> Response:
        """Answer with a subscription and its plan."""
        found = known.with_prices(Subscription.objects.filter(pk=pk))
        rows = list(found)
        (content,) = subscription_forms.full(rows, at=at)
        return Response({ROOT: content}, headers={"ETag": f'"{plan_changes.state_of(rows[0])}"'})

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
            overridden=params.flag(request, "overridden"),
        )
        rows = known.with_prices(known.search(wanted))
        return pagination.paginated(request, rows, LIST, lambda found: subscription_forms.full(found, at=at))


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
        cheaper one follows at the end of the period, and the current one is returned with ``next_plan_code``. With
        ``change_at`` it is done when that says, whatever the plans cost.
        """
        at = self.at()
        content = dict(self.root(request, ROOT))
        if "authorization" in request.data:
            content["authorization"] = request.data["authorization"]
        values = self.checked(content, SubscriptionRequest)
        made = subscriptions.create(new=NewSubscription(**_terms(values)), actor=self.actor(request), at=at)
        return self.shown(made.pk, at=at)


@extend_schema(parameters=WHICH)
class OneSubscription(SubscriptionView):
    """One subscription, by its external id."""

    is_conditional = True
    checks_if_match = True

    @extend_schema(responses=schema.answer(ROOT, SubscriptionAnswer))
    def get(self, request: Request, external_id: str) -> Response:
        """Show a subscription. The ``ETag`` names its terms: an ``If-Match`` of a later change refuses other ones."""
        return self.shown(self.subscription(request, external_id).pk, at=self.at())

    @extend_schema(
        request=schema.changes(ROOT, SubscriptionChange),
        responses=schema.answer(ROOT, SubscriptionAnswer),
    )
    def put(self, request: Request, external_id: str) -> Response:
        """Change the name, the end, what its termination does, how it is invoiced, its own terms, or the start while it
        waits. With ``If-Match`` it is refused (412) where somebody else changed it since.
        """
        at = self.at()
        content = self.root(request, ROOT)
        found = self.subscription(request, external_id)
        values = _seller(self.checked(content, SubscriptionChange, partial=True))
        if values.get("subscription_at", at) is None:
            del values["subscription_at"]
        own_terms = values.pop("plan_overrides", None)
        thresholds = values.pop("usage_thresholds", None)
        if "progressive_billing_disabled" in values:
            values["progressive_billing_disabled"] = bool(values["progressive_billing_disabled"])
        if values.get("consolidate_invoice", at) is None:
            del values["consolidate_invoice"]
        chosen = values.pop("invoice_custom_section", None)
        if chosen:
            values["custom_section_codes"] = sections.codes(chosen)
        with _if_unchanged(request) as seen:
            subscription_updates.update(
                subscription_id=found.pk,
                changes=values,
                own_terms=own_terms,
                thresholds=thresholds,
                seen=seen,
                actor=self.actor(request),
                at=at,
            )
        return self.shown(found.pk, at=at)

    @extend_schema(
        parameters=schema.filters(*_ENDING, paged=False),
        responses=schema.answer(ROOT, SubscriptionAnswer),
    )
    def delete(self, request: Request, external_id: str) -> Response:
        """Terminate an active subscription, with its last invoice unless told otherwise.

        Now, or with ``terminate_at`` at the end of its period or with a day; until then an update can change or remove
        its ``ending_at``. With ``status=pending``: cancel one that waits for its start, or a change of plan that waits.
        With ``If-Match`` it is refused (412) where somebody else changed it since.
        """
        at = self.at()
        found = self.subscription(request, external_id)
        when = params.text(request, "terminate_at")
        with _if_unchanged(request) as seen:
            terminations.schedule(
                subscription_id=found.pk,
                when=chosen_times.NOW if when is None else chosen_times.read(when, field="terminate_at"),
                on_termination_invoice=_choice(request, "on_termination_invoice", _LAST_INVOICE),
                on_termination_credit_note=_choice(request, "on_termination_credit_note", _UNUSED_TIME),
                seen=seen,
                actor=self.actor(request),
                at=at,
            )
        return self.shown(found.pk, at=at)


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


def _seller(values: dict[str, Any]) -> dict[str, Any]:
    """Return input that names its billing entity by code, if at all; the code wins over the id. Raises NotFound."""
    named = {name: value for name, value in values.items() if name != "billing_entity_id"}
    seller_id = values.get("billing_entity_id")
    if seller_id and not named.get("billing_entity_code"):
        named["billing_entity_code"] = billing_entities.by_uuid(uuid=params.uuid(seller_id)).code
    return named


def _terms(values: dict[str, Any]) -> dict[str, Any]:
    terms = _seller(values)
    overrides, chosen = terms.pop("plan_overrides", None), terms.pop("invoice_custom_section", None)
    # An empty number asks for nothing: the one that was agreed before stays.
    return {
        **terms,
        "purchase_order_number": terms.get("purchase_order_number") or None,
        "own_terms": overrides or None,
        "billing_entity_code": terms.get("billing_entity_code") or "",
        "custom_section_codes": sections.codes(chosen),
        "activation_rules": activation_forms.rules(terms.get("activation_rules")),
    }


@contextlib.contextmanager
def _if_unchanged(request: Request) -> Iterator[str | None]:
    """Give what the client says it has seen (``If-Match``), and refuse with 412 where it is something else by now."""
    given = conditional.state(request.headers.get("If-Match", ""))
    try:
        yield None if given in ("", "*") else given
    except PlanChangeConflict:
        if not given:
            raise
        raise refusals.PreconditionFailed from None


def _choice(request: Request, name: str, choices: tuple[str, ...] | list[str]) -> str | None:
    given = params.text(request, name)
    if given is not None and given not in choices:
        raise errors.Invalid(
            "validation_errors", f"{name} is one of {', '.join(choices)}.", {name: ["value_is_invalid"]}
        )
    return given
