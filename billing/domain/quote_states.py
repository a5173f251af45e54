"""The states of a quote's version, of its order form and of its order, and the verbs between them. Owns the tables;
services set states and times.
"""

from __future__ import annotations

from enum import StrEnum

from config.kernel import errors


class InvalidQuoteState(errors.NotAllowed):
    """The state of the version, order form or order does not allow this."""


class Version(StrEnum):
    """Where a version is in its life."""

    DRAFT = "draft"
    IN_APPROVAL = "in_approval"
    APPROVED = "approved"
    SENT = "sent"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"
    VOIDED = "voided"


class VersionVerb(StrEnum):
    """What is done with a version."""

    CHANGE = "change"
    SUBMIT = "submit"
    APPROVE = "approve"
    SEND = "send"
    ACCEPT = "accept"
    ACCEPT_LATE = "accept late"
    DECLINE = "decline"
    EXPIRE = "expire"
    VOID = "void"


class Form(StrEnum):
    """Where an order form is in its life."""

    GENERATED = "generated"
    SIGNED = "signed"
    DECLINED = "declined"
    EXPIRED = "expired"
    VOIDED = "voided"


class FormVerb(StrEnum):
    """What is done with an order form."""

    SEND = "send"
    SIGN = "sign"
    SIGN_LATE = "sign late"
    DECLINE = "decline"
    EXPIRE = "expire"
    VOID = "void"


class Order(StrEnum):
    """Where an order is in its life."""

    CREATED = "created"
    EXECUTED = "executed"
    FAILED = "failed"


_V, _VV = Version, VersionVerb
_VERSIONS: dict[tuple[Version, VersionVerb], Version] = {
    (_V.DRAFT, _VV.CHANGE): _V.DRAFT,
    (_V.DRAFT, _VV.SUBMIT): _V.IN_APPROVAL,
    (_V.IN_APPROVAL, _VV.APPROVE): _V.APPROVED,
    **{(state, _VV.SEND): _V.SENT for state in (_V.APPROVED, _V.SENT)},
    **{(state, _VV.ACCEPT): _V.ACCEPTED for state in (_V.APPROVED, _V.SENT)},
    # It was signed in time, and came back when the offer had expired.
    **{(state, _VV.ACCEPT_LATE): _V.ACCEPTED for state in (_V.APPROVED, _V.SENT, _V.EXPIRED)},
    **{(state, _VV.DECLINE): _V.DECLINED for state in (_V.APPROVED, _V.SENT)},
    **{(state, _VV.EXPIRE): _V.EXPIRED for state in (_V.APPROVED, _V.SENT)},
    **{(state, _VV.VOID): _V.VOIDED for state in (_V.DRAFT, _V.IN_APPROVAL, _V.APPROVED, _V.SENT)},
}
_F, _FV = Form, FormVerb
_FORMS: dict[tuple[Form, FormVerb], Form] = {
    (_F.GENERATED, _FV.SEND): _F.GENERATED,
    (_F.GENERATED, _FV.SIGN): _F.SIGNED,
    **{(state, _FV.SIGN_LATE): _F.SIGNED for state in (_F.GENERATED, _F.EXPIRED)},
    (_F.GENERATED, _FV.DECLINE): _F.DECLINED,
    (_F.GENERATED, _FV.EXPIRE): _F.EXPIRED,
    (_F.GENERATED, _FV.VOID): _F.VOIDED,
}
OVER = (Version.DECLINED, Version.EXPIRED, Version.VOIDED)
"""Versions in whose place another one may be current."""


def version_after(*, state: str, verb: VersionVerb) -> Version:
    """Return the state of a version after a verb. Raises InvalidQuoteState (`invalid_quote_state`)."""
    found = _VERSIONS.get((Version(state), verb))
    if found is None:
        said = Version(state).value.replace("_", " ")
        raise InvalidQuoteState("invalid_quote_state", f"A version that is {said} does not allow to {verb.value} it.")
    return found


def form_after(*, state: str, verb: FormVerb) -> Form:
    """Return the state of an order form after a verb. Raises InvalidQuoteState (`order_form_is_<state>`)."""
    found = _FORMS.get((Form(state), verb))
    if found is None:
        raise InvalidQuoteState(f"order_form_is_{Form(state).value}", f"The order form is {Form(state).value} already.")
    return found


def demand_executable(*, state: str) -> None:
    """Demand an order that was not executed yet; one that failed may be tried again. Raises InvalidQuoteState
    (`order_is_executed`).
    """
    if Order(state) is Order.EXECUTED:
        raise InvalidQuoteState("order_is_executed", "The order is executed already.")
