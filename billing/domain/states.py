"""States of a subscription and what may happen in them. Owns the transition table; who may do it is not asked here."""

from __future__ import annotations

from enum import StrEnum

from config.kernel import errors


class State(StrEnum):
    """Where a subscription is in its life."""

    PENDING = "pending"
    ACTIVE = "active"
    TERMINATED = "terminated"
    CANCELED = "canceled"


class Verb(StrEnum):
    """What can happen to a subscription."""

    ACTIVATE = "activate"
    TERMINATE = "terminate"
    CANCEL = "cancel"


_TRANSITIONS = {
    (State.PENDING, Verb.ACTIVATE): State.ACTIVE,
    (State.PENDING, Verb.CANCEL): State.CANCELED,
    (State.ACTIVE, Verb.TERMINATE): State.TERMINATED,
}


class InvalidTransition(errors.NotAllowed):
    """The state does not allow the verb."""


def allows(*, state: str, verb: Verb) -> bool:
    """Say whether the verb is possible in this state."""
    return (State(state), verb) in _TRANSITIONS


def next(*, state: str, verb: Verb) -> State:  # noqa: A001 - read as states.next
    """Return the state after the verb. Raises InvalidTransition (`invalid_status`) where the state refuses it."""
    if not allows(state=state, verb=verb):
        raise InvalidTransition("invalid_status", f"A subscription that is {state} cannot be {_past(verb)}.")
    return _TRANSITIONS[State(state), verb]


def _past(verb: Verb) -> str:
    return {Verb.ACTIVATE: "activated", Verb.TERMINATE: "terminated", Verb.CANCEL: "canceled"}[verb]
