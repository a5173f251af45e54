"""The guide to webhooks: it lists the events that there are, and its code tells genuine requests from others."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import pathlib
import re
import shutil
import subprocess
import time
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from config import environment, urls
from config.platform.services import outbox, signing

GUIDE = (environment.BASE_DIR / "docs" / "webhooks.md").read_text(encoding="utf-8")
BODY = '{"webhook_type":"invoice.created","note":"Grüße, 世界 \\u2028"}'
OTHER = BODY.replace("created", "deleted")

CASES = [
    # what is changed, whether it is genuine, whether it is recent
    ({}, True, True),
    ({"body": OTHER}, False, False),
    ({"hmac_key": "another", "public_key": "another"}, False, False),
    ({"age": 301}, True, False),
]

NO_KEY = base64.b64encode(hmac.new(b"", BODY.encode(), hashlib.sha256).digest()).decode()
FORGED: list[dict[str, str]] = [
    {},
    {"x-lago-signature": "zz", "x-quittance-signature": "zz"},
    {"x-lago-signature": "a.b.c", "x-quittance-signature": "t=1,v1="},
    {"x-lago-signature": "ü.ü.ü", "x-quittance-signature": "t=٣,v1=ü"},
    # An HMAC made without a key, by somebody who says himself how it is to be checked.
    {"x-lago-signature-algorithm": "hmac", "x-lago-signature": NO_KEY},
]
"""What somebody makes up who does not have our keys."""


@pytest.fixture
def keys(settings: Any, tmp_path: pathlib.Path) -> dict[str, str]:
    settings.DATA_DIR = tmp_path / "one"
    settings.DATA_DIR.mkdir()
    return {"hmac_key": signing.hmac_key(), "public_key": signing.public_key()}


def test_every_event_is_listed_with_its_object() -> None:
    assert urls.urlpatterns  # with the routes come all kinds of events
    listed = dict(re.findall(r"^\| `([a-z_]+\.[a-z_]+)` \| `(\w+)` \|", GUIDE, re.MULTILINE))
    there = {name: kind.object_type for name, kind in outbox.event_types().items() if not name.startswith("test_")}
    assert listed == there
    assert len(there) > 20


def _request(algorithm: str, keys: dict[str, str], changed: dict[str, Any], settings: Any) -> dict[str, Any]:
    """A signed request, or one with something changed after it was signed."""
    sent = datetime.fromtimestamp(int(time.time()) - changed.get("age", 0), UTC)
    headers = signing.headers(algorithm=algorithm, body=BODY, unique_key=uuid4(), at=sent)
    told = {
        "headers": {name.lower(): value for name, value in headers.items()},
        "body": changed.get("body", BODY),
        **keys,
    }
    if "hmac_key" in changed:
        settings.DATA_DIR = settings.DATA_DIR.parent / "two"
        settings.DATA_DIR.mkdir(exist_ok=True)
        told |= {"hmac_key": signing.hmac_key(), "public_key": signing.public_key()}
    return told


def _code(language: str) -> str:
    [found] = re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)
    return str(found)


@pytest.mark.parametrize("algorithm", ["jwt", "hmac"])
@pytest.mark.parametrize(("changed", "is_genuine", "is_recent"), CASES)
def test_the_python_code(
    settings: Any, keys: dict[str, str], algorithm: str, changed: dict[str, Any], is_genuine: bool, is_recent: bool
) -> None:
    one = _request(algorithm, keys, changed, settings)
    space: dict[str, Any] = {}
    exec(_code("python"), space)
    body = one["body"].encode()
    name = "hmac_key" if algorithm == "hmac" else "public_key"
    assert space[f"signed_by_{algorithm}"](one["headers"], body, one[name]) is is_genuine
    assert space["is_recent"](one["headers"], body, one["hmac_key"]) is is_recent


@pytest.mark.parametrize("headers", FORGED)
def test_the_python_code_refuses_what_is_made_up(keys: dict[str, str], headers: dict[str, str]) -> None:
    space: dict[str, Any] = {}
    exec(_code("python"), space)
    body = BODY.encode()
    assert space["signed_by_hmac"](headers, body, keys["hmac_key"]) is False
    assert space["signed_by_jwt"](headers, body, keys["public_key"]) is False
    assert space["is_recent"](headers, body, keys["hmac_key"]) is False
    for check in ("signed_by_hmac", "signed_by_jwt", "is_recent"):
        with pytest.raises(ValueError, match="key is missing"):
            space[check](headers, body, "")


@pytest.mark.skipif(shutil.which("node") is None, reason="Node is not installed")
def test_the_node_code(settings: Any, keys: dict[str, str], tmp_path: pathlib.Path) -> None:
    requests, expected = [], []
    for algorithm in ("jwt", "hmac"):
        for changed, is_genuine, is_recent in CASES:
            requests.append({**_request(algorithm, keys, changed, settings), "algorithm": algorithm})
            expected.append([is_genuine, is_recent])
            settings.DATA_DIR = tmp_path / "one"
    for headers in FORGED:
        for algorithm in ("jwt", "hmac"):
            forged = {**_request(algorithm, keys, {}, settings), "headers": headers}
            requests.append({**forged, "algorithm": algorithm})
            expected.append([False, False])
    (tmp_path / "check.js").write_text(_code("javascript"))
    (tmp_path / "requests.json").write_text(json.dumps(requests))
    (tmp_path / "run.js").write_text(
        """const check = require("./check.js");
const found = require("./requests.json").map((one) => {
  const body = Buffer.from(one.body);
  const signed =
    one.algorithm === "hmac"
      ? check.signedByHmac(one.headers, body, one.hmac_key)
      : check.signedByJwt(one.headers, body, one.public_key);
  return [signed, check.isRecent(one.headers, body, one.hmac_key)];
});
console.log(JSON.stringify(found));
"""
    )
    done = subprocess.run(["node", "run.js"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert json.loads(done.stdout) == expected
