"""``/order_forms`` and ``/orders``: what customers sign, and what is made of it."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api import quote_forms, quote_shapes
from billing.api.quote_forms import OrderExecutionRequest, OrderFormVoidRequest, SignedOrderFormRequest
from billing.api.quote_shapes import OrderAnswer, OrderFormAnswer
from billing.models import Order, OrderForm
from billing.queries import quotes as known
from billing.services import order_forms, orders
from billing.services.order_forms import Signer
from config.platform.api import pagination, params, schema, views

FORM, FORMS = "order_form", "order_forms"
ORDER, ORDERS = "order", "orders"


class OrderFormView(views.ApiView):
    """Shared by the views of order forms."""

    resource = "order_form"

    def shown(self, key: str) -> Response:
        """Answer with an order form."""
        (content,) = quote_shapes.order_forms([known.order_form(key=key)])
        return Response({FORM: content})


class OrderForms(OrderFormView):
    """All order forms."""

    @extend_schema(
        parameters=schema.filters("external_customer_id", many=("state",)),
        responses=schema.page(FORMS, OrderFormAnswer),
    )
    def get(self, request: Request) -> Response:
        """List order forms, newest first."""
        rows = known.order_forms()
        if states := params.texts(request, "state", allowed=OrderForm.State.values):
            rows = rows.filter(state__in=states)
        if external_id := params.text(request, "external_customer_id"):
            rows = rows.filter(customer__external_id=external_id)
        return pagination.paginated(request, rows, FORMS, quote_shapes.order_forms)


class OneOrderForm(OrderFormView):
    """One order form, by its id or number."""

    @extend_schema(responses=schema.answer(FORM, OrderFormAnswer))
    def get(self, request: Request, lago_id: str) -> Response:
        """Show an order form."""
        return self.shown(lago_id)


class OrderFormSignature(OrderFormView):
    """A signature on paper."""

    @extend_schema(
        operation_id="markOrderFormAsSigned",
        request=schema.body(FORM, SignedOrderFormRequest),
        responses=schema.answer(FORM, OrderFormAnswer),
    )
    def post(self, request: Request, lago_id: str) -> Response:
        """Record that the customer signed: the order is made, and executed now, later, or not by itself."""
        at = self.at()
        found = known.order_form(key=lago_id)
        values = self.checked(quote_forms.sent(request, FORM), SignedOrderFormRequest)
        signer = Signer(
            name=values.get("signer_name") or known.party(found.version.quote).name,
            title=values.get("signer_title", ""),
            email=values.get("signer_email", ""),
        )
        order_forms.record_signature(
            order_form_id=found.pk,
            signer=signer,
            document=quote_forms.document(values),
            mode=quote_forms.mode(values),
            execute_at=values.get("execute_at"),
            actor=self.actor(request),
            at=at,
        )
        return self.shown(found.number)


class OrderFormVoid(OrderFormView):
    """Voiding an order form."""

    @extend_schema(
        operation_id="voidOrderForm",
        request=schema.body(FORM, OrderFormVoidRequest),
        responses=schema.answer(FORM, OrderFormAnswer),
    )
    def post(self, request: Request, lago_id: str) -> Response:
        """Void an order form that nobody answered, with its version."""
        at = self.at()
        found = known.order_form(key=lago_id)
        values = self.checked(quote_forms.sent(request, FORM), OrderFormVoidRequest)
        reason = values.get("void_reason") or "manual"
        order_forms.void(order_form_id=found.pk, reason=reason, actor=self.actor(request), at=at)
        return self.shown(found.number)


class OrderView(views.ApiView):
    """Shared by the views of orders."""

    resource = "order"

    def shown(self, key: str) -> Response:
        """Answer with an order."""
        (content,) = quote_shapes.orders([known.order(key=key)])
        return Response({ORDER: content})


class Orders(OrderView):
    """All orders."""

    @extend_schema(
        parameters=schema.filters("external_customer_id", many=("state",)),
        responses=schema.page(ORDERS, OrderAnswer),
    )
    def get(self, request: Request) -> Response:
        """List orders, newest first."""
        rows = known.orders()
        if states := params.texts(request, "state", allowed=Order.State.values):
            rows = rows.filter(state__in=states)
        if external_id := params.text(request, "external_customer_id"):
            rows = rows.filter(customer__external_id=external_id)
        return pagination.paginated(request, rows, ORDERS, quote_shapes.orders)


class OneOrder(OrderView):
    """One order, by its id or number."""

    @extend_schema(responses=schema.answer(ORDER, OrderAnswer))
    def get(self, request: Request, lago_id: str) -> Response:
        """Show an order with what was made of it."""
        return self.shown(lago_id)


class OrderExecution(OrderView):
    """Executing an order."""

    @extend_schema(
        operation_id="executeOrder",
        request=schema.body(ORDER, OrderExecutionRequest),
        responses=schema.answer(ORDER, OrderAnswer),
    )
    def post(self, request: Request, lago_id: str) -> Response:
        """Execute an order that was kept or failed. Where a part cannot be made nothing is, and the order says why."""
        at = self.at()
        found = known.order(key=lago_id)
        values = self.checked(quote_forms.sent(request, ORDER), OrderExecutionRequest)
        orders.execute(order_id=found.pk, mode=quote_forms.mode(values), actor=self.actor(request), at=at)
        return self.shown(found.number)
