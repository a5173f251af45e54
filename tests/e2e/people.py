"""The people who work with the product, each with a browser window of their own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.auth.models import Group, User
from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e.house import House

PASSWORD = "walks-through-the-house"
PATIENCE = 30_000


class Visitor:
    """Whoever uses a browser. What the page's console complains about fails the walk."""

    def __init__(self, house: House, page: Page) -> None:
        self.house, self.page = house, page
        self.complaints: list[str] = []
        page.set_default_timeout(PATIENCE)
        page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def goto(self, path: str) -> Self:
        """Open an address, whole or below that of the house. It must be there."""
        url = path if "://" in path else f"{self.house.url}{path}"
        # A page that reloads itself at this very moment takes the answer away: it is asked for again.
        answer = self.page.goto(url) or self.page.goto(url)
        assert answer is not None, path
        assert answer.status < 400, f"{answer.status} at {path}"
        return self

    def press(self, name: str) -> Self:
        """Press the button or follow the link of that name."""
        self.named(name).click()
        return self

    def named(self, name: str) -> Locator:
        """The button or the link of that name that can be seen."""
        words = ends_with(name)
        inside = self.page.locator("#main, main, body").last
        button = inside.get_by_role("button", name=words)
        return button.or_(inside.get_by_role("link", name=words)).filter(visible=True).last

    def fill(self, label: str, value: str) -> Self:
        """Fill in the field of that label."""
        self.page.get_by_label(labelled(label)).first.fill(value)
        return self

    def choose(self, label: str, option: str) -> Self:
        """Choose an option of a list by what it says."""
        self.page.get_by_label(labelled(label)).first.select_option(label=option)
        return self

    def tick(self, label: str) -> Self:
        """Tick a box."""
        self.page.get_by_label(label).first.check()
        return self

    def sees(self, *texts: str) -> Self:
        """Demand texts on the page."""
        for text in texts:
            expect(self.page.locator("body")).to_contain_text(text, timeout=PATIENCE)
        return self

    def sees_not(self, *texts: str) -> Self:
        """Demand that none of the texts is on the page."""
        for text in texts:
            expect(self.page.locator("body")).not_to_contain_text(text)
        return self


def ends_with(name: str) -> re.Pattern[str]:
    """What a button or link of that name is called: the name of its icon may stand before it."""
    return re.compile(rf"(^|\s){re.escape(name)}\s*$")


def labelled(label: str) -> re.Pattern[str]:
    """What the label of a field says, with the mark of those that are needed."""
    return re.compile(rf"^\s*{re.escape(label)}\s*\*?\s*$")


def hire(username: str, *roles: str) -> User:
    """Let somebody work here, with these roles."""
    first, _, last = username.partition(".")
    user = User.objects.create(
        username=username,
        email=f"{username}@lumen.example",
        # The tests' own hasher is none that the installation takes.
        password=PBKDF2PasswordHasher().encode(PASSWORD, "salt"),
        first_name=first.title(),
        last_name=last.title(),
        is_staff=True,
    )
    user.groups.set([Group.objects.get(name=role) for role in roles])
    return user


@contextmanager
def visitor(house: House, browser: Browser) -> Iterator[Visitor]:
    """Somebody from outside, in a window of their own."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-US")
    try:
        somebody = Visitor(house, context.new_page())
        yield somebody
        assert somebody.complaints == []
    finally:
        context.close()


@contextmanager
def at_work(house: House, browser: Browser, username: str) -> Iterator[Visitor]:
    """One of the people who work here, signed in."""
    with visitor(house, browser) as somebody:
        somebody.goto("/admin/login/")
        somebody.page.fill("#id_username", username)
        somebody.page.fill("#id_password", PASSWORD)
        somebody.page.click("button[type=submit]")
        somebody.page.wait_for_url(f"{house.url}/admin/")
        yield somebody
