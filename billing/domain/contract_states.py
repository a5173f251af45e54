"""The states of a contract and the verbs between them. Owns the table; services set state and times."""

from __future__ import annotations

from enum import StrEnum

from config.kernel import errors


class State(StrEnum):
    """Where a contract is in its life."""

    DRAFT = "draft"
    ACTIVE = "active"
    ENDED = "ended"
    CANCELED = "canceled"


class Verb(StrEnum):
    """What is done with a contract."""

    EDIT = "edit"
    ACTIVATE = "activate"
    AMEND = "amend"
    RENEW = "renew"
    END = "end"
    CANCEL = "cancel"


class InvalidContractState(errors.Conflict):
    """The state of the contract does not allow this."""


_NEXT: dict[tuple[State, Verb], State] = {
    (State.DRAFT, Verb.EDIT): State.DRAFT,
    (State.DRAFT, Verb.ACTIVATE): State.ACTIVE,
    (State.DRAFT, Verb.CANCEL): State.CANCELED,
    (State.ACTIVE, Verb.AMEND): State.ACTIVE,
    (State.ACTIVE, Verb.RENEW): State.ACTIVE,
    (State.ACTIVE, Verb.END): State.ENDED,
}


def after(*, state: str, verb: Verb) -> State:
    """Return the state after a verb. Raises InvalidContractState (`invalid_contract_state`)."""
    found = _NEXT.get((State(state), verb))
    if found is None:
        raise InvalidContractState(
            "invalid_contract_state", f"A contract that is {state} does not allow to {verb.value} it."
        )
    return found
