"""Take the pictures of the README from a running sample: `make demo` in one terminal, `make screenshots` in another.

The overview comes from the browser (see `screenshot.py`), the invoice from the PDF that a customer gets, through
poppler's `pdftoppm`. Both overwrite what is in `docs/images/`.
"""  # noqa: INP001 - a script

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import httpx

from config import environment
from config.demo import buyers, log, sellers, state, usage
from config.demo.api import Api

IMAGES = environment.BASE_DIR / "docs" / "images"


def main() -> int:
    """Take both pictures and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", default="http://127.0.0.1:8000", help="where the sample runs")
    base = parser.parse_args().base
    known = state.load(environment.data_dir() / "demo")
    if known is None or not known.password:
        sys.stderr.write("There is no sample here yet: run `make demo` first.\n")
        return 1
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        _overview(base, known.password, Path(folder))
        _invoice(base, known.api_key, Path(folder))
    return 0


def _overview(base: str, password: str, folder: Path) -> None:
    script = Path(__file__).with_name("screenshot.py")
    options = [
        "--base",
        base,
        "--password",
        password,
        "--out",
        str(folder),
        "--themes",
        "light",
        "--window",
        "--height",
        "960",
    ]
    subprocess.run([sys.executable, str(script), "overview=/admin/", *options], check=True)
    (folder / "overview-light.png").replace(IMAGES / "overview.png")


def _invoice(base: str, api_key: str, folder: Path) -> None:
    """Draw the first page of the latest invoice of the busiest customer in Britain."""
    accounts = dict.fromkeys(usage.accounts(log.read()).values())
    own = [account for account in accounts if account != usage.COMMUNITY]
    busiest = next(buyer.external_id for buyer in buyers.all_of(own) if buyer.seller is sellers.BRITAIN)
    with Api(base, api_key) as api:
        invoice = next(api.rows(f"customers/{busiest}/invoices"))
        made = api.send(f"invoices/{invoice['lago_id']}/download", {})["invoice"]
    pdf = folder / "invoice.pdf"
    pdf.write_bytes(httpx.get(made["file_url"], trust_env=False).raise_for_status().content)
    subprocess.run(
        ["pdftoppm", "-png", "-r", "100", "-f", "1", "-singlefile", str(pdf), str(IMAGES / "invoice")], check=True
    )


if __name__ == "__main__":
    sys.exit(main())
