"""``/contracts``: what was agreed with customers for a term, and every verb on it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import datetime
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api import contract_forms, contract_shapes
from billing.api.contract_forms import (
    AmendmentRequest,
    ContractRequest,
    EndRequest,
    NoticeRequest,
    PreviewRequest,
)
from billing.api.contract_shapes import ContractAmendmentAnswer, ContractPreviewAnswer, SoldContractAnswer
from billing.models import Contract, ContractAmendment, ContractCommitment
from billing.queries import sold_contracts
from billing.queries.sold_contracts import ContractFilter
from billing.services import (
    contract_activation,
    contract_amendments,
    contract_drafts,
    contract_endings,
    contract_renewals,
    contract_rows,
)
from config.kernel import dates, errors
from config.kernel.actors import Actor
from config.platform.api import pagination, params, schema, views

ROOT, LIST = "contract", "contracts"
Kind = ContractAmendment.Kind
_MOST_DAYS = 730


class ContractView(views.ApiView):
    """Shared by the views of contracts: showing one."""

    resource = "contract"

    def shown(self, number: str) -> Response:
        """Answer with a contract."""
        return Response({ROOT: contract_shapes.full(sold_contracts.find(key=number))})


class Contracts(ContractView):
    """All contracts."""

    @extend_schema(
        parameters=schema.filters("external_customer_id", "ends_by", many=("state",)),
        responses=schema.page(LIST, SoldContractAnswer),
    )
    def get(self, request: Request) -> Response:
        """List contracts, newest first."""
        wanted = ContractFilter(
            external_customer_id=params.text(request, "external_customer_id"),
            states=params.texts(request, "state", allowed=Contract.State.values),
            ends_by=params.day(request, "ends_by"),
        )
        return pagination.paginated(request, sold_contracts.search(wanted), LIST, contract_shapes.listed)

    @extend_schema(
        request=schema.body(ROOT, ContractRequest),
        responses=schema.answer(ROOT, SoldContractAnswer),
    )
    def post(self, request: Request) -> Response:
        """Write a contract down as a draft. Nothing is sold before it is activated."""
        at = self.at()
        values = self.body(request, ROOT, ContractRequest)
        made = contract_drafts.create(new=contract_forms.contract(values), actor=self.actor(request), at=at)
        return self.shown(made.number)


class ContractRenewals(ContractView):
    """The work queue of renewals."""

    @extend_schema(
        operation_id="findContractRenewals",
        parameters=[OpenApiParameter("days", int, description="30 unless given."), *schema.PAGE],
        responses=schema.page(LIST, SoldContractAnswer),
    )
    def get(self, request: Request) -> Response:
        """List active contracts whose term ends within so many days, the soonest first."""
        days = params.whole(request, "days")
        days = sold_contracts.HORIZONS[0] if days is None else days
        if not 0 <= days <= _MOST_DAYS:
            raise errors.Invalid("validation_errors", "", {"days": ["value_is_out_of_range"]})
        today = dates.local_date(self.at(), dates.zone("UTC"))
        rows = sold_contracts.with_content(sold_contracts.to_renew(today=today, days=days))
        return pagination.paginated(request, rows, LIST, contract_shapes.listed)


class OneContract(ContractView):
    """One contract, by its number."""

    @extend_schema(responses=schema.answer(ROOT, SoldContractAnswer))
    def get(self, request: Request, number: str) -> Response:
        """Show a contract with how far its commitments are."""
        return self.shown(number)


class ContractActivation(ContractView):
    """Activating a draft."""

    @extend_schema(operation_id="activateContract", request=None, responses=schema.answer(ROOT, SoldContractAnswer))
    def post(self, request: Request, number: str) -> Response:
        """Activate a draft: its subscriptions begin on their first days."""
        at = self.at()
        found = sold_contracts.find(key=number)
        contract_activation.activate(contract_id=found.pk, actor=self.actor(request), at=at)
        return self.shown(number)


class ContractCancellation(ContractView):
    """Throwing a draft away."""

    @extend_schema(operation_id="cancelContract", request=None, responses=schema.answer(ROOT, SoldContractAnswer))
    def post(self, request: Request, number: str) -> Response:
        """Cancel a draft. One that is active is ended, or not renewed."""
        at = self.at()
        found = sold_contracts.find(key=number)
        contract_drafts.cancel(contract_id=found.pk, actor=self.actor(request), at=at)
        return self.shown(number)


class ContractEnd(ContractView):
    """An early end."""

    @extend_schema(
        operation_id="endContract",
        request=schema.body("end", EndRequest),
        responses=schema.answer(ROOT, SoldContractAnswer),
    )
    def post(self, request: Request, number: str) -> Response:
        """End a contract on a day before its term is over; commitments are owed by their days, or as a whole."""
        at = self.at()
        values = self.body(request, "end", EndRequest)
        contract_endings.end(
            contract_id=sold_contracts.find(key=number).pk,
            ends_on=values["ends_on"],
            is_whole=values.get("whole_commitment", False),
            reason=values.get("reason", ""),
            actor=self.actor(request),
            at=at,
        )
        return self.shown(number)


class ContractNoticeView(ContractView):
    """Notice of non-renewal."""

    @extend_schema(
        operation_id="giveContractNotice",
        request=schema.body("notice", NoticeRequest),
        responses=schema.answer(ROOT, SoldContractAnswer),
    )
    def post(self, request: Request, number: str) -> Response:
        """Record notice: the contract ends with its term."""
        at = self.at()
        values = self.body(request, "notice", NoticeRequest)
        contract_renewals.give_notice(
            contract_id=sold_contracts.find(key=number).pk,
            given_on=values.get("given_on"),
            given_by=values["given_by"],
            reason=values.get("reason", ""),
            actor=self.actor(request),
            at=at,
        )
        return self.shown(number)

    @extend_schema(operation_id="withdrawContractNotice", responses=schema.answer(ROOT, SoldContractAnswer))
    def delete(self, request: Request, number: str) -> Response:
        """Take notice back: the contract renews after all."""
        at = self.at()
        found = sold_contracts.find(key=number)
        contract_renewals.withdraw_notice(contract_id=found.pk, actor=self.actor(request), at=at)
        return self.shown(number)


class ContractAmendments(ContractView):
    """Amending a contract that runs."""

    @extend_schema(
        operation_id="amendContract",
        request=schema.body("amendment", AmendmentRequest),
        responses=schema.answer("amendment", ContractAmendmentAnswer),
    )
    def post(self, request: Request, number: str) -> Response:
        """Amend a contract from a day on: other terms, a product more or less, a longer term, another commitment."""
        values = self.body(request, "amendment", AmendmentRequest)
        found = sold_contracts.find(key=number)
        made = _verb(found, values, self.actor(request), self.at())()
        return Response({"amendment": contract_shapes.amendment(made)})


class ContractPreview(ContractView):
    """What a verb would do."""

    reads = ("post",)

    @extend_schema(
        operation_id="previewContract",
        request=schema.body("amendment", PreviewRequest),
        responses=schema.answer("preview", ContractPreviewAnswer),
    )
    def post(self, request: Request, number: str) -> Response:
        """Show the phases and what would be billed by the day of an amendment, or by activating; nothing is written."""
        at, actor = self.at(), self.actor(request)
        values = self.body(request, "amendment", PreviewRequest)
        found = sold_contracts.find(key=number)
        today = contract_rows.today(found, at)
        if values["kind"] == contract_forms.ACTIVATE:
            verb: Callable[[], object] = functools.partial(
                contract_activation.activate, contract_id=found.pk, actor=actor, at=at
            )
        else:
            if values.get("effective_on") is None:
                raise errors.Invalid(
                    "validation_errors", "An amendment has a day.", {"effective_on": ["value_is_mandatory"]}
                )
            verb = _verb(found, values, actor, at)
        on = values.get("effective_on") or today
        shown = contract_endings.preview(contract=found, verb=verb, on=on, actor=actor, at=at)
        return Response({"preview": contract_shapes.preview(shown)})


def _verb(found: Contract, values: dict[str, Any], actor: Actor, at: datetime) -> Callable[[], ContractAmendment]:
    """Return the service call of an amendment. Raises Invalid for a field that its kind needs and that is missing."""
    common: dict[str, Any] = {
        "contract_id": found.pk,
        "change": contract_forms.change(values),
        "actor": actor,
        "at": at,
    }
    kind = Kind(values["kind"])
    if kind in (Kind.CHANGE_TERMS, Kind.ADD_PRODUCT, Kind.REMOVE_PRODUCT):
        _demand(values, "external_id")
    if kind is Kind.CHANGE_TERMS:
        return functools.partial(contract_amendments.change_terms, terms=contract_forms.terms(values), **common)
    if kind is Kind.ADD_PRODUCT:
        _demand(values, "phases")
        return functools.partial(contract_amendments.add_product, item=contract_forms.item(values), **common)
    if kind is Kind.REMOVE_PRODUCT:
        return functools.partial(contract_amendments.remove_product, external_id=values["external_id"], **common)
    if kind is Kind.EXTEND_TERM:
        _demand(values, "ends_on")
        return functools.partial(contract_amendments.extend_term, ends_on=values["ends_on"], **common)
    _demand(values, "commitment")
    return functools.partial(
        contract_amendments.change_commitment,
        commitment_id=_commitment_id(found, values),
        wanted=contract_forms.commitment(values["commitment"]),
        **common,
    )


def _commitment_id(found: Contract, values: dict[str, Any]) -> int | None:
    wanted = values.get("lago_commitment_id")
    if wanted is None:
        return None
    row = ContractCommitment.objects.filter(contract=found, uuid=wanted).first()
    if row is None:
        raise errors.NotFound("commitment_not_found", "The contract has no such commitment.")
    return row.pk


def _demand(values: dict[str, Any], name: str) -> None:
    if not values.get(name):
        raise errors.Invalid("validation_errors", "", {name: ["value_is_mandatory"]})
