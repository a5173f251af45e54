"""The default mail backend: one `.eml` file for each message, complete, and none for a message to nobody."""

import email
import email.policy
import pathlib

from django.core.mail import EmailMessage

from config import mail


def test_each_message_is_a_file_that_mail_programs_open(tmp_path: pathlib.Path) -> None:
    backend = mail.EmlBackend(file_path=tmp_path / "outbox")
    invoice = EmailMessage("Rechnung über 12,50 €", "Guten Tag", "billing@example.com", ["ada@example.com"])
    invoice.attach("invoice.pdf", b"%PDF-1.7", "application/pdf")
    assert backend.send_messages([invoice, EmailMessage("Second", "", "billing@example.com", ["b@example.com"])]) == 2
    files = sorted((tmp_path / "outbox").iterdir())
    assert [file.suffix for file in files] == [".eml", ".eml"]
    message = email.message_from_bytes(files[0].read_bytes(), policy=email.policy.default)
    assert message["Subject"] == "Rechnung über 12,50 €"
    assert [part.get_filename() for part in message.iter_attachments()] == ["invoice.pdf"]


def test_a_message_to_nobody_is_not_written(tmp_path: pathlib.Path) -> None:
    assert mail.EmlBackend(file_path=tmp_path).send_messages([EmailMessage("Nobody", "", "a@example.com", [])]) == 0
    assert list(tmp_path.iterdir()) == []
