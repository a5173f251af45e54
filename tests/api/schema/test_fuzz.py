"""Requests made up from the description of the API, right and wrong ones, against a filled company: no fault of the
server, no status and no answer that is not described.

One of each operation here; `make fuzz` sends many (``FUZZ_EXAMPLES``), and others each time (``FUZZ_SEED``).
"""

from __future__ import annotations

import os
from typing import Any

import hypothesis
import pytest
import requests
import schemathesis
from django.db import transaction
from hypothesis import HealthCheck, Phase
from hypothesis import strategies as st
from schemathesis import GenerationMode, checks
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi import checks as openapi_checks

from tests.api.schema import filled
from tests.factories import described
from tests.factories.platform import ApiClient

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "1"))
SEED = int(os.environ.get("FUZZ_SEED", "20260501"))
ONLY = os.environ.get("FUZZ_ONLY", "")
ALL = [
    checks.not_a_server_error,
    openapi_checks.status_code_conformance,
    openapi_checks.response_schema_conformance,
    openapi_checks.content_type_conformance,
]
MOSTLY = st.sampled_from([True, True, True, False])
EMPTY = ("download", "resend", "deleteAll")
"""Operations that may answer 200 with nothing, by how their names begin: a file is not there yet, a mail is sent."""

SETTINGS = hypothesis.settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=False,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
    print_blob=False,
)


def operations() -> list[Any]:
    """Return the operations of the description, as schemathesis reads it."""
    schema = schemathesis.openapi.from_dict(described.document())
    return [found.ok() for found in schema.get_all_operations()]


def sent(api: ApiClient, case: Any) -> schemathesis.Response:
    """Send a request through the test client, which shares the connection of the test."""
    prepared = requests.Request(**case.as_transport_kwargs(base_url="http://testserver")).prepare()
    headers = {**prepared.headers, "Authorization": f"Bearer {api.secret}"}
    media_type = headers.pop("Content-Type", "")
    body = prepared.body or b""
    answer = api.generic(
        prepared.method, prepared.url.removeprefix("http://testserver"), body, content_type=media_type, headers=headers
    )
    return schemathesis.Response(
        status_code=answer.status_code,
        headers={name: [value] for name, value in answer.items()},
        content=b"".join(answer.streaming_content) if answer.streaming else answer.content,
        request=prepared,
        elapsed=0.0,
        verify=False,
    )


def cases(operation: Any, known: dict[str, dict[str, str]]) -> st.SearchStrategy[Any]:
    """Return requests of an operation, right and wrong in turns; its path mostly names something that is there."""
    named = filled.names(operation.path, known)

    def there(case: Any, *, is_there: bool) -> Any:
        if is_there and named:
            case.path_parameters.update(named)
        return case

    made = st.one_of(operation.as_strategy(mode) for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE))
    return st.builds(lambda case, is_there: there(case, is_there=is_there), made, MOSTLY)


@pytest.mark.django_db
def test_requests_by_description() -> None:
    api = ApiClient()
    api.raise_request_exception = False
    known = filled.company(api)
    faults: dict[str, str] = {}
    for operation in operations():
        if ONLY and ONLY not in operation.label:
            continue

        @hypothesis.seed(SEED)
        @SETTINGS
        @hypothesis.given(case=cases(operation, known))
        def one(case: Any) -> None:
            with transaction.atomic():
                response = sent(api, case)
                transaction.set_rollback(True)
            is_empty = response.status_code == 200 and not response.content
            if not (is_empty and case.operation.definition.raw["operationId"].startswith(EMPTY)):
                case.validate_response(response, checks=ALL)

        try:
            one()
        except hypothesis.errors.Unsatisfiable:
            continue
        except (Exception, FailureGroup) as error:  # noqa: BLE001  # every operation is tried before the test fails
            faults[operation.label] = str(error)
    assert not faults, f"{len(faults)} of them:\n" + "\n\n".join(f"{name}: {text}" for name, text in faults.items())
