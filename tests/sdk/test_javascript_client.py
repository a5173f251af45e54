"""The official JavaScript client, unmodified, against a running server: from a tax to a deleted customer."""

from __future__ import annotations

import json
import pathlib
import shutil
import subprocess

import pytest
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from customers.services import billing_entities
from tests.factories import platform, usage

pytestmark = pytest.mark.django_db(transaction=True)

HERE = pathlib.Path(__file__).parent / "javascript"


@pytest.mark.skipif(shutil.which("npm") is None, reason="Node is not installed")
def test_every_resource(live_server: LiveServer, tmp_path: pathlib.Path) -> None:
    usage.clear()
    billing_entities.ensure_default(at=timezone.now())
    key = platform.make_key(at=timezone.now()).secret
    for name in ("package.json", "package-lock.json", "flow.mjs"):
        shutil.copy(HERE / name, tmp_path)
    subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=tmp_path, check=True, timeout=120)
    run = subprocess.run(
        ["node", "flow.mjs", live_server.url, key],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-4000:]
    answers = json.loads(run.stdout)
    invoice = answers["findInvoice"]["invoice"]
    assert [(fee["item"]["type"], fee["amount_cents"]) for fee in invoice["fees"]] == [("subscription", 1000)]
    usage.clear()
