"""How contracts come in through the API. Amounts are minor units, days are local to the customer, rates are percent."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from billing.api.own_terms_forms import PlanOverrides
from billing.models import Contract, ContractAmendment, ContractCommitment
from billing.services.contract_amendments import Change, NewTerms
from billing.services.contract_drafts import NewCommitment, NewContract, NewItem, NewPhase
from config.platform.api.serializers import DecimalString, Flag, MinorUnits, Rate, RequestSerializer, Rows, Text, Whole

_MOST_TEXT = 100_000
ACTIVATE = "activate"


class PhaseRequest(RequestSerializer):
    """A phase of a product. The first one starts with the product, each ends where the next one starts."""

    plan_code = Text(required=True)
    starts_on = serializers.DateField(required=False, allow_null=True)
    plan_overrides = PlanOverrides(required=False, allow_null=True)
    units = serializers.DictField(
        child=DecimalString(), required=False, help_text="Numbers of units by the codes of fixed charges."
    )


class ContractItemRequest(RequestSerializer):
    """A product: the subscription that serves it, and its phases."""

    external_id = Text(required=True)
    name = Text()
    starts_on = serializers.DateField(required=False, allow_null=True)
    phases = Rows(PhaseRequest)


class CommitmentRequest(RequestSerializer):
    """A commitment over the term, for each period of a product (`period`), or `prepaid` and drawn down."""

    kind = serializers.ChoiceField(choices=ContractCommitment.Kind.values, required=False)
    external_id = Text(help_text="The product that a commitment for each period is for.")
    amount_cents = MinorUnits()
    starts_on = serializers.DateField(required=False, allow_null=True)
    ends_on = serializers.DateField(required=False, allow_null=True)
    invoice_display_name = Text()
    tax_codes = serializers.ListField(child=Text(required=True), required=False, max_length=100)
    renews = Flag(help_text="Whether a renewed term commits to the same; yes unless told otherwise.")
    instalments = serializers.ChoiceField(choices=ContractCommitment.Instalments.values, required=False)
    grant_on = serializers.ChoiceField(choices=ContractCommitment.GrantOn.values, required=False)
    rolls_over = Flag(help_text="Whether what is left of prepaid credit goes on in a renewed term, or expires.")


class ContractRequest(RequestSerializer):
    """A new contract, as a draft."""

    external_customer_id = Text(required=True)
    name = Text(required=True)
    starts_on = serializers.DateField()
    term_months = Whole(required=True, max_value=240)
    renewal = serializers.ChoiceField(choices=Contract.Renewal.values, required=False)
    renewal_months = Whole(max_value=240, allow_null=True)
    notice_days = Whole(max_value=365)
    uplift_rate = Rate(required=False, most=1000)
    uplift_scope = serializers.ChoiceField(choices=Contract.UpliftScope.values, required=False)
    billing_time = serializers.ChoiceField(choices=Contract.BillingTime.values, required=False)
    purchase_order_number = Text()
    terms_text = Text(max_length=_MOST_TEXT)
    items = Rows(ContractItemRequest)
    commitments = Rows(CommitmentRequest)


class NoticeRequest(RequestSerializer):
    """Notice that a contract is not to be renewed."""

    given_by = Text(required=True, help_text="Who gave it: the customer, or the seller.")
    given_on = serializers.DateField(required=False, allow_null=True)
    reason = Text(max_length=1000)


class EndRequest(RequestSerializer):
    """An end before the term is over."""

    ends_on = serializers.DateField()
    whole_commitment = Flag(help_text="All of a commitment over the term is owed, instead of by its days.")
    reason = Text(max_length=1000)


class AmendmentRequest(RequestSerializer):
    """An amendment: ``kind`` says which of the other fields count."""

    kind = serializers.ChoiceField(
        choices=[one for one in ContractAmendment.Kind.values if one != ContractAmendment.Kind.RENEWAL]
    )
    effective_on = serializers.DateField()
    reason = Text(max_length=1000)
    external_id = Text()
    plan_code = Text()
    plan_overrides = PlanOverrides(required=False, allow_null=True)
    units = serializers.DictField(child=DecimalString(), required=False)
    until = serializers.DateField(required=False, allow_null=True)
    name = Text()
    phases = Rows(PhaseRequest)
    ends_on = serializers.DateField(required=False, allow_null=True)
    lago_commitment_id = serializers.UUIDField(required=False, allow_null=True)
    commitment = CommitmentRequest(required=False, allow_null=True)


class PreviewRequest(AmendmentRequest):
    """What an amendment, or the activation of a draft, would do."""

    kind = serializers.ChoiceField(
        choices=[ACTIVATE, *(one for one in ContractAmendment.Kind.values if one != ContractAmendment.Kind.RENEWAL)]
    )
    effective_on = serializers.DateField(required=False, allow_null=True)


def contract(values: dict[str, Any]) -> NewContract:
    """Return a new contract from checked input."""
    plain = {
        name: value for name, value in values.items() if name not in ("items", "commitments") and value is not None
    }
    return NewContract(
        **plain,
        items=tuple(item(row) for row in values.get("items") or ()),
        commitments=tuple(commitment(row) for row in values.get("commitments") or ()),
    )


def item(values: dict[str, Any]) -> NewItem:
    """Return a new product from checked input."""
    return NewItem(
        external_id=values["external_id"],
        name=values.get("name", ""),
        starts_on=values.get("starts_on"),
        phases=tuple(_phase(row) for row in values.get("phases") or ()),
    )


def commitment(values: dict[str, Any]) -> NewCommitment:
    """Return a new commitment from checked input."""
    return NewCommitment(
        amount_cents=values["amount_cents"],
        kind=values.get("kind", ContractCommitment.Kind.TERM),
        external_id=values.get("external_id", ""),
        starts_on=values.get("starts_on"),
        ends_on=values.get("ends_on"),
        invoice_name=values.get("invoice_display_name", ""),
        tax_codes=tuple(values.get("tax_codes") or ()),
        renews=values.get("renews", True),
        instalments=values.get("instalments", ContractCommitment.Instalments.WHOLE),
        grant_on=values.get("grant_on", ContractCommitment.GrantOn.PAYMENT),
        rolls_over=values.get("rolls_over", False),
    )


def terms(values: dict[str, Any]) -> NewTerms:
    """Return other terms of a product from checked input."""
    return NewTerms(
        external_id=values.get("external_id", ""),
        plan_code=values.get("plan_code", ""),
        overrides=values.get("plan_overrides") or {},
        units=values.get("units") or {},
        until=values.get("until"),
    )


def change(values: dict[str, Any]) -> Change:
    """Return what every amendment has from checked input."""
    return Change(effective_on=values["effective_on"], reason=values.get("reason", ""))


def _phase(values: dict[str, Any]) -> NewPhase:
    return NewPhase(
        plan_code=values["plan_code"],
        starts_on=values.get("starts_on"),
        overrides=values.get("plan_overrides") or {},
        units=values.get("units") or {},
    )
