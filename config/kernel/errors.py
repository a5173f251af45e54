"""The errors of the domain. Owns the kinds of refusal that an interface can tell apart; knows no HTTP status, no form.

A refusal is raised beside the rule that refuses, as one of these kinds or a named subclass of it. The interfaces map
the kind to their own language: the API to a status and body, the admin to a message.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class DomainError(Exception):
    """A rule refused what was asked for.

    `code` is stable and meant for machines, `message` is for people, `details` lists codes per field of the input.
    """

    code: str
    message: str
    details: dict[str, list[str]]

    def __init__(self, code: str, message: str = "", details: Mapping[str, Sequence[str]] | None = None) -> None:
        """Keep the code, the message (the code in words when empty) and a copy of the details."""
        self.code = code
        self.message = message or code.replace("_", " ").capitalize() + "."
        self.details = {field: list(codes) for field, codes in (details or {}).items()}
        super().__init__(self.code, self.message, self.details)

    def __str__(self) -> str:
        return self.message


class Invalid(DomainError):
    """The input breaks a rule; `details` names the fields and the codes of what is wrong with them."""


class NotFound(DomainError):
    """What the input names does not exist; the code is `<resource>_not_found`."""


class NotAllowed(DomainError):
    """The state of the thing refuses the verb, for example `not_voidable`."""


class Forbidden(DomainError):
    """The actor may not do this."""


class Conflict(DomainError):
    """Something else got there first, or the same key came with another content."""


class BadRequest(DomainError):
    """The input cannot be read at all."""
