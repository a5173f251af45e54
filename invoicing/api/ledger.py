"""The ledger below ``/api/v1/ledger``: accounts, entries, trial balance, statements, ageing, revenue. Only to be read.

Additions to the API. ``known_on`` is a moment: what was booked later is left out, so the answer never changes.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config.kernel import errors, money
from config.platform.api import params, schema
from config.platform.api.pagination import paginated
from config.platform.api.views import ApiView
from customers.models import BillingEntity
from customers.queries import billing_entities, customers
from invoicing.api import ledger_shapes as shapes
from invoicing.models import LedgerAccount
from invoicing.queries import account_statements, earned, ledger, open_items, trial_balance

_ENTITY = "billing_entity_code"
_DAYS = ("from_date", "to_date", "known_on")


class Ages(serializers.Serializer):  # type: ignore[type-arg]
    """What is open in each currency by days since it was due."""

    currencies = serializers.DictField(child=serializers.DictField(child=serializers.IntegerField()))


def seller(request: Request) -> BillingEntity:
    """Return the billing entity asked for, the default one unless named. Raises NotFound."""
    code = params.text(request, _ENTITY)
    return billing_entities.by_code(code=code) if code else billing_entities.default()


def known_on(request: Request, *, at: datetime) -> datetime | None:
    """Return the moment asked about. Raises Invalid for one to come: nobody knows yet what will be booked by then."""
    moment = params.instant(request, "known_on")
    if moment is not None and moment > at:
        raise _invalid("known_on", "The moment is still to come.")
    return moment


def days(request: Request) -> tuple[date | None, date | None]:
    """Return the first and last accounting day asked for, both included. Raises Invalid for days in the wrong order."""
    since, until = params.day(request, "from_date"), params.day(request, "to_date")
    if since and until and until < since:
        raise _invalid("to_date", "The last day is before the first.")
    return since, until


def currency(request: Request) -> str | None:
    """Return the currency asked for. Raises Invalid for an unknown one."""
    code = params.text(request, "currency")
    if code is not None:
        money.exponent(code)
    return code


class Accounts(ApiView):
    """The chart of accounts."""

    resource = "ledger"

    @extend_schema(
        operation_id="findAllLedgerAccounts",
        parameters=schema.filters(_ENTITY),
        responses=schema.page("accounts", shapes.AccountShape),
    )
    def get(self, request: Request) -> Response:
        """List accounts of all billing entities, or of one, by code."""
        rows = LedgerAccount.objects.select_related("billing_entity").order_by("billing_entity_id", "code")
        if params.text(request, _ENTITY):
            rows = rows.filter(billing_entity=seller(request))
        return paginated(request, rows, "accounts", lambda found: _many(shapes.AccountShape, found))


class Entries(ApiView):
    """Bookings."""

    resource = "ledger"

    @extend_schema(
        operation_id="findAllLedgerEntries",
        parameters=schema.filters(
            _ENTITY, "external_customer_id", "account_code", "invoice_id", *_DAYS, many=("fact",)
        ),
        responses=schema.page("entries", shapes.EntryShape),
    )
    def get(self, request: Request) -> Response:
        """List entries in the order of booking."""
        since, until = days(request)
        external_id = params.text(request, "external_customer_id")
        invoice_id = params.text(request, "invoice_id")
        rows = ledger.entries(
            billing_entity_id=seller(request).pk if params.text(request, _ENTITY) else None,
            customer_id=customers.by_external_id(external_id=external_id).pk if external_id else None,
            account_code=params.text(request, "account_code"),
            facts=params.texts(request, "fact"),
            invoice_uuid=params.uuid(invoice_id or ""),
            since=since,
            until=until,
            known_on=known_on(request, at=self.at()),
        )
        if invoice_id and params.uuid(invoice_id) is None:
            rows = rows.none()
        return paginated(request, rows, "entries", shapes.entries)


class TrialBalance(ApiView):
    """The trial balance of a billing entity."""

    resource = "ledger"

    @extend_schema(
        operation_id="findLedgerTrialBalance",
        parameters=schema.filters(_ENTITY, "currency", *_DAYS, paged=False),
        responses=schema.page("trial_balance", shapes.BalanceShape, meta=False),
    )
    def get(self, request: Request) -> Response:
        """Return opening, debits, credits and closing of each account; they sum to zero in every currency."""
        since, until = days(request)
        rows = trial_balance.rows(
            billing_entity_id=seller(request).pk,
            since=since,
            until=until,
            currency=currency(request),
            known_on=known_on(request, at=self.at()),
        )
        return Response({"trial_balance": _many(shapes.BalanceShape, rows)})


class AccountStatement(ApiView):
    """The statement of an account."""

    resource = "ledger"

    @extend_schema(
        operation_id="findLedgerAccountStatement",
        parameters=[
            *schema.filters(_ENTITY, "currency", *_DAYS, "after", paged=False),
            OpenApiParameter("per_page", OpenApiTypes.INT, description="100 unless given, 1000 at most."),
        ],
        responses=schema.answer("statement", shapes.AccountStatementShape),
    )
    def get(self, request: Request, code: str) -> Response:
        """Return what moved on an account, with the balance after each posting, page by page by ``after``."""
        entity = seller(request)
        rows = LedgerAccount.objects.select_related("billing_entity")
        account = rows.filter(billing_entity=entity, code=code).first()
        if account is None:
            raise errors.NotFound("ledger_account_not_found", f"There is no account {code}.")
        since, until = days(request)
        after = params.text(request, "after")
        found = account_statements.page(
            account=account,
            currency=currency(request) or entity.default_currency,
            since=since,
            until=until,
            known_on=known_on(request, at=self.at()),
            after=account_statements.cursor(after) if after else None,
            size=max(params.whole(request, "per_page") or account_statements.SIZE, 1),
        )
        return Response({"statement": shapes.AccountStatementShape(found).data})


class Ageing(ApiView):
    """What customers owe, by age."""

    resource = "ledger"

    @extend_schema(
        operation_id="findLedgerAgeing",
        parameters=schema.filters(_ENTITY, "external_customer_id", "date", "known_on", paged=False),
        responses=schema.answer("ageing", Ages),
    )
    def get(self, request: Request) -> Response:
        """Return open items by currency and days since they were due, on a day: today (UTC) unless given."""
        at = self.at()
        external_id = params.text(request, "external_customer_id")
        found = open_items.by_age(
            today=params.day(request, "date") or at.astimezone(UTC).date(),
            billing_entity_id=seller(request).pk if params.text(request, _ENTITY) else None,
            customer_id=customers.by_external_id(external_id=external_id).pk if external_id else None,
            known_on=known_on(request, at=at),
        )
        return Response({"ageing": {"currencies": {code: shapes.ages(found[code]) for code in sorted(found)}}})


class Revenue(ApiView):
    """Revenue by month of the books."""

    resource = "ledger"

    @extend_schema(
        operation_id="findLedgerRevenue",
        parameters=schema.filters(_ENTITY, "currency", *_DAYS, paged=False),
        responses=schema.page("months", shapes.MonthShape, meta=False),
    )
    def get(self, request: Request) -> Response:
        """Return net revenue, tax and money received by month."""
        since, until = days(request)
        rows = earned.by_month(
            since=since,
            until=until,
            billing_entity_id=seller(request).pk if params.text(request, _ENTITY) else None,
            currency=currency(request),
            known_on=known_on(request, at=self.at()),
        )
        return Response({"months": _many(shapes.MonthShape, rows)})


def _many(shape: type[serializers.Serializer[Any]], rows: Any) -> list[dict[str, Any]]:
    return [dict(content) for content in shape(rows, many=True).data]


def _invalid(name: str, message: str) -> errors.Invalid:
    return errors.Invalid("validation_errors", message, {name: ["value_is_invalid"]})
