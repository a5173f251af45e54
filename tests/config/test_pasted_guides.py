"""The guides for engineers, pasted in order into a terminal beside a running server: they do what they say."""

from __future__ import annotations

import contextlib
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from django.core.management import call_command
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from billing.models import UsageEvent
from config import environment
from customers.services import billing_entities
from invoicing.models import Invoice, Payment
from tests.factories import platform, usage

pytestmark = pytest.mark.django_db(transaction=True)

DOCS = environment.BASE_DIR / "docs"
CLIENT = environment.BASE_DIR / "tests" / "sdk" / "javascript"
BLOCK = re.compile(r"^```(sh|python|javascript)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MANAGE = re.compile(r"^\.venv/bin/python manage\.py (.*)$", re.MULTILINE)
FILE = re.compile(r"(?:#|//) (\w+\.\w+):")
REFUSAL = re.compile(r'"status":\s?(\d{3}),.*?"code":\s?"(\w+)"')
HAS_NODE = shutil.which("npm") is not None
EXISTS = ("422", "validation_errors")


@dataclass(frozen=True)
class Terminal:
    """A folder like a checkout, and the variables of a shell in it."""

    folder: pathlib.Path
    variables: dict[str, str]

    def paste(self, guide: pathlib.Path, *, until: str = "") -> str:
        """Run the blocks of a guide in order, in one shell, and return what it prints.

        A program whose first line names a file is saved as that; others are run at once. What is for Node is left out
        where Node is not there. Commands of the installation run afterwards, in this process and its database.
        """
        text = guide.read_text(encoding="utf-8")
        blocks = BLOCK.findall(text.partition(until)[0] if until else text)
        commands = [_command(language, block) for language, block in blocks if not block.startswith("make ")]
        done = subprocess.run(
            ["bash", "-euc", MANAGE.sub("", "\n".join(commands))],
            cwd=self.folder,
            env=self.variables,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, ""), f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        with contextlib.chdir(self.folder):
            for block in commands:
                for command in MANAGE.findall(block):
                    call_command(*shlex.split(command))
        return done.stdout


def _command(language: str, block: str) -> str:
    if language == "sh":
        return block if HAS_NODE else re.sub(r"^node .*$", "", block, flags=re.MULTILINE)
    if language == "javascript" and not HAS_NODE:
        return ""
    named = FILE.match(block)
    runner = "python3 -" if language == "python" else "node --input-type=module -"
    return f"{f'cat > {named[1]}' if named else runner} <<'PROGRAM'\n{block}PROGRAM"


@pytest.fixture
def terminal(live_server: LiveServer, tmp_path: pathlib.Path) -> Iterator[Terminal]:
    """A terminal in a checkout whose server runs, with the key of the sample where the sample puts it."""
    usage.clear()
    billing_entities.ensure_default(at=timezone.now())
    (tmp_path / ".data" / "demo").mkdir(parents=True)
    (tmp_path / ".data" / "demo" / "api_key").write_text(platform.make_key(at=timezone.now()).secret)
    yield Terminal(
        tmp_path,
        {
            **os.environ,
            "PATH": f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}",
            "WEB_PORT": str(live_server.thread.port),
        },
    )
    usage.clear()


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A folder with the official client for Node, where there is Node."""
    folder = tmp_path_factory.mktemp("installed")
    if HAS_NODE:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(CLIENT / name, folder)
        install = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run(install, cwd=folder, check=True, capture_output=True, timeout=120)
    return folder


@pytest.fixture
def javascript_client(installed: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """The official client for Node in the folder of the terminal."""
    (tmp_path / "node_modules").symlink_to(installed / "node_modules")


def current_usage(customer: str, subscription: str) -> int:
    """Return what the period comes to, in minor units."""
    answer = platform.ApiClient().read(f"customers/{customer}/current_usage", external_subscription_id=subscription)
    return int(answer.json()["customer_usage"]["amount_cents"])


@pytest.mark.usefixtures("javascript_client")
def test_first_event(terminal: Terminal) -> None:
    printed = terminal.paste(DOCS / "first-event.md")

    assert REFUSAL.findall(printed) == [EXISTS]  # the repeated event, and nothing else
    lines = printed.splitlines()
    assert [line for line in lines if line.isdigit()] == ["2", "22", "24"][: 3 if HAS_NODE else 2]
    assert UsageEvent.objects.count() == (12 if HAS_NODE else 11)
    invoice = Invoice.objects.get(customer__external_id="globex")
    assert (invoice.status, invoice.payment_status) == ("finalized", "succeeded")
    payment = Payment.objects.get()
    assert (payment.reference, payment.amount) == ("transfer 4711", invoice.total_amount)
    assert "succeeded" in lines


def test_the_readme(terminal: Terminal) -> None:
    readme = environment.BASE_DIR / "README.md"

    printed = terminal.paste(readme, until="## Run it for real")

    assert REFUSAL.findall(printed) == [EXISTS]
    assert printed.splitlines()[-1] == "22"  # eleven calls of 0.02
    assert UsageEvent.objects.count() == 11


@pytest.mark.usefixtures("javascript_client")
def test_sending_usage(terminal: Terminal) -> None:
    printed = terminal.paste(DOCS / "sending-usage.md")

    # Each of the two events that are repeated on purpose is refused, and nothing else is.
    assert REFUSAL.findall(printed) == [EXISTS, EXISTS]
    assert printed.count("download-7 conflict") == printed.count("download-10 rejected") == (2 if HAS_NODE else 1)
    assert "missing download-99 stored at None" in printed
    # 1 to 9, 11 to 13, and the amendment of the first; only Node sends the fifth.
    assert UsageEvent.objects.count() == (13 if HAS_NODE else 12)
    # 1.25 + 2 + 3 + 4 + 5 + 6 + 7 + 8 + 9 + 11 + 12 + 13 = 81.25 at 0.50
    assert current_usage("initech", "initech-delivery") == (4063 if HAS_NODE else 3813)


@pytest.mark.usefixtures("javascript_client")
def test_official_sdks(terminal: Terminal) -> None:
    printed = terminal.paste(DOCS / "sdks.md")

    assert printed.splitlines() == ["default"] * (2 if HAS_NODE else 1)
