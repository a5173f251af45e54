"""``/customers/:external_id/payment_methods`` and ``checkout_url``. Nobody collects payments here: no customer has a
stored means of payment, and there is no provider that could ask for one.
"""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config.kernel import errors
from config.platform.api import pagination, schema, views
from config.platform.api.serializers import Instant
from customers.queries import customers

ROOT, LIST, CUSTOMER = "payment_method", "payment_methods", "customer"


class PaymentMethodAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """A stored means of payment."""

    lago_id = serializers.UUIDField()
    is_default = serializers.BooleanField()
    payment_provider_code = serializers.CharField(allow_null=True)
    payment_provider_name = serializers.CharField(allow_null=True)
    payment_provider_type = serializers.CharField(allow_null=True)
    provider_method_id = serializers.CharField()
    created_at = Instant()


class CheckoutAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """Where a customer leaves a means of payment."""

    lago_customer_id = serializers.UUIDField()
    external_customer_id = serializers.CharField()
    payment_provider = serializers.CharField()
    payment_provider_code = serializers.CharField()
    checkout_url = serializers.CharField()


class PaymentMethods(views.ApiView):
    """The stored means of payment of a customer."""

    resource = "payment_method"

    @extend_schema(
        operation_id="findAllCustomersPaymentMethods",
        parameters=schema.PAGE,
        responses=schema.page(LIST, PaymentMethodAnswer),
    )
    def get(self, request: Request, external_id: str) -> Response:
        """List them. There are none: customers pay by transfer, which is recorded as it comes in."""
        customers.by_external_id(external_id=external_id)
        return Response({LIST: [], "meta": pagination.meta(page=1, size=pagination.DEFAULT_SIZE, count=0)})


class OnePaymentMethod(views.ApiView):
    """One means of payment."""

    resource = "payment_method"

    @extend_schema(operation_id="destroyPaymentMethod", responses=schema.answer(ROOT, PaymentMethodAnswer))
    def delete(self, request: Request, external_id: str, lago_id: str) -> Response:
        """Forget it. 404, as there is none."""
        raise _unknown(external_id)


class DefaultPaymentMethod(views.ApiView):
    """The means of payment that is used unless told otherwise."""

    resource = "payment_method"

    @extend_schema(
        operation_id="paymentMethodSetAsDefault",
        request=None,
        responses=schema.answer(ROOT, PaymentMethodAnswer),
    )
    def put(self, request: Request, external_id: str, lago_id: str) -> Response:
        """Use it from now on. 404, as there is none."""
        raise _unknown(external_id)


class CheckoutUrl(views.ApiView):
    """Where a customer leaves a means of payment."""

    resource = "customer"

    @extend_schema(
        operation_id="generateCustomerCheckoutUrl", request=None, responses=schema.answer(CUSTOMER, CheckoutAnswer)
    )
    def post(self, request: Request, external_id: str) -> Response:
        """Make the address. Refused with ``no_linked_payment_provider``: nobody collects payments here."""
        customers.by_external_id(external_id=external_id)
        details = {"base": ["no_linked_payment_provider"]}
        raise errors.Invalid("validation_errors", "The customer has no payment provider.", details)


def _unknown(external_id: str) -> errors.NotFound:
    customers.by_external_id(external_id=external_id)
    return errors.NotFound("payment_method_not_found", "The customer has no payment method of this id.")
