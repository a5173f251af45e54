"""What the customer said outside of the page that the link opens, as staff write it down: a signature on paper, shown
with what it makes, and a refusal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django import forms

from billing.admin import quote_verbs
from billing.admin.quote_verbs import QuoteVerb
from billing.models import Order, OrderForm, Quote, QuoteVersion
from billing.queries import quotes
from billing.services import acceptance_previews, order_forms, quote_versions, signatures
from billing.services.acceptance_previews import Foreseen
from billing.services.order_forms import Signer
from billing.services.signed_documents import SignedDocument
from config.kernel import actors, errors
from config.kernel.actors import Actor
from config.platform.admin import cells
from config.platform.admin.blocks import Block, Note, Row, Table, columns
from config.platform.admin.cells import Tone
from config.platform.admin.forms import VerbForm
from config.platform.admin.verbs import Outcome

State = QuoteVersion.State
BYTES = "image/jpeg,image/png,application/pdf"


class SignatureForm(VerbForm):
    """Who signed, the document that came back, and when it is executed."""

    sections = (
        ("Who signed", ("name", "title", "email", "purchase_order_number")),
        ("What came back", ("document",)),
        ("What is made of it", ("mode",)),
    )
    aliases = {"signed_document": "document", "execution_mode": "mode"}

    name = forms.CharField(max_length=255)
    title = forms.CharField(label="Position", max_length=255, required=False)
    email = forms.EmailField(label="E-mail", max_length=1024, required=False)
    purchase_order_number = forms.CharField(label="Purchase order", max_length=255, required=False)
    document = forms.FileField(
        label="Signed document",
        required=False,
        widget=forms.FileInput(attrs={"accept": BYTES, "class": "q-quote-file"}),
        help_text="PDF, JPEG or PNG, at most ten megabytes.",
    )
    mode = forms.ChoiceField(label="Now", choices=Order.Mode.choices, initial=Order.Mode.EXECUTE)


class RecordSignature(QuoteVerb):
    """Record that the customer signed on paper."""

    name = "sign"
    label = "Record a signature"
    icon = "draw"
    permission = "billing.sign_quote"
    states = quote_verbs.OFFERED
    explanation = (
        "The customer signed on paper. It counts as an acceptance on the page of the link does: contract, "
        "subscriptions, credits and the first invoice are made, all of it or nothing."
    )
    confirm = "It was signed"
    form_class = SignatureForm
    is_late = False

    def check(self, *, instance: Quote, at: datetime) -> None:
        """Before the last day is over a signature is recorded, afterwards a late one."""
        super().check(instance=instance, at=at)
        if signatures.is_late(order_form=_order_form(instance), at=at) != self.is_late:
            words = "The offer is valid still: record a signature."
            words = words if self.is_late else "The last day is over: record a late signature."
            raise errors.NotAllowed("invalid_quote_state", words)

    def preview(self, *, instance: Quote, at: datetime) -> Sequence[Block]:
        """What it comes to, and what it would make now: done and undone. Raises DomainError for what cannot be made."""
        shown = super().preview(instance=instance, at=at)
        form = _order_form(instance)
        found = acceptance_previews.preview(order_form=form, actor=actors.job("acceptance_preview"), at=at)
        return (*shown, *would_be(found))

    def perform(self, *, instance: Quote, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Record it."""
        upload = values["document"]
        form = order_forms.record_signature(
            order_form_id=_order_form(instance).pk,
            signer=Signer(name=values["name"], title=values["title"], email=values["email"]),
            document=None if upload is None else SignedDocument(upload.read()),
            mode=values["mode"],
            purchase_order_number=values["purchase_order_number"],
            signed_on=values.get("signed_on"),
            actor=actor,
            at=at,
        )
        order = Order.objects.filter(order_form=form).first()
        made = "" if order is None or order.contract is None else f" {order.contract} was made."
        return Outcome(f"The signature of {form.signer_name} was recorded.{made}")


class LateSignatureForm(SignatureForm):
    """A signature that came back after the last day: when it was given, with the document."""

    sections = (
        ("Who signed", ("name", "title", "email", "purchase_order_number")),
        ("What came back", ("signed_on", "document")),
        ("What is made of it", ("mode",)),
    )

    signed_on = forms.DateField(label="Signed on", help_text="The day beside the signature, until the last day.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["document"].required = True


class RecordLateSignature(RecordSignature):
    """Record a signature on paper that came back after the last day, and was given before."""

    name = "sign_late"
    label = "Record a late signature"
    permission = "billing.sign_late_quote"
    states = (*quote_verbs.OFFERED, State.EXPIRED)
    explanation = (
        "The customer signed in time, and the paper came back after the last day. With the day and the document it "
        "counts; what has no day of its own starts today."
    )
    form_class = LateSignatureForm
    is_late = True


class RefusalForm(VerbForm):
    """Who declined, and why."""

    name = forms.CharField(max_length=255)
    reason = forms.CharField(max_length=1000, widget=forms.Textarea(attrs={"rows": 2}))


class RecordRefusal(QuoteVerb):
    """Record that the customer declined."""

    name = "decline"
    label = "Record a refusal"
    icon = "thumb_down"
    permission = "billing.sign_quote"
    states = quote_verbs.OFFERED
    explanation = "The customer does not want it. The link ends; a new version can be made of it."
    confirm = "It was declined"
    form_class = RefusalForm

    def initial(self, *, instance: Quote, at: datetime) -> Mapping[str, Any]:
        """The customer."""
        return {"name": quotes.party(instance).name}

    def perform(self, *, instance: Quote, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Record it."""
        order_forms.decline(
            order_form_id=_order_form(instance).pk,
            reason=values["reason"],
            signer=Signer(name=values["name"]),
            actor=actor,
            at=at,
        )
        return Outcome("The refusal was recorded.")


def would_be(found: Foreseen) -> tuple[Block, ...]:
    """What an acceptance would make: the contract, and the first invoices line by line."""
    blocks: list[Block] = []
    if found.contract is not None:
        until = cells.day_text(found.contract.ends_on)
        blocks.append(Note(f"A contract from {cells.day_text(found.contract.starts_on)} to {until}.", Tone.INFO))
    rows: list[Row] = []
    for invoice in found.invoices:
        rows.append(Row((f"Invoice of {cells.day_text(invoice.issuing_date)}", "", ""), is_group=True))
        rows += [Row((line.label, cells.number(line.units), cells.money(line.amount))) for line in invoice.lines.all()]
        rows.append(Row(("Total with tax, less credits", "", cells.money(invoice.total_amount)), is_total=True))
    heads = columns("Line", "Units#", "Amount#")
    empty = "Nothing is invoiced on the first day."
    return (*blocks, Table("First invoice, as it would be today", heads, tuple(rows), empty=empty))


def _order_form(quote: Quote) -> OrderForm:
    form = quote_versions.order_form_of(quote_verbs.newest(quote))
    if form is None:
        raise errors.NotFound("order_form_not_found", "The quote has no order form yet.")
    return form
