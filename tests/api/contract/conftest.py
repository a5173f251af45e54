"""Every answer of these stories is rendered twice: the quick way, and by the serializer itself."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from unittest import mock

import pytest
from django.core import signing
from django.core.serializers.json import DjangoJSONEncoder

from config.platform.api import rendering


@pytest.fixture(scope="session", autouse=True)
def _rendered_as_the_serializer_does() -> Iterator[None]:
    """Fail a test in which the quick way tells anything else than the serializer."""
    render = rendering.render

    def checked(shape: Any, rows: Sequence[Any], *, context: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        second = signing.TimestampSigner().timestamp()
        with mock.patch.object(signing.TimestampSigner, "timestamp", return_value=second):  # that of signed links
            found = render(shape, rows, context=context)
            usual = shape(rows, many=True, context=dict(context or {})).data
        assert _text(found) == _text(usual), shape
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rendering, "render", checked)
        yield


def _text(content: Any) -> str:
    return json.dumps(content, cls=DjangoJSONEncoder)
