"""Asking the register of VAT numbers, against a server that answers as the register does."""

from __future__ import annotations

from typing import Any

import pytest

from customers.services import vies
from tests.factories import peers
from tests.factories.platform import AT

NUMBER = "IT00743110157"


def _answer(said: str, *, is_valid: bool, **more: Any) -> dict[str, Any]:
    return {
        "isValid": is_valid,
        "requestDate": "2026-01-01T00:00:00Z",
        "userError": said,
        "vatNumber": "00743110157",
        **more,
    }


def _ask(settings: Any, status: int, content: Any) -> tuple[vies.Answer, list[Any]]:
    with peers.serve(lambda *_: (status, content)) as peer:
        settings.VIES_URL = peer.url
        return vies.ask(number=NUMBER, at=AT), peer.requests


def test_a_registered_number(settings: Any) -> None:
    content = _answer("VALID", is_valid=True, name="ACME S.P.A.", address="VIA ROMA 1", requestIdentifier="WAPI1")
    found, asked = _ask(settings, 200, content)
    assert found == vies.Answer(is_valid=True, name="ACME S.P.A.", address="VIA ROMA 1", reference="WAPI1")
    assert [(method, path) for method, path, _, _ in asked] == [("GET", "/ms/IT/vat/00743110157")]


@pytest.mark.parametrize("said", ["INVALID", "INVALID_INPUT"])
def test_a_number_that_is_not_registered(settings: Any, said: str) -> None:
    found, _ = _ask(settings, 200, _answer(said, is_valid=False, name="---", address="---"))
    assert found == vies.Answer(is_valid=False)


@pytest.mark.parametrize(
    ("status", "content"),
    [
        (200, _answer("MS_UNAVAILABLE", is_valid=False)),
        (200, _answer("MS_MAX_CONCURRENT_REQ", is_valid=False)),
        (200, _answer("TIMEOUT", is_valid=False)),
        (200, _answer("SERVICE_UNAVAILABLE", is_valid=False)),
        (200, _answer("VAT_BLOCKED", is_valid=False)),
        (200, _answer("SOMETHING_NEW", is_valid=True)),
        (200, _answer("VALID", is_valid=False)),
        (200, {"isValid": True}),
        (200, []),
        (200, "<html>"),
        (500, _answer("VALID", is_valid=True)),
        (302, ""),
        (400, {"actionSucceed": False, "errorWrappers": [{"error": "GLOBAL_MAX_CONCURRENT_REQ"}]}),
    ],
)
def test_anything_else_is_no_answer(settings: Any, status: int, content: Any) -> None:
    with pytest.raises(vies.Unavailable):
        _ask(settings, status, content)


def test_a_register_that_is_down_is_no_answer(settings: Any) -> None:
    with peers.serve(lambda *_: (200, {})) as peer:
        settings.VIES_URL = peer.url
    with pytest.raises(vies.Unavailable):
        vies.ask(number=NUMBER, at=AT)


def test_a_number_of_the_wrong_form_is_not_asked_about(settings: Any) -> None:
    with peers.serve(lambda *_: (200, {})) as peer:
        settings.VIES_URL = peer.url
        found = vies.ask(number="IT00743110158", at=AT)
    assert (found.is_valid, found.told_by, peer.requests) == (False, vies.BY_FORM, [])
