"""The default e-mail backend: each message becomes one `.eml` file, which every mail program opens.

Owns the writing of files only. A mail server takes its place as soon as `EMAIL_URL` names one.
"""

import os
import pathlib
import uuid
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends import base
from django.utils import timezone


class EmlBackend(base.BaseEmailBackend):
    """Writes each message to `EMAIL_FILE_PATH` under a name that sorts by time."""

    def __init__(self, *, file_path: str | os.PathLike[str] | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.directory = pathlib.Path(file_path or settings.EMAIL_FILE_PATH)

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Write the messages and return how many. A file appears complete or not at all. Raises OSError."""
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        return sum(self._write(message) for message in email_messages)

    def _write(self, message: EmailMessage) -> int:
        if not message.recipients():
            return 0
        name = f"{timezone.now():%Y%m%dT%H%M%S.%fZ}-{uuid.uuid4().hex[:8]}.eml"
        draft = self.directory / f".{name}"
        draft.write_bytes(message.message().as_bytes(linesep="\r\n"))
        draft.rename(self.directory / name)
        return 1
