"""How many webhooks one worker delivers a second to one endpoint, beside what the client alone can send.

    PYTHONPATH=. .venv/bin/python benchmarks/webhooks.py [--events 3000] [--objects 300] [--bytes 4000]

Makes a database of its own beside the configured one and drops it at the end. The receiver is a process of its own on
this machine that answers at once, so both share its processors. The same bytes are sent signed either way; "bare" is
the client without a database and without a signature.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from uuid import uuid4

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("LOG_LEVEL", "ERROR")

import django

django.setup()

from django.db import connection  # noqa: E402 - Django is set up first

from config.kernel import rows  # noqa: E402
from config.platform.models import WebhookDelivery, WebhookEndpoint, WebhookEvent  # noqa: E402
from config.platform.services import deliveries, delivery_sending, signing  # noqa: E402

NOW = datetime(2026, 5, 31, tzinfo=UTC)
AT_ONCE = 10

RECEIVER = """
import asyncio
class Takes(asyncio.Protocol):
    def connection_made(self, transport): self.transport, self.held = transport, b""
    def data_received(self, data):
        self.held += data
        while b"\\r\\n\\r\\n" in self.held:
            head, rest = self.held.split(b"\\r\\n\\r\\n", 1)
            length = int(head.lower().split(b"content-length: ")[1].split(b"\\r\\n")[0])
            if len(rest) < length: return
            self.held = rest[length:]
            self.transport.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok")
async def main():
    server = await asyncio.get_running_loop().create_server(Takes, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"""


def main() -> None:
    """Measure, and print deliveries a second."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--events", type=int, default=3000)
    options.add_argument("--objects", type=int, default=300)
    options.add_argument("--bytes", type=int, default=4000, help="of each body")
    given = options.parse_args()
    receiver = subprocess.Popen([sys.executable, "-c", RECEIVER], stdout=subprocess.PIPE, text=True)
    assert receiver.stdout is not None
    url = f"http://127.0.0.1:{receiver.stdout.readline().strip()}/"
    configured = connection.settings_dict["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        bare = asyncio.run(bare_rate(url, given))
        print(f"bare     {bare:7,.0f} /s")
        for algorithm in (signing.HMAC, signing.JWT):
            rate = delivered_rate(url, algorithm, given)
            print(f"{algorithm:<8} {rate:7,.0f} /s   {rate / bare:.2f} of bare")
    finally:
        connection.creation.destroy_test_db(configured, verbosity=0)
        receiver.kill()


def body(size: int) -> str:
    """Return a body of about that many bytes."""
    return '{"webhook_type":"invoice.created","object_type":"invoice","note":"' + "x" * (size - 68) + '"}'


async def bare_rate(url: str, given: argparse.Namespace) -> float:
    """Return how many requests a second the client makes, that many at once."""
    content, left = body(given.bytes).encode(), iter(range(given.events))

    async def work() -> None:
        for _ in left:
            async with http.stream("POST", url, content=content) as response:
                await response.aread()

    async with delivery_sending.client(timeout=30) as http:
        began = time.perf_counter()
        await asyncio.gather(*(work() for _ in range(AT_ONCE)))
        return given.events / (time.perf_counter() - began)


def delivered_rate(url: str, algorithm: str, given: argparse.Namespace) -> float:
    """Return how many recorded events one worker delivers a second."""
    endpoint = WebhookEndpoint.objects.create(webhook_url=f"{url}{algorithm}", signature_algo=algorithm)
    keys = [f"invoicing.invoice:{uuid4()}" for _ in range(given.objects)]
    events = rows.insert(
        [
            WebhookEvent(
                event_type="invoice.created",
                object_type="invoice",
                object_key=keys[number % given.objects],
                at=NOW,
                body=body(given.bytes),
            )
            for number in range(given.events)
        ]
    )
    rows.insert(
        [
            WebhookDelivery(event=event, endpoint=endpoint, object_key=event.object_key, next_attempt_at=NOW)
            for event in events
        ]
    )
    signing.public_key()
    began = time.perf_counter()
    delivered = deliveries.run(as_of=NOW)
    while delivered < given.events:
        delivered += deliveries.run(as_of=NOW)
    return given.events / (time.perf_counter() - began)


if __name__ == "__main__":
    main()
