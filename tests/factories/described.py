"""The description of the API as tests use it: generated once per process, and strict about what it does not name.

Every object of an answer that names its fields is closed, so that a field which nobody described is found.
"""

from __future__ import annotations

import copy
import functools
import json
import re
from typing import Any

import jsonschema_rs
from django.urls import Resolver404
from drf_spectacular import renderers
from drf_spectacular.generators import SchemaGenerator

_PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")
_BASE = "urn:api"
_OF_TESTS = "test_"
"""How kinds of events begin that tests alone make known, in this process or in an earlier test."""


@functools.cache
def document() -> dict[str, Any]:
    """Return the description of the API, whichever routes the test at hand has."""
    generated: dict[str, Any] = SchemaGenerator(urlconf="config.urls").get_schema(request=None, public=True)
    plain: dict[str, Any] = json.loads(renderers.OpenApiJsonRenderer().render(generated, renderer_context={}))
    plain["webhooks"] = {name: one for name, one in plain["webhooks"].items() if not name.startswith(_OF_TESTS)}
    return plain


@functools.cache
def operation(method: str, route: str) -> tuple[str, dict[str, Any]] | None:
    """Return the path and the description of the operation behind a Django route, or nothing for other routes."""
    path = "/" + _PARAMETER.sub(r"{\1}", route)
    found = document()["paths"].get(path, {}).get(method.lower())
    return None if found is None else (path, found)


def problems(response: Any) -> list[str]:
    """Say in which ways a test client's response is not as described. Answers of other addresses have none."""
    route = _route(response)
    method = response.request["REQUEST_METHOD"]
    found = operation(method, route) if route.startswith("api/v1/") else None
    if found is None:
        return []
    path, described = found
    status = str(response.status_code)
    if status not in described["responses"]:
        allowed = ", ".join(described["responses"])
        return [f"{method} {path} answers {status}, which is none of {allowed}"]
    name = f"{method} {path} {status}"
    return [f"{name}: {problem}" for problem in _content_problems(response, path, method.lower(), status)]


def _route(response: Any) -> str:
    try:
        return str(getattr(response.resolver_match, "route", ""))
    except Resolver404:
        return ""


def _content_problems(response: Any, path: str, method: str, status: str) -> list[str]:
    if response.streaming or not response.content:
        return []
    answer = _resolved(document()["paths"][path][method]["responses"][status])
    media_type = response.get("Content-Type", "").split(";")[0]
    if media_type not in answer.get("content", {}):
        return [f"its {media_type} is not described"]
    if media_type != "application/json":
        return []
    wrong = _validator(path, method, status).iter_errors(json.loads(response.content))
    return [f"{'.'.join(map(str, error.instance_path))}: {error.message[:300]}" for error in wrong]


def _resolved(answer: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in answer:
        return answer
    shared: dict[str, Any] = document()["components"]["responses"][answer["$ref"].rsplit("/", 1)[-1]]
    return shared


@functools.cache
def _registry(*, strict: bool) -> jsonschema_rs.Registry:
    components = copy.deepcopy(document()["components"])
    if strict:
        for schema in components["schemas"].values():
            close(schema)
    resource = {"$schema": "https://json-schema.org/draft/2020-12/schema", "components": components}
    return jsonschema_rs.Registry([(_BASE, resource)])


@functools.cache
def _validator(path: str, method: str, status: str) -> jsonschema_rs.Validator:
    answer = _resolved(document()["paths"][path][method]["responses"][status])
    return _compiled(close(copy.deepcopy(answer["content"]["application/json"]["schema"])), strict=True)


@functools.cache
def request_validator(path: str, method: str) -> jsonschema_rs.Validator:
    """Return what tells whether a body is one that the description lets in."""
    content = document()["paths"][path][method]["requestBody"]["content"]
    return _compiled(content["application/json"]["schema"], strict=False)


def _compiled(schema: dict[str, Any], *, strict: bool) -> jsonschema_rs.Validator:
    text = json.dumps(schema).replace('"#/', f'"{_BASE}#/')
    return jsonschema_rs.Draft202012Validator(
        json.loads(text), registry=_registry(strict=strict), validate_formats=True
    )


def close(schema: Any) -> Any:
    """Close every object that names its fields and says nothing of others, in place."""
    if isinstance(schema, list):
        for inner in schema:
            close(inner)
    if isinstance(schema, dict):
        if "properties" in schema and "allOf" not in schema:
            schema.setdefault("additionalProperties", False)
        for inner in schema.values():
            close(inner)
    return schema


def payload_problems(name: str, body: Any) -> list[str]:
    """Say in which ways the body of a webhook is not as described; fields that events add are let through."""
    content = document()["webhooks"][name]["post"]["requestBody"]["content"]["application/json"]
    wrong = _compiled(content["schema"], strict=False).iter_errors(body)
    return [f"{'.'.join(map(str, error.instance_path))}: {error.message[:300]}" for error in wrong]
