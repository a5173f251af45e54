"""Wallets below ``/api/v1/wallets``, and those of one customer by their codes: list, one, create, update, terminate."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from config.platform.api import params, schema
from config.platform.api.pagination import paginated
from config.platform.api.views import ApiView
from customers.queries import billing_entities, customers
from invoicing.api import wallet_requests, wallet_rule_requests, wallet_shapes
from invoicing.models import Wallet
from invoicing.queries import wallets as known
from invoicing.services import wallet_top_ups, wallets

_ONE = schema.answer("wallet", wallet_shapes.WalletShape)
_LIST_PARAMETERS = schema.filters("external_customer_id", "currency", "status", many=("billing_entity_codes",))


class WalletView(ApiView):
    """The base of the views of wallets: they name one by its id, or by its customer and its code."""

    resource = "wallet"

    def wallet(self, *, lago_id: str = "", external_id: str = "", code: str = "") -> Wallet:
        """Return the wallet of a path. Raises NotFound."""
        if not external_id:
            return known.find(params.uuid(lago_id))
        customer = customers.by_external_id(external_id=external_id)
        return known.by_code(customer_id=customer.pk, code=code)

    def shown(self, pk: int) -> Response:
        """Answer with a wallet."""
        return Response({"wallet": wallet_shapes.wallets([known.listed().get(pk=pk)])[0]})

    def create(self, request: Request, content: dict[str, Any]) -> Response:
        """Make a wallet with its first credits, and answer with it."""
        wallet = wallet_top_ups.create_wallet(
            values=wallet_requests.values(content),
            wanted=wallet_requests.first_credits(content),
            recurring=wallet_rule_requests.rules(content, is_new=True) or (),
            actor=self.actor(request),
            at=self.at(),
        )
        return self.shown(wallet.pk)

    def update(self, request: Request, wallet: Wallet) -> Response:
        """Change a wallet, and answer with it."""
        content = self.body(request, "wallet", wallet_requests.WalletUpdate)
        if content.get("metadata"):
            content["metadata"] = {**wallet.metadata, **content["metadata"]}
        wallets.update(
            wallet_id=wallet.pk,
            values=wallet_requests.values(content),
            recurring=wallet_rule_requests.rules(content),
            actor=self.actor(request),
            at=self.at(),
        )
        return self.shown(wallet.pk)

    def terminate(self, request: Request, wallet: Wallet) -> Response:
        """Terminate a wallet, and answer with it."""
        wallets.terminate(wallet_id=wallet.pk, actor=self.actor(request), at=self.at())
        return self.shown(wallet.pk)


def page(request: Request, *, customer_id: int | None = None) -> Response:
    """Answer a page of wallets, narrowed by the request's filters."""
    rows = known.listed()
    customer = params.text(request, "external_customer_id")
    if customer_id is not None:
        rows = rows.filter(customer_id=customer_id)
    elif customer:
        rows = rows.filter(customer=customers.by_external_id(external_id=customer))
    currency, codes = params.text(request, "currency"), params.texts(request, "billing_entity_codes")
    statuses = params.texts(request, "status", allowed=Wallet.Status.values)
    if currency:
        rows = rows.filter(currency=currency)
    if codes:
        rows = rows.filter(billing_entity__in=billing_entities.ids(codes=codes))
    if statuses:
        rows = rows.filter(status__in=statuses)
    return paginated(request, rows, "wallets", wallet_shapes.wallets)


class Wallets(WalletView):
    """All wallets."""

    @extend_schema(
        operation_id="findAllWallets",
        parameters=_LIST_PARAMETERS,
        responses=schema.page("wallets", wallet_shapes.WalletShape),
    )
    def get(self, request: Request) -> Response:
        """List wallets, newest first."""
        return page(request)

    @extend_schema(
        operation_id="createWallet",
        request=schema.body("wallet", wallet_requests.WalletRequest),
        responses=_ONE,
    )
    def post(self, request: Request) -> Response:
        """Make a wallet with its first credits: bought ones come in when their invoice is paid."""
        return self.create(request, self.body(request, "wallet", wallet_requests.WalletRequest))


class OneWallet(WalletView):
    """One wallet."""

    is_conditional = True

    @extend_schema(operation_id="findWallet", responses=_ONE)
    def get(self, request: Request, lago_id: str) -> Response:
        """Return a wallet."""
        return self.shown(self.wallet(lago_id=lago_id).pk)

    @extend_schema(
        operation_id="updateWallet",
        request=schema.body("wallet", wallet_requests.WalletUpdate),
        responses=_ONE,
    )
    def put(self, request: Request, lago_id: str) -> Response:
        """Change a wallet; currency and rate stay."""
        return self.update(request, self.wallet(lago_id=lago_id))

    @extend_schema(operation_id="destroyWallet", responses=_ONE)
    def delete(self, request: Request, lago_id: str) -> Response:
        """Terminate a wallet: what is left of it is lost."""
        return self.terminate(request, self.wallet(lago_id=lago_id))


class CustomerWallets(WalletView):
    """The wallets of one customer."""

    @extend_schema(
        operation_id="findAllCustomerWallets",
        parameters=schema.filters("currency", "status", many=("billing_entity_codes",)),
        responses=schema.page("wallets", wallet_shapes.WalletShape),
    )
    def get(self, request: Request, external_id: str) -> Response:
        """List a customer's wallets, newest first."""
        return page(request, customer_id=customers.by_external_id(external_id=external_id).pk)

    @extend_schema(
        operation_id="createCustomerWallet",
        request=schema.body("wallet", wallet_requests.CustomerWalletRequest),
        responses=_ONE,
    )
    def post(self, request: Request, external_id: str) -> Response:
        """Make a wallet of this customer with its first credits."""
        self.root(request, "wallet")
        customers.by_external_id(external_id=external_id)
        content = self.body(request, "wallet", wallet_requests.CustomerWalletRequest)
        return self.create(request, {**content, "external_customer_id": external_id})


class OneCustomerWallet(WalletView):
    """One wallet of a customer, by its code."""

    is_conditional = True

    @extend_schema(operation_id="findCustomerWallet", responses=_ONE)
    def get(self, request: Request, external_id: str, code: str) -> Response:
        """Return a wallet: of several with the code the active one, else the newest."""
        return self.shown(self.wallet(external_id=external_id, code=code).pk)

    @extend_schema(
        operation_id="updateCustomerWallet",
        request=schema.body("wallet", wallet_requests.WalletUpdate),
        responses=_ONE,
    )
    def put(self, request: Request, external_id: str, code: str) -> Response:
        """Change a wallet; currency and rate stay."""
        return self.update(request, self.wallet(external_id=external_id, code=code))

    @extend_schema(operation_id="destroyCustomerWallet", responses=_ONE)
    def delete(self, request: Request, external_id: str, code: str) -> Response:
        """Terminate a wallet: what is left of it is lost."""
        return self.terminate(request, self.wallet(external_id=external_id, code=code))
