"""`manage.py send_demo_usage`: sends the sample's usage to a running server once more, which must change nothing."""

from argparse import ArgumentParser
from typing import Any

import httpx
from django.conf import settings
from django.core.management import base

from config.demo import state, tour
from config.demo.api import Api, Refused


class Command(base.BaseCommand):
    """Sends every event of every month that `manage.py demo` played."""

    help = "Send the whole usage of the sample company again, to a server that `manage.py demo` or `serve` runs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--url", default=settings.PUBLIC_URL, help="address of the server (default: %(default)s)")
        parser.add_argument("--newest-first", action="store_true", help="send it in the opposite order")

    def handle(self, *args: Any, url: str, newest_first: bool, **options: Any) -> None:
        known = state.load(settings.DATA_DIR / "demo")
        if known is None:
            raise base.CommandError("There is no sample here yet: run `manage.py demo` first.")
        with Api(url, known.api_key) as api:
            try:
                sent = tour.send_usage(api, tour.Material.read(known.last_month), newest_first=newest_first)
            except (Refused, httpx.HTTPError) as error:
                raise base.CommandError(str(error)) from error
        self.stdout.write(f"{sent.new:,} events are new, {sent.known:,} were there already.")
