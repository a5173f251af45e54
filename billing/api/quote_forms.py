"""How quotes come in through the API: the quote, the terms of a version, and what is recorded of a signature.

``terms`` are the JSON that `billing.domain.quote_terms` reads and that answers show: rates are fractions as text,
amounts minor units, days local to the customer.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from billing.domain import quote_terms
from billing.domain.quote_values import InvalidTerms, QuoteTerms
from billing.models import Order, Quote
from billing.services.quotes import NewQuote
from billing.services.signed_documents import MOST_BYTES, SignedDocument
from config.kernel import errors
from config.platform.api.serializers import RequestSerializer, Text

MOST_TEXT = 100_000
_MOST_BASE64 = MOST_BYTES * 4 // 3 + 1024
_TERMS = (
    "What is offered: term_months, items with phases, one_offs, coupons, credits, commitments, changes and the terms "
    "of the contract."
)


class QuoteRequest(RequestSerializer):
    """A new quote with its first version, a draft: for a customer, or for a prospect who becomes one."""

    kind = serializers.ChoiceField(choices=Quote.Kind.values, required=False, help_text="`new` unless told otherwise.")
    name = Text(required=True)
    external_customer_id = Text()
    prospect = serializers.DictField(required=False, allow_null=True, help_text="What is known of a new customer.")
    billing_entity_code = Text()
    contract_number = Text(help_text="The contract that an amendment or renewal is about.")
    currency = Text(max_length=3)
    introduction = Text(max_length=MOST_TEXT, help_text="What the offer begins with.")
    valid_until = serializers.DateField(required=False, allow_null=True)
    terms = serializers.DictField(required=False, allow_null=True, help_text=_TERMS)


class QuoteChanges(RequestSerializer):
    """What may be changed of a quote itself."""

    name = Text()
    prospect = serializers.DictField(required=False, help_text="What is known of a new customer, as a whole.")


class QuoteVersionRequest(RequestSerializer):
    """What may be changed of a draft. What is not sent stays; terms are given as a whole."""

    currency = Text(max_length=3)
    introduction = Text(max_length=MOST_TEXT, help_text="What the offer begins with.")
    valid_until = serializers.DateField(required=False, allow_null=True)
    terms = serializers.DictField(required=False, help_text=_TERMS)


class QuoteVoidRequest(RequestSerializer):
    """Why a version is voided."""

    void_reason = Text(help_text="`manual` unless told otherwise.")


class OrderFormVoidRequest(RequestSerializer):
    """Why an order form is voided."""

    void_reason = Text(help_text="`manual` unless told otherwise.")


class QuoteSendRequest(RequestSerializer):
    """To whom an order form is sent."""

    to = serializers.ListField(child=Text(required=True), max_length=20)
    message = Text(max_length=MOST_TEXT)


class SignedOrderFormRequest(RequestSerializer):
    """A signature that was given on paper."""

    signed_document = Text(max_length=_MOST_BASE64, help_text="A PDF, JPEG or PNG in base64, or a data URI of it.")
    execution_mode = serializers.ChoiceField(choices=("execute_in_lago", "execute", "order_only"), required=False)
    execute_at = serializers.DateTimeField(
        required=False, allow_null=True, help_text="When it is to be executed; at once unless told otherwise."
    )
    signer_name = Text(help_text="The customer's name unless told otherwise.")
    signer_title = Text(help_text="What the signer is there.")
    signer_email = Text(help_text="The signer's e-mail address.")


class OrderExecutionRequest(RequestSerializer):
    """How an order is executed."""

    execution_mode = serializers.ChoiceField(choices=("execute_in_lago", "execute", "order_only"), required=False)


def quote(values: dict[str, Any]) -> NewQuote:
    """Return a new quote. Raises InvalidTerms with paths below ``terms``."""
    return NewQuote(
        kind=values.get("kind") or Quote.Kind.NEW,
        name=values["name"],
        external_customer_id=values.get("external_customer_id", ""),
        prospect=values.get("prospect") or {},
        billing_entity_code=values.get("billing_entity_code", ""),
        contract_number=values.get("contract_number", ""),
        currency=values.get("currency", ""),
        introduction=values.get("introduction", ""),
        valid_until=values.get("valid_until"),
        terms=terms(values.get("terms") or {}),
    )


def terms(data: object) -> QuoteTerms:
    """Return terms. Raises InvalidTerms with paths below ``terms``."""
    try:
        return quote_terms.read(data)
    except InvalidTerms as error:
        raise InvalidTerms(
            error.code, error.message, {f"terms.{path}": codes for path, codes in error.details.items()}
        ) from error


def sent(request: Request, root: str) -> Mapping[str, Any]:
    """Return what the body has under its root key, or nothing: these verbs need no body."""
    content = request.data.get(root) if isinstance(request.data, Mapping) else None
    return content if isinstance(content, Mapping) else {}


def mode(values: dict[str, Any]) -> str:
    """Return how an order is executed: at once unless told otherwise."""
    wanted = values.get("execution_mode") or Order.Mode.EXECUTE
    return str(Order.Mode.EXECUTE if wanted == "execute_in_lago" else wanted)


def document(values: dict[str, Any]) -> SignedDocument | None:
    """Return the signed document, if one was sent. Raises Invalid (`signed_document`) for what is no base64."""
    text = values.get("signed_document", "")
    if not text:
        return None
    if text.startswith("data:"):
        text = text.partition(",")[2]
    try:
        return SignedDocument(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        raise errors.Invalid("validation_errors", "", {"signed_document": ["invalid_format"]}) from None
