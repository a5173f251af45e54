"""Transactions of wallets: buy, give and void credits, list them, and see which credits paid for what."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from config.kernel import errors
from config.platform.api import params, schema
from config.platform.api.pagination import paginated
from config.platform.api.views import ApiView
from invoicing.api import wallet_requests, wallet_shapes
from invoicing.models import Wallet, WalletTransaction
from invoicing.queries import wallets as known
from invoicing.services import wallet_top_ups

_LIST_PARAMETERS = schema.filters("status", "transaction_status", "transaction_type")


class WalletTransactions(ApiView):
    """Making transactions."""

    resource = "wallet_transaction"

    @extend_schema(
        operation_id="createWalletTransaction",
        request=schema.body("wallet_transaction", wallet_requests.TransactionRequest),
        responses=schema.page("wallet_transactions", wallet_shapes.TransactionShape, meta=False),
    )
    def post(self, request: Request) -> Response:
        """Buy, give and void credits; each makes a transaction. Bought ones come in when their invoice is paid."""
        content = self.body(request, "wallet_transaction", wallet_requests.TransactionRequest)
        rows = wallet_top_ups.top_up(
            wallet_id=_wallet(content["wallet_id"]).pk,
            wanted=wallet_requests.top_up(content),
            actor=self.actor(request),
            at=self.at(),
        )
        found = {row.pk: row for row in known.transactions().filter(pk__in=[row.pk for row in rows])}
        return Response({"wallet_transactions": wallet_shapes.transactions([found[row.pk] for row in rows])})


class OneWalletTransaction(ApiView):
    """One transaction."""

    resource = "wallet_transaction"

    @extend_schema(
        operation_id="findWalletTransaction",
        responses=schema.answer("wallet_transaction", wallet_shapes.TransactionShape),
    )
    def get(self, request: Request, lago_id: str) -> Response:
        """Return a transaction."""
        row = known.transaction(params.uuid(lago_id))
        return Response({"wallet_transaction": wallet_shapes.transactions([row])[0]})


class OneWalletsTransactions(ApiView):
    """The transactions of one wallet."""

    resource = "wallet_transaction"

    @extend_schema(
        operation_id="findAllWalletTransactions",
        parameters=_LIST_PARAMETERS,
        responses=schema.page("wallet_transactions", wallet_shapes.TransactionShape),
    )
    def get(self, request: Request, lago_id: str) -> Response:
        """List what came in and went out, newest first."""
        rows = known.transactions().filter(wallet=known.find(params.uuid(lago_id)))
        for name, allowed in (
            ("status", WalletTransaction.Status.values),
            ("transaction_status", WalletTransaction.Kind.values),
            ("transaction_type", WalletTransaction.Type.values),
        ):
            wanted = params.texts(request, name, allowed=allowed)
            if wanted:
                rows = rows.filter(**{f"{name}__in": wanted})
        for key, value in params.pairs(request, "metadata").items():
            rows = rows.filter(metadata__contains=[{"key": key, "value": value}])
        return paginated(request, rows, "wallet_transactions", wallet_shapes.transactions)


class PaymentUrl(ApiView):
    """Where a purchase is paid."""

    resource = "wallet_transaction"

    @extend_schema(
        operation_id="walletTransactionPaymentUrl",
        request=None,
        responses=schema.answer("wallet_transaction_payment_details", wallet_shapes.PaymentLink),
    )
    def post(self, request: Request, lago_id: str) -> Response:
        """Refused with 422: no payment provider is connected that could have a page to pay on."""
        known.transaction(params.uuid(lago_id))
        raise errors.Invalid(
            "validation_errors", "No payment provider is connected.", {"base": ["no_linked_payment_provider"]}
        )


class Consumptions(ApiView):
    """What credits were used for."""

    resource = "wallet_transaction"

    @extend_schema(
        operation_id="findAllWalletTransactionConsumptions",
        parameters=schema.PAGE,
        responses=schema.page("wallet_transaction_consumptions", wallet_shapes.ConsumptionShape),
    )
    def get(self, request: Request, lago_id: str) -> Response:
        """List what credits that came in were used for, oldest first."""
        row = known.transaction(params.uuid(lago_id))
        _demand(row, WalletTransaction.Type.INBOUND)
        return paginated(
            request, known.consumptions(row), "wallet_transaction_consumptions", wallet_shapes.consumptions
        )


class Fundings(ApiView):
    """Which credits were used."""

    resource = "wallet_transaction"

    @extend_schema(
        operation_id="findAllWalletTransactionFundings",
        parameters=schema.PAGE,
        responses=schema.page("wallet_transaction_fundings", wallet_shapes.FundingShape),
    )
    def get(self, request: Request, lago_id: str) -> Response:
        """List which credits went out with a transaction, oldest first."""
        row = known.transaction(params.uuid(lago_id))
        _demand(row, WalletTransaction.Type.OUTBOUND)
        return paginated(request, known.fundings(row), "wallet_transaction_fundings", wallet_shapes.fundings)


def _wallet(public_id: str) -> Wallet:
    """Return the wallet that a body names. Raises Invalid: only a path that names nothing is not found."""
    try:
        return known.find(params.uuid(public_id))
    except known.WalletNotFound as error:
        raise errors.Invalid("validation_errors", error.message, {"wallet_id": ["wallet_not_found"]}) from error


def _demand(row: WalletTransaction, kind: str) -> None:
    if row.transaction_type != kind:
        raise errors.Invalid(
            "validation_errors", f"The transaction is not {kind}.", {"transaction_type": ["value_is_invalid"]}
        )
