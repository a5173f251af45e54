"""Which refusals an operation can answer with. Owns the one table of statuses, and the shape of every refusal.

An operation has a status by what it is (does it read a body, does it write, does it need a key), so that a view names
only what is its own. The bodies are made in `errors`.
"""

from __future__ import annotations

from typing import Any

_WRITES = {"post", "put", "patch", "delete"}

_CODES = {
    "type": "array",
    "items": {"type": "string"},
    "description": "Codes for machines, such as `value_is_invalid`.",
}

REFUSAL: dict[str, Any] = {
    "type": "object",
    "description": "Why a request was refused.",
    "properties": {
        "status": {"type": "integer", "description": "The HTTP status."},
        "error": {"type": "string", "description": "The status in words, or what is wrong, for people."},
        "code": {"type": "string", "description": "What is wrong, for machines, such as `customer_not_found`."},
        "error_details": {
            "type": "object",
            "description": "What is wrong, by field; nested fields are joined with dots, and what concerns no single "
            "field is under `base`. Batches list fields by the position of the row, from 0 on.",
            "additionalProperties": {
                "oneOf": [
                    {"type": "string"},
                    {"type": "number"},
                    _CODES,
                    {"type": "object", "additionalProperties": _CODES},
                ]
            },
        },
    },
    "required": ["status", "error"],
}

TABLE: dict[str, tuple[str, str]] = {
    "400": ("BadRequest", "The request cannot be read: its root key is missing, or it is no JSON that can be stored."),
    "401": ("Unauthorized", "No key, or one that is unknown, revoked or expired."),
    "403": ("Forbidden", "The key has no right to do this, or nobody may."),
    "404": ("NotFound", "What the request names does not exist; `code` says which of it."),
    "405": ("NotAllowed", "The state of the object refuses it; `code` says why."),
    "409": ("Conflict", "Something else was written meanwhile, or the key of the write is taken; `code` says which."),
    "412": ("PreconditionFailed", "The object is no longer what `If-Match` names."),
    "413": ("TooLarge", "The body is longer than the installation takes: 16 MB unless it is set otherwise."),
    "415": ("UnsupportedMediaType", "The body has a `Content-Encoding` that is not read here."),
    "422": ("Unprocessable", "The input breaks a rule; `error_details` lists codes per field."),
    "429": ("TooManyRequests", "Too many requests in too short a time; `Retry-After` says how many seconds to wait."),
}
"""Name of the shared response and its description, by status."""


def of(method: str, operation: dict[str, Any]) -> list[str]:
    """Return the refusals of an operation, by its method, whether it has a body, needs a key and asks ``If-Match``."""
    found = ["400", "404", "405", "422"]
    if operation.get("security"):
        found += ["401", "403", "429"]
    if method.lower() in _WRITES:
        found += ["409"]
    if operation.get("requestBody"):
        found += ["413", "415"]
    if any(parameter["name"] == "If-Match" for parameter in operation.get("parameters", ())):
        found += ["412"]
    return sorted(found)


def responses() -> dict[str, Any]:
    """Return the shared responses for ``components``."""
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}}}
    found: dict[str, Any] = {}
    for status, (name, text) in TABLE.items():
        found[name] = {"description": text, "content": content}
        if status == "401":
            found[name]["headers"] = {
                "WWW-Authenticate": {"description": "`Bearer`.", "schema": {"type": "string"}},
            }
        if status == "429":
            found[name]["headers"] = {
                "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "string"}},
            }
    return found


def reference(status: str) -> dict[str, str]:
    """Return how an operation names the shared response of a status."""
    return {"$ref": f"#/components/responses/{TABLE[status][0]}"}
