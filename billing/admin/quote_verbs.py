"""What can be done about a quote in the house: submit it, approve or reject it, send it, copy it to a new version, void
it. Each shows first what it is about; what the customer says is `quote_answer_verbs`'.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.http import HttpRequest
from django.urls import reverse

from billing.admin import quote_blocks
from billing.domain import quote_terms
from billing.models import Quote, QuoteApproval, QuoteVersion
from billing.queries import quote_lists, quotes
from billing.services import order_forms, quote_approvals, quote_rows, quote_versions
from config.kernel import errors
from config.kernel.actors import Actor
from config.platform.admin import cells, theme
from config.platform.admin.blocks import Block, Fact, Facts, Note, Row, Table, columns
from config.platform.admin.cells import Tone
from config.platform.admin.forms import VerbForm
from config.platform.admin.verbs import ObjectVerb, Outcome

State = QuoteVersion.State
LIVING = (State.DRAFT, State.IN_APPROVAL, State.APPROVED, State.SENT)
OFFERED = (State.APPROVED, State.SENT)


def newest(quote: Quote) -> QuoteVersion:
    """The newest version of a quote, at hand where the quote was fetched with its versions. Raises NotFound."""
    found = next(iter(quote.versions.all()), None)
    if found is None:
        raise errors.NotFound("quote_version_not_found", "The quote has no version.")
    return found


class QuoteVerb(ObjectVerb):
    """What verbs of a quote share: they are about its newest version, in the states that allow it."""

    permission = "billing.change_quote"
    states: tuple[str, ...] = (State.DRAFT,)

    def check(self, *, instance: Quote, at: datetime) -> None:
        """The state of the newest version has to allow it."""
        version = newest(instance)
        if version.state not in self.states:
            raise errors.NotAllowed(
                "invalid_quote_state", f"A quote that is {version.get_state_display()} does not allow it."
            )

    def preview(self, *, instance: Quote, at: datetime) -> Sequence[Block]:
        """What it comes to."""
        view = quotes.view(newest(instance))
        return (quote_blocks.figures(view, today=quote_rows.today(instance, at)),)


class Submit(QuoteVerb):
    """Freeze a draft, and ask for the consents that it needs."""

    name = "submit"
    label = "Submit"
    icon = "send_and_archive"
    variant = theme.ActionVariant.PRIMARY
    explanation = (
        "The version freezes with the prices of today, and whoever has to agree is asked. Without anybody to ask it is "
        "approved at once, and can be sent."
    )
    confirm = "Submit it"

    def preview(self, *, instance: Quote, at: datetime) -> Sequence[Block]:
        """What it comes to, and whose consent it needs. Raises DomainError for what is missing."""
        version = quotes.version_of(version_id=newest(instance).pk)
        terms = quote_terms.read(version.terms)
        totals = quote_versions.calculate(quote=version.quote, terms=terms, at=at, currency=version.currency)
        needed = quote_versions.consents(quote=version.quote, terms=terms, totals=totals)
        rows = tuple(Row((one.group, one.cause)) for one in needed)
        empty = "Nobody's consent is needed: it is approved at once."
        table = Table("Consents that it needs", columns("Who", "Why"), rows, empty=empty)
        return (*super().preview(instance=instance, at=at), table)

    def perform(self, *, instance: Quote, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Submit it."""
        version = quote_versions.submit(version_id=newest(instance).pk, actor=actor, at=at)
        if version.state != State.IN_APPROVAL:
            return Outcome("It is approved: send it to the customer.")
        groups = ", ".join(dict.fromkeys(version.approvals.values_list("group__name", flat=True)))
        return Outcome(f"It waits for {groups}.")


class RemarkForm(VerbForm):
    """What an approver says beside the consent."""

    remark = forms.CharField(
        required=False, max_length=1000, widget=forms.Textarea(attrs={"rows": 2}), help_text="Kept with the approval."
    )


class RejectForm(VerbForm):
    """Why it is not agreed to."""

    remark = forms.CharField(
        label="Reason", max_length=200, widget=forms.Textarea(attrs={"rows": 2}), help_text="Whoever made it reads it."
    )


class Decision(QuoteVerb):
    """What approving and rejecting share: open consents, and what they are about."""

    permission = "billing.approve_quote"
    states = (State.IN_APPROVAL,)

    def offered(self, request: HttpRequest, instance: Quote, *, at: datetime) -> bool:
        """It is offered to those alone whose consent is asked for."""
        if not super().offered(request, instance, at=at):
            return False
        return bool(quote_lists.approvals_for(person=request.user).filter(version__quote=instance).exists())

    def preview(self, *, instance: Quote, at: datetime) -> Sequence[Block]:
        """Why it needs a consent, and all that is offered."""
        view = quotes.view(newest(instance))
        rows = tuple(Row((one.group, one.cause)) for one in view.approvals if one.state == QuoteApproval.State.PENDING)
        table = Table("Why it needs a consent", columns("Who", "Why"), rows)
        return (table, *super().preview(instance=instance, at=at), *quote_blocks.offer(view))


