"""What is done to the description of the API once it is generated. Owns the steps and their order.

Shared refusals and groups come in here, references keep their neighbours as OpenAPI 3.1 lets them, and every field and
parameter gets its description from `schema_words`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from config.platform.api import schema_examples, schema_names, schema_statuses, schema_webhooks, schema_words

_PAGED = ("page", "per_page")


def complete(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Finish the generated description. Called by the generator with the whole document."""
    components = result["components"]
    components["responses"] = schema_statuses.responses()
    components["schemas"]["Refusal"] = schema_statuses.REFUSAL
    components["schemas"] = dict(sorted(components["schemas"].items()))
    result["webhooks"] = schema_webhooks.described(components["schemas"])
    group(result)
    for schema in components["schemas"].values():
        tidy(schema)
        if "oneOf" in schema:
            schema["anyOf"] = schema.pop("oneOf")  # what has one of several forms may look like two of them
    for _, _, operation in operations(result):
        for parameter in operation.get("parameters", ()):
            schema_words.describe_parameter(parameter)
    for name, schema in components["schemas"].items():
        schema_words.describe(name, schema)
    schema_examples.put(result)
    share(result)
    return result


def operations(result: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield path, method and description of each operation."""
    for path, methods in result["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def group(result: dict[str, Any]) -> None:
    """Give each operation its tag, and the document the tags that are used, with their descriptions."""
    used = set()
    for path, _, operation in operations(result):
        operation["tags"] = [schema_names.tag(path)]
        used.update(operation["tags"])
        for response in operation["responses"].values():
            if "$ref" not in response and not response.get("description"):
                response["description"] = "Done."
    result["tags"] = [
        {"name": name, "description": text} for name, _, text in sorted(schema_names.TAGS) if name in used
    ]


def share(result: dict[str, Any]) -> None:
    """Describe once what many operations take and give: headers, and the page of a list."""
    parameters: dict[str, Any] = {}
    headers: dict[str, Any] = {}
    for _, _, operation in operations(result):
        taken = operation.get("parameters", [])
        operation["parameters"] = [
            _named(parameters, "parameters", one["name"], one)
            if one["in"] == "header" or one["name"] in _PAGED
            else one
            for one in taken
        ]
        if not taken:
            del operation["parameters"]
        for response in operation["responses"].values():
            for name, header in response.get("headers", {}).items():
                response["headers"][name] = _named(headers, "headers", name, header)
    result["components"].update(parameters=parameters, headers=headers)


def _named(shared: dict[str, Any], kind: str, name: str, content: Any) -> Any:
    """Return the reference to shared content, or the content itself where the name stands for something else."""
    return {"$ref": f"#/components/{kind}/{name}"} if shared.setdefault(name, content) == content else content


def tidy(schema: Any) -> None:
    """Write references as 3.1 has them: with their neighbours, instead of alone in an ``allOf``."""
    if isinstance(schema, list):
        for inner in schema:
            tidy(inner)
    if not isinstance(schema, dict):
        return
    parts = schema.get("allOf")
    if isinstance(parts, list) and len(parts) == 1 and "$ref" in parts[0]:
        schema.update(schema.pop("allOf")[0])
    if schema.get("oneOf") == [{}, {"type": "null"}]:
        del schema["oneOf"]  # anything, null included
    for name, inner in schema.items():
        if name not in {"enum", "const", "default", "example", "examples"}:
            tidy(inner)
