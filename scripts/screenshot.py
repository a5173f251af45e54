"""Take pictures of admin pages in light and dark, and say what the browser complained about.

Signs in to a running server and visits each address: ``screenshot.py --out DIR NAME=/admin/… NAME=/admin/…``. Uses
playwright with Debian's Chromium, or the browser that ``CHROMIUM`` names. Exits with 1 when a page answered with an
error or the console had one, such as a script that the security policy refused.
"""  # noqa: INP001 - a script

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

THEMES = ("light", "dark")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--force-color-profile=srgb")


def main() -> int:
    """Take the pictures that the command line asks for."""
    asked = _arguments()
    asked.out.mkdir(parents=True, exist_ok=True)
    problems: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=list(FLAGS)
        )
        for theme in asked.themes:
            _visit(browser, asked, theme, problems)
        browser.close()
    for problem in problems:
        sys.stderr.write(f"{problem}\n")
    return 1 if problems else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pages", nargs="+", metavar="NAME=PATH", help="what to call the picture, and which page it is")
    parser.add_argument("--base", default="http://127.0.0.1:8000", help="where the server runs")
    parser.add_argument("--user", default="admin")
    parser.add_argument("--password", default="admin")
    parser.add_argument("--out", type=Path, default=Path("screenshots"), help="folder for the pictures")
    parser.add_argument("--width", type=int, default=1440)
    parser.add_argument("--height", type=int, default=900)
    parser.add_argument("--scale", type=int, default=1, help="device pixels per pixel")
    parser.add_argument("--themes", nargs="+", choices=THEMES, default=list(THEMES))
    parser.add_argument("--click", default="", help="a CSS selector to click before the picture, such as a row")
    parser.add_argument("--window", action="store_true", help="only what fits the window, not the whole page")
    return parser.parse_args()


def _visit(browser: Browser, asked: argparse.Namespace, theme: str, problems: list[str]) -> None:
    context = browser.new_context(
        viewport={"width": asked.width, "height": asked.height},
        device_scale_factor=asked.scale,
        color_scheme="dark" if theme == "dark" else "light",
        locale="en-US",
    )
    page = context.new_page()
    where = {"name": "sign-in"}
    page.on(
        "console",
        lambda said: problems.append(f"{where['name']} {theme}: {said.text}") if said.type == "error" else None,
    )
    page.on("pageerror", lambda error: problems.append(f"{where['name']} {theme}: {error}"))
    _sign_in(page, asked)
    for named in asked.pages:
        name, _, path = named.partition("=")
        where["name"] = name
        response = page.goto(f"{asked.base}{path}", wait_until="networkidle")
        if response is not None and response.status >= 400:  # no response: only the part after # differs
            problems.append(f"{name} {theme}: {response.status} at {path}")
        if asked.click:
            page.locator(asked.click).first.click()
        page.wait_for_timeout(300)
        page.screenshot(path=asked.out / f"{name}-{theme}.png", full_page=not asked.window)
    context.close()


def _sign_in(page: Page, asked: argparse.Namespace) -> None:
    page.goto(f"{asked.base}/admin/login/")
    page.fill("#id_username", asked.user)
    page.fill("#id_password", asked.password)
    page.click("button[type=submit]")
    page.wait_for_url(f"{asked.base}/admin/")


if __name__ == "__main__":
    sys.exit(main())
