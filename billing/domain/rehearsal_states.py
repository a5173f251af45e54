"""What may be done with a rehearsal in which state. Owns the table; the verbs are `billing.services.rehearsals`'."""

from __future__ import annotations

from enum import StrEnum

from config.kernel import errors


class State(StrEnum):
    """Where a rehearsal is."""

    WAITING = "waiting"
    RUNNING = "running"
    READY = "ready"
    FAILED = "failed"
    SIGNED_OFF = "signed_off"
    BILLED = "billed"
    DROPPED = "dropped"


class Verb(StrEnum):
    """What is done with a rehearsal."""

    COMPUTE = "compute"
    RETAKE = "retake"
    SIGN_OFF = "sign_off"
    BILL = "bill"
    DROP = "drop"


class InvalidRehearsalState(errors.NotAllowed):
    """The rehearsal is in a state in which this is not done."""


_TABLE: dict[Verb, tuple[frozenset[State], State]] = {
    Verb.COMPUTE: (frozenset({State.WAITING, State.RUNNING, State.FAILED}), State.RUNNING),
    Verb.RETAKE: (frozenset({State.FAILED}), State.WAITING),
    Verb.SIGN_OFF: (frozenset({State.READY}), State.SIGNED_OFF),
    Verb.BILL: (frozenset({State.SIGNED_OFF}), State.BILLED),
    Verb.DROP: (
        frozenset({State.WAITING, State.RUNNING, State.READY, State.FAILED, State.SIGNED_OFF}),
        State.DROPPED,
    ),
}
_SAYS = {
    Verb.COMPUTE: "Only a rehearsal that waits or was broken off is computed.",
    Verb.RETAKE: "Only a rehearsal that was broken off is taken up again.",
    Verb.SIGN_OFF: "Only a rehearsal that is ready is signed off.",
    Verb.BILL: "Only a rehearsal that was signed off is billed.",
    Verb.DROP: "A rehearsal that was billed or dropped stays as it is.",
}


def may(*, state: str, verb: Verb) -> bool:
    """Say whether this is done in this state."""
    return State(state) in _TABLE[verb][0]


def after(*, state: str, verb: Verb) -> State:
    """Return the state after a verb. Raises InvalidRehearsalState."""
    if not may(state=state, verb=verb):
        raise InvalidRehearsalState("rehearsal_state_not_allowed", f"{_SAYS[verb]} This one is {State(state).value}.")
    return _TABLE[verb][1]
