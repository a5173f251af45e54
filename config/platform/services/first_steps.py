"""Ticking off first steps that no other row can tell, and putting their list away."""

from __future__ import annotations

import smtplib
from datetime import datetime

from django.core import mail
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from config.kernel import errors
from config.kernel.actors import Actor
from config.platform.models import FirstStep
from config.platform.services import audit

_TEXT = "This is a test of the e-mail settings. Whoever asked for it can go on: invoices will get out.\n"


@transaction.atomic
def tick(*, code: str, actor: Actor, at: datetime) -> FirstStep:
    """Note that something is done, by whom. Doing it again changes nothing. Raises Invalid for an unknown code."""
    if code not in FirstStep.Code.values:
        raise errors.Invalid("validation_errors", "", {"code": ["value_is_invalid"]})
    row, is_new = FirstStep.objects.get_or_create(code=code, defaults={"by": actor.label, "at": at, "created_at": at})
    if is_new:
        audit.record(actor=actor, at=at, verb="tick first step", instance=row, new={"code": code})
    return row


@transaction.atomic
def untick(*, code: str, actor: Actor, at: datetime) -> None:
    """Take back that something is done, such as that the list is put away. Doing it again changes nothing."""
    row = FirstStep.objects.filter(code=code).first()
    if row is not None:
        audit.record(actor=actor, at=at, verb="untick first step", instance=row, old={"code": code})
        row.delete()


def send_test_mail(*, to: str, actor: Actor, at: datetime) -> None:
    """Send a short e-mail with the settings that invoices are sent with; note it once it got out.

    Not for use inside a transaction: it talks to the mail server. Raises Invalid where the address is none, or the
    server cannot be reached or refuses, with its words.
    """
    try:
        validate_email(to)
    except ValidationError:
        raise errors.Invalid("validation_errors", "", {"to": ["invalid_email_format"]}) from None
    try:
        mail.EmailMessage("Test of the e-mail settings", _TEXT, to=[to]).send()
    except (OSError, smtplib.SMTPException) as error:
        text = f"The mail server did not take it: {error}. Look at the e-mail settings of the installation."
        raise errors.Invalid("mail_not_sent", text, {"to": ["mail_not_sent"]}) from error
    tick(code=FirstStep.Code.MAIL, actor=actor, at=at)
