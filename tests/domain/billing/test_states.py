"""States of a subscription."""

from __future__ import annotations

import pytest

from billing.domain import states
from billing.domain.states import State, Verb
from config.kernel import errors

ALLOWED = {
    (State.PENDING, Verb.ACTIVATE): State.ACTIVE,
    (State.PENDING, Verb.CANCEL): State.CANCELED,
    (State.ACTIVE, Verb.TERMINATE): State.TERMINATED,
    (State.ACTIVE, Verb.PAUSE): State.TERMINATED,
    (State.PAUSED, Verb.ACTIVATE): State.ACTIVE,
    (State.PAUSED, Verb.RESUME): State.ACTIVE,
    (State.PAUSED, Verb.CANCEL): State.CANCELED,
    (State.ACTIVE, Verb.HOLD): State.INCOMPLETE,
    (State.INCOMPLETE, Verb.ACTIVATE): State.ACTIVE,
    (State.INCOMPLETE, Verb.DECLINE): State.CANCELED,
}


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("verb", list(Verb))
def test_every_pair_of_state_and_verb(state: State, verb: Verb) -> None:
    expected = ALLOWED.get((state, verb))
    assert states.allows(state=state, verb=verb) is (expected is not None)
    if expected is not None:
        assert states.next(state=state, verb=verb) is expected
        return
    with pytest.raises(states.InvalidTransition) as refusal:
        states.next(state=state, verb=verb)
    assert refusal.value.code == "invalid_status"
    assert isinstance(refusal.value, errors.NotAllowed)


def test_states_are_read_as_they_are_stored() -> None:
    assert states.next(state="pending", verb=Verb.ACTIVATE) == "active"
