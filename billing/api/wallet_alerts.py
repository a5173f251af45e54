"""``/customers/:external_id/wallets/:code/alerts``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api.alert_forms import AlertRequest, AlertThresholdAnswer
from billing.api.alerts import LIST, ROOT, AlertsView
from billing.models import WalletAlert
from billing.queries import wallet_alerts as known
from billing.services import usage_alerts, wallet_alerts
from config.platform.api import errors as refusals
from config.platform.api import pagination, schema
from config.platform.api.serializers import Constant, DecimalString, Instant, TextOrNull
from config.platform.queries import installation
from customers.queries import customers
from invoicing.models import Wallet
from invoicing.queries import wallets


class WalletAlertAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """An alert on a wallet. What only subscriptions have is null."""

    lago_id = serializers.UUIDField(source="uuid")
    lago_organization_id = serializers.SerializerMethodField()
    external_subscription_id = Constant(None)
    subscription_external_id = Constant(None)
    lago_wallet_id = serializers.UUIDField(source="wallet.uuid")
    wallet_code = serializers.CharField(source="wallet.code")
    alert_type = serializers.CharField()
    code = serializers.CharField()
    name = TextOrNull()
    direction = Constant("decreasing")
    previous_value = DecimalString()
    last_processed_at = Instant(allow_null=True)
    thresholds = AlertThresholdAnswer(many=True, source="thresholds.all")
    billable_metric = Constant(None)
    created_at = Instant()

    def get_lago_organization_id(self, alert: WalletAlert) -> str:
        """Return the id of the installation."""
        return str(self.context["organization_id"])


def shown(found: Sequence[WalletAlert]) -> list[dict[str, Any]]:
    """Return alerts with their wallets and thresholds at hand, as answers show them."""
    context = {"organization_id": installation.current().uuid}
    return list(WalletAlertAnswer(found, many=True, context=context).data)


class _View(AlertsView):
    def wallet(self, external_id: str, wallet_code: str) -> Wallet:
        """Return the wallet of a path. Raises NotFound."""
        customer = customers.by_external_id(external_id=external_id)
        return wallets.by_code(customer_id=customer.pk, code=wallet_code)


class WalletAlerts(_View):
    """The alerts of a wallet."""

    @extend_schema(responses=schema.page(LIST, WalletAlertAnswer))
    def get(self, request: Request, external_id: str, wallet_code: str) -> Response:
        """List the alerts in the order of their making."""
        rows = known.of_wallet(self.wallet(external_id, wallet_code))
        return pagination.paginated(request, rows, LIST, shown)

    @extend_schema(
        request=schema.either(
            "WalletAlertOrAlertsBody", schema.body(ROOT, AlertRequest), schema.body(LIST, AlertRequest, many=True)
        ),
        responses=schema.one_or_many(ROOT, LIST, WalletAlertAnswer),
    )
    def post(self, request: Request, external_id: str, wallet_code: str) -> Response:
        """Make an alert; or several, all or none, which are answered as a list.

        A refusal of several lists the reasons by their position, from 0.
        """
        at, actor = self.at(), self.actor(request)
        wallet = self.wallet(external_id, wallet_code)
        if not (isinstance(request.data, dict) and LIST in request.data):
            values: Any = self.body(request, ROOT, AlertRequest)
            return _answer(wallet_alerts.create(wallet=wallet, values=values, actor=actor, at=at))
        try:
            several: Any = self.many(request)
            made = wallet_alerts.create_many(wallet=wallet, values=several, actor=actor, at=at)
        except usage_alerts.RefusedAlerts as refusal:
            details = {str(position): codes for position, codes in refusal.by_position.items()}
            return Response(refusals.body(422, code="validation_errors", details=details), status=422)
        return Response({LIST: shown(made)})

    @extend_schema(operation_id="deleteAllCustomerWalletAlerts", responses={200: None})
    def delete(self, request: Request, external_id: str, wallet_code: str) -> Response:
        """Delete all alerts of a wallet. The answer has no body."""
        wallet_alerts.delete_all(wallet=self.wallet(external_id, wallet_code), actor=self.actor(request), at=self.at())
        return Response(status=200)


class OneWalletAlert(_View):
    """One alert of a wallet, by its code."""

    is_conditional = True

    @extend_schema(responses=schema.answer(ROOT, WalletAlertAnswer))
    def get(self, request: Request, external_id: str, wallet_code: str, code: str) -> Response:
        """Show an alert."""
        return _answer(known.find(wallet=self.wallet(external_id, wallet_code), code=code))

    @extend_schema(request=schema.changes(ROOT, AlertRequest), responses=schema.answer(ROOT, WalletAlertAnswer))
    def put(self, request: Request, external_id: str, wallet_code: str, code: str) -> Response:
        """Change an alert: what is not sent stays; thresholds come as the full list."""
        content = self.root(request, ROOT)
        wallet = self.wallet(external_id, wallet_code)
        known.find(wallet=wallet, code=code)
        values: Any = self.checked(content, AlertRequest, partial=True)
        return _answer(
            wallet_alerts.update(wallet=wallet, code=code, values=values, actor=self.actor(request), at=self.at())
        )

    @extend_schema(responses=schema.answer(ROOT, WalletAlertAnswer))
    def delete(self, request: Request, external_id: str, wallet_code: str, code: str) -> Response:
        """Delete an alert; answered as it was."""
        wallet = self.wallet(external_id, wallet_code)
        return _answer(wallet_alerts.delete(wallet=wallet, code=code, actor=self.actor(request), at=self.at()))


def _answer(alert: WalletAlert) -> Response:
    return Response({ROOT: shown([alert])[0]})
