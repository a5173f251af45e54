"""Take the pictures of the README from the sample: `make screenshots`.

Uses the sample that runs at ``--base``; where none does, it serves the one whose data is here for as long as it takes,
and loads it before that if there is none yet. Pages come from the browser (see `screenshot.py`), the invoice from the
PDF that a customer gets, through poppler's `pdftoppm`. All of it overwrites what is in `docs/images/`.
"""  # noqa: INP001 - a script

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import django
import httpx

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from billing.models import Quote, Rehearsal  # noqa: E402
from config import environment  # noqa: E402
from config.demo import buyers, hosting, log, sellers, state, usage  # noqa: E402
from config.demo.state import State  # noqa: E402
from customers.models import Customer  # noqa: E402
from invoicing.models import Document, Invoice  # noqa: E402

IMAGES = environment.BASE_DIR / "docs" / "images"
HEIGHT = 960


def main() -> int:
    """Take all pictures and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", default="http://127.0.0.1:8000", help="where the sample may be running")
    parser.add_argument("--only", nargs="*", default=[], metavar="NAME", help="take only these")
    asked = parser.parse_args()
    folder = environment.data_dir() / "demo"
    known = state.load(folder)
    if known is None or not known.password:
        subprocess.run(
            [sys.executable, "manage.py", "demo", "--exit"], cwd=environment.BASE_DIR, check=True, stdout=sys.stderr
        )
        known = state.load(folder)
    if known is None:
        sys.stderr.write("The sample could not be loaded.\n")
        return 1
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work, _served(asked.base, folder) as base:
        _pages(base, known, Path(work), asked.only)
        if not asked.only or "invoice" in asked.only:
            _invoice(Path(work))
    return 0


@contextmanager
def _served(base: str, folder: Path) -> Iterator[str]:
    """Yield where the sample runs; start its programs for that long where they do not."""
    if _answers(base):
        yield base
        return
    journal = hosting.Journal(folder / "server.log")
    with hosting.Host(host="127.0.0.1", port=hosting.free_port("127.0.0.1", 8000), journal=journal) as running:
        running.wait_until_ready()
        yield running.url


def _answers(base: str) -> bool:
    try:
        return httpx.get(f"{base}/readyz", timeout=5, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def _busiest() -> str:
    """The external id of the busiest customer in Britain: the one with most to show."""
    accounts = dict.fromkeys(usage.accounts(log.read()).values())
    own = [account for account in accounts if account != usage.COMMUNITY]
    return next(buyer.external_id for buyer in buyers.all_of(own) if buyer.seller is sellers.BRITAIN)


def _customer() -> str:
    return f"/admin/customers/customer/{Customer.objects.get(external_id=_busiest()).pk}/change/"


def _quote() -> str:
    open_ones = Quote.objects.filter(versions__state__in=["in_approval", "sent"]).order_by("pk")
    return f"/admin/billing/quote/{open_ones.values_list('pk', flat=True)[0]}/change/"


def _rehearsal() -> str:
    return f"/admin/billing/rehearsal/{Rehearsal.objects.order_by('-pk').values_list('pk', flat=True)[0]}/change/"


PICTURES: dict[str, Callable[[], str]] = {
    "overview": lambda: "/admin/",
    "quote": _quote,
    "rehearsal": _rehearsal,
    "customer": _customer,
    "reports": lambda: "/admin/reports/recurring-revenue/",
}


def _pages(base: str, known: State, folder: Path, only: list[str]) -> None:
    named = [f"{name}={where()}" for name, where in PICTURES.items() if not only or name in only]
    if not named:
        return
    script = Path(__file__).with_name("screenshot.py")
    options = ["--base", base, "--password", known.password, "--out", str(folder), "--themes", "light", "--window"]
    subprocess.run([sys.executable, str(script), *named, *options, "--height", str(HEIGHT)], check=True)
    for one in named:
        name = one.partition("=")[0]
        (folder / f"{name}-light.png").replace(IMAGES / f"{name}.png")


def _invoice(folder: Path) -> None:
    """Draw the first page of the latest invoice of the busiest customer in Britain."""
    latest = Invoice.objects.filter(customer__external_id=_busiest(), documents__kind=Document.Kind.PDF).order_by("-pk")
    document = Document.objects.get(invoice=latest[0], kind=Document.Kind.PDF)
    pdf = folder / "invoice.pdf"
    pdf.write_bytes(document.file.read())
    subprocess.run(
        ["pdftoppm", "-png", "-r", "100", "-f", "1", "-singlefile", str(pdf), str(IMAGES / "invoice")], check=True
    )


if __name__ == "__main__":
    sys.exit(main())
