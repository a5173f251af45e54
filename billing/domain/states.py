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
    PAUSED = "paused"
    INCOMPLETE = "incomplete"


class Verb(StrEnum):
    """What can happen to a subscription."""

    ACTIVATE = "activate"
    TERMINATE = "terminate"
    CANCEL = "cancel"
    PAUSE = "pause"
    RESUME = "resume"
    HOLD = "hold"
    DECLINE = "decline"


_TRANSITIONS = {
    (State.PENDING, Verb.ACTIVATE): State.ACTIVE,
    (State.PENDING, Verb.CANCEL): State.CANCELED,
    (State.ACTIVE, Verb.TERMINATE): State.TERMINATED,
    # A pause ends the one that ran; its follower waits and is activated as it resumes.
    (State.ACTIVE, Verb.PAUSE): State.TERMINATED,
    (State.PAUSED, Verb.ACTIVATE): State.ACTIVE,
    (State.PAUSED, Verb.RESUME): State.ACTIVE,
    (State.PAUSED, Verb.CANCEL): State.CANCELED,
    # One that has just begun waits for its first payment.
    (State.ACTIVE, Verb.HOLD): State.INCOMPLETE,
    (State.INCOMPLETE, Verb.ACTIVATE): State.ACTIVE,
    (State.INCOMPLETE, Verb.DECLINE): State.CANCELED,
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
    return {
        Verb.ACTIVATE: "activated",
        Verb.TERMINATE: "terminated",
        Verb.CANCEL: "canceled",
        Verb.PAUSE: "paused",
        Verb.RESUME: "resumed",
        Verb.HOLD: "held",
        Verb.DECLINE: "declined",
    }[verb]