class Approve(Decision):
    """Agree to a quote of somebody else."""

    name = "approve"
    label = "Approve"
    icon = "check_circle"
    variant = theme.ActionVariant.PRIMARY
    explanation = (
        "You agree to what your groups are asked for. With the last consent the document is made, and it can be sent. "
        "Nobody approves their own."
    )
    confirm = "I agree"
    form_class = RemarkForm

    def perform(self, *, instance: Quote, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Give every consent that is the person's to give."""
        version = quote_approvals.approve_all(
            version_id=newest(instance).pk, remark=values["remark"], actor=actor, at=at
        )
        if version.state == State.IN_APPROVAL:
            return Outcome("Your consent is noted; others are still asked.")
        return Outcome("It is approved and can be sent.")


class Reject(Decision):
    """Refuse to agree to a quote of somebody else."""

    name = "reject"
    label = "Reject"
    icon = "cancel"
    variant = theme.ActionVariant.DANGER
    explanation = "The version is voided with your reason. It can be copied to a new version, and changed."
    confirm = "Reject it"
    form_class = RejectForm

    def perform(self, *, instance: Quote, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Refuse the first open consent that is the person's to give, or be told whose it is."""
        waiting = list(newest(instance).approvals.filter(state=QuoteApproval.State.PENDING).order_by("pk"))
        mine = [one for one in waiting if quote_approvals.may_decide(approval=one, actor=actor)]
        if not waiting:
            raise errors.NotAllowed("approval_is_decided", "Nothing is asked any more.")
        chosen = (mine or waiting)[0]
        quote_approvals.reject(approval_id=chosen.pk, remark=values["remark"], actor=actor, at=at)
        return Outcome("It was rejected, and the version voided.")


class SendForm(VerbForm):
    """To whom, and with which words."""

    sections = (("", ("to", "message")),)

    to = forms.CharField(label="To", max_length=1024, help_text="E-mail addresses, several with commas between.")
    message = forms.CharField(
        required=False, max_length=5000, widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Stands at the top of the e-mail, above what the quote comes to.",
    )  # fmt: skip


class Send(QuoteVerb):
    """Send the document with its link to the customer."""

    name = "send"
    label = "Send"
    icon = "send"
    variant = theme.ActionVariant.PRIMARY
    permission = "billing.send_quote"
    states = OFFERED
    explanation = (
        "The customer gets the document and a link to a page where it can be read, accepted or declined. A link that "
        "was sent before ends."
    )
    confirm = "Send it"
    form_class = SendForm

    def title(self, *, instance: Quote) -> str:
        """Once it was sent, it is sent again."""
        return "Send again" if newest(instance).state == State.SENT else self.label

    def initial(self, *, instance: Quote, at: datetime) -> Mapping[str, Any]:
        """The customer's address."""
        return {"to": quotes.party(instance).email}

    def preview(self, *, instance: Quote, at: datetime) -> Sequence[Block]:
        """The document, and what the e-mail will say."""
        version = quotes.version_of(version_id=newest(instance).pk)
        view = quotes.view(version)
        pdf = reverse("admin:billing_quote_pdf", args=[instance.pk])
        mail = Facts(
            "The e-mail",
            (
                Fact("Document", cells.link(f"{view.number}, version {view.version_number}", pdf)),
                Fact("Answers go to", view.owner_email or view.seller.email or cells.EMPTY),
                Fact("Language", view.locale or "en"),
                Fact("What it says", "your words, what it comes to, until when it is valid, and the link"),
            ),
        )
        return (*super().preview(instance=instance, at=at), mail)

    def perform(self, *, instance: Quote, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Send it."""
        to = [one.strip() for one in values["to"].split(",") if one.strip()]
        form = quote_versions.order_form_of(newest(instance))
        if form is None:
            raise errors.NotFound("order_form_not_found", "The quote has no order form yet.")
        sent = order_forms.send(order_form_id=form.pk, to=to, message=values["message"], actor=actor, at=at)
        return Outcome(f"{sent.order_form.number} is on its way to {', '.join(to)}.")


class NewVersion(QuoteVerb):
    """Copy the newest version to a draft that takes its place."""

    name = "new_version"
    label = "New version"
    icon = "difference"
    states = (State.IN_APPROVAL, State.APPROVED, State.SENT, State.DECLINED, State.EXPIRED, State.VOIDED)
    explanation = (
        "A draft that says the same at the prices of today, to change and submit anew. The version that is out is "
        "voided, and its link ends."
    )
    confirm = "Copy it to a new version"

    def perform(self, *, instance: Quote, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Copy it, and go on in the editor."""
        version = quote_versions.clone(version_id=newest(instance).pk, actor=actor, at=at)
        url = reverse("admin:billing_quote_edit", args=[instance.pk])
        return Outcome(f"Version {version.number} is a draft now.", url)


class VoidForm(VerbForm):
    """Why it is not offered any more."""

    reason = forms.CharField(
        max_length=200, widget=forms.Textarea(attrs={"rows": 2}), help_text="Kept with the version."
    )


class Void(QuoteVerb):
    """Take the offer back."""

    name = "void"
    label = "Void"
    icon = "block"
    variant = theme.ActionVariant.DANGER
    states = LIVING
    explanation = "It is not offered any more: open consents and the customer's link end. It can be copied later."
    confirm = "Void it"
    form_class = VoidForm

    def preview(self, *, instance: Quote, at: datetime) -> Sequence[Block]:
        """What it is about, and who was told of it."""
        found = list(super().preview(instance=instance, at=at))
        if newest(instance).state == State.SENT:
            text = "The customer has the link already, and will read that it is not valid any more."
            found.append(Note(text, Tone.WARN))
        return found

    def perform(self, *, instance: Quote, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Void the version."""
        quote_versions.void(version_id=newest(instance).pk, reason=values["reason"], actor=actor, at=at)
        return Outcome("It was voided.")
