"""The actions that may need a second person. Owns their register; each app fills it with what it can do.

An action is known by its code. Which of them need a second person is data: `config.platform.models.ApprovalRule`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from config.kernel import errors

CHANGE_RULES = "change_approval_rules"


class UnknownAction(errors.Invalid):
    """Nothing is registered under this code."""


@dataclass(frozen=True)
class Action:
    """Something that may need a second person.

    ``permission`` is the right of the action itself, which whoever approves must have too. ``measured`` says what the
    amount is that limits are compared with; empty for what has no amount, which a rule can only cover always.
    ``adds_up`` says that it tells `approvals.demand` what went before, so that rules may hold that against a limit too.
    """

    code: str
    label: str
    permission: str
    measured: str = ""
    adds_up: bool = False


_actions: dict[str, Action] = {}


def register(*actions: Action) -> None:
    """Add actions. Registering the same again changes nothing; another one of its code is refused."""
    for action in actions:
        if _actions.setdefault(action.code, action) != action:
            raise ValueError(f"there is an action {action.code!r} already")


def every() -> Mapping[str, Action]:
    """Return the actions by code, in the order of their registration."""
    return dict(_actions)


def one(code: str) -> Action:
    """Return an action. Raises UnknownAction (`validation_errors`)."""
    if code not in _actions:
        raise UnknownAction("validation_errors", "", {"action": ["value_is_invalid"]})
    return _actions[code]


register(
    Action(
        code=CHANGE_RULES,
        label="Change the rules for second persons",
        permission="platform.change_approvalrule",
    )
)
