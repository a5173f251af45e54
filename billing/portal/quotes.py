"""The page of a quote: whoever has the link reads the offer, accepts or declines it, without an account.

Owns what is shown in which state, and the headers, which are the portal's: nothing is cached or indexed, nothing comes
from elsewhere, no script runs. GET changes nothing; an answer is one POST with the token against forgery.
"""

from __future__ import annotations

import functools
import io
import logging
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone, translation
from django.views.generic import View

from billing.domain.quote_document import QuoteDocument
from billing.models import OrderForm
from billing.portal import quote_forms, quote_states, wrong_links
from billing.portal.quote_forms import AcceptForm, DeclineForm
from billing.services import order_forms, quote_acceptance, quote_document_view, quote_documents
from billing.services.order_forms import Signer
from billing.services.quote_acceptance import Acceptance
from config.kernel import clients, errors, jobs
from config.platform.portal import pages
from customers.domain import accents
from customers.services import portal_links
from invoicing.domain import document_logos

log = logging.getLogger(__name__)

ACCEPT, DECLINE = "accept", "decline"
DECLINE_IDS = "id_decline_%s"
NEAR = timedelta(days=3)


class OfferPage(View):
    """A page of one order form, in the language of its document."""

    http_method_names = ["get", "head", "post", "options"]
    order_form: OrderForm
    has_words = True

    @functools.cached_property
    def document(self) -> QuoteDocument:
        """Return what the quote says."""
        return quote_document_view.of(version=self.order_form.version)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer in the customer's language, or say that the link opens nothing."""
        self.at: datetime = timezone.now()
        self.token = str(kwargs.pop("token"))
        try:
            self.order_form = order_forms.opened(token=self.token, at=self.at)
        except errors.DomainError as refusal:
            return _headed(_refused(request, is_replaced=isinstance(refusal, order_forms.LinkOver)))
        with translation.override(self.document.language if self.has_words else None):
            try:
                response = super().dispatch(request, *args, **kwargs)
            except (errors.DomainError, Http404) as fault:
                log.error("the page of %s cannot be shown: %s", self.order_form.number, type(fault).__name__)
                response = self.outcome(request, quote_states.missing(), HTTPStatus.NOT_FOUND)
            if isinstance(response, TemplateResponse):
                response.render()
        return _headed(response)

    def url(self, name: str) -> str:
        """Return the address of a page of the same link."""
        return reverse(f"quote-{name}", kwargs={"token": self.token})

    def framed(
        self, request: HttpRequest, template: str, content: dict[str, Any], status: int = HTTPStatus.OK
    ) -> TemplateResponse:
        """Show a template in the frame of the seller."""
        seller = self.order_form.version.quote.billing_entity
        frame = {
            "language": translation.get_language(),
            "seller_name": seller.name,
            "seller_email": seller.email,
            "number": self.document.number,
            "theme_url": self.url("theme"),
            "logo_url": self.url("logo") if seller.logo else "",
            "home_url": self.url("offer"),
            "pdf_url": self.url("document") if self.order_form.sha256 else "",
        }
        return TemplateResponse(request, template, {**frame, **content}, status=status)

    def outcome(
        self, request: HttpRequest, shown: quote_states.Outcome, status: int = HTTPStatus.OK
    ) -> TemplateResponse:
        """Show how things stand with a quote that cannot be answered any more."""
        pdf = {} if shown.has_document else {"pdf_url": ""}
        content = {**shown.content(), **pdf, "customer_portal_url": self._portal_url()}
        return self.framed(request, "portal/quote_outcome.html", content, status)

    def _portal_url(self) -> str:
        """Return a link to the customer's portal, for as long after the acceptance as such a link works.

        Whoever accepted may see what came of it; an old e-mail opens no account.
        """
        form = self.order_form
        customer, accepted_at = form.customer, form.decided_at
        if form.state != OrderForm.State.SIGNED or customer is None or accepted_at is None:
            return ""
        if customer.deleted_at is not None or accepted_at + timedelta(hours=settings.PORTAL_LINK_HOURS) <= self.at:
            return ""
        link = portal_links.make(customer=customer, at=self.at)
        return reverse("portal-overview", kwargs={"token": link.token})


class Offer(OfferPage):
    """Read the quote, and answer it."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show the offer with its forms, or how it was answered."""
        return self._shown(request)

    def post(self, request: HttpRequest) -> HttpResponse:
        """Take the answer, and show the page again: it says how things stand."""
        step = request.POST.get("step", "")
        if quote_states.of(self.order_form, self.document, at=self.at) is not None:
            # Answered meanwhile, by the same click or by somebody else: the page says which.
            return HttpResponseRedirect(self.url("offer"))
        if step == ACCEPT:
            return self._accept(request)
        if step == DECLINE:
            return self._decline(request)
        return self._shown(request, status=HTTPStatus.BAD_REQUEST)

    def _accept(self, request: HttpRequest) -> HttpResponse:
        form = self._accept_form(request.POST)
        if not form.is_valid():
            return self._shown(request, form=form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
        values = form.cleaned_data
        answer = Acceptance(
            signer=Signer(
                name=values["signer_name"],
                title=values["signer_title"],
                email=values["signer_email"],
                address=clients.address(request),
                client=clients.agent(request),
            ),
            document_sha256=values["document_sha256"],
            purchase_order_number=values.get("purchase_order_number", ""),
            details=form.details(),
        )
        try:
            quote_acceptance.accept(token=self.token, answer=answer, at=self.at)
        except errors.DomainError as refusal:
            log.warning("the acceptance of %s was refused: %s", self.order_form.number, refusal.code)
            if self._is_over():
                return HttpResponseRedirect(self.url("offer"))
            if not form.refuse(refusal):
                form.add_error(None, quote_states.refusal(refusal, self.document))
            return self._shown(request, form=form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
        return HttpResponseRedirect(self.url("offer"))

    def _decline(self, request: HttpRequest) -> HttpResponse:
        form = DeclineForm(request.POST, auto_id=DECLINE_IDS)
        if not form.is_valid():
            return self._shown(request, decline_form=form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
        signer = Signer(
            name=form.cleaned_data["signer_name"],
            title="",
            email="",
            address=clients.address(request),
            client=clients.agent(request),
        )
        try:
            quote_acceptance.decline(token=self.token, signer=signer, reason=form.cleaned_data["reason"], at=self.at)
        except errors.DomainError as refusal:
            log.warning("the refusal of %s was refused: %s", self.order_form.number, refusal.code)
            if self._is_over():
                return HttpResponseRedirect(self.url("offer"))
            form.add_error("reason", quote_states.refusal(refusal, self.document))
            return self._shown(request, decline_form=form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
        return HttpResponseRedirect(self.url("offer"))

    def _is_over(self) -> bool:
        """Say whether somebody answered, or the quote was withdrawn, since this page was asked for."""
        return OrderForm.objects.filter(pk=self.order_form.pk).exclude(state=OrderForm.State.GENERATED).exists()

    def _shown(
        self,
        request: HttpRequest,
        *,
        form: AcceptForm | None = None,
        decline_form: DeclineForm | None = None,
        status: int = HTTPStatus.OK,
    ) -> TemplateResponse:
        over = quote_states.of(self.order_form, self.document, at=self.at)
        if over is not None:
            return self.outcome(request, over, over.status)
        digest = self.order_form.sha256
        if not digest:
            jobs.enqueue("billing.tasks.render_order_form", order_form_id=self.order_form.pk)
        expires = self.order_form.expires_at
        initial = {"document_sha256": digest}
        content = {
            "quote": self.document,
            "can_answer": bool(digest),
            "waits": not digest,
            "digest": digest,
            "file_name": quote_documents.file_name(order_form=self.order_form),
            "validity_tone": "bad" if expires is not None and expires - self.at < NEAR else "info",
            "form": form or self._accept_form(None),
            "decline_form": decline_form or DeclineForm(initial=initial, auto_id=DECLINE_IDS),
        }
        return self.framed(request, "portal/quote_offer.html", content, status)

    def _accept_form(self, data: Any) -> AcceptForm:
        quote = self.order_form.version.quote
        known = None
        if quote.customer_id is None:
            columns = {name: quote_forms.COLUMNS.get(name, name) for name in quote_forms.DETAILS}
            known = {name: str(quote.prospect.get(column) or "") for name, column in columns.items()}
        initial = {
            "document_sha256": self.order_form.sha256,
            "purchase_order_number": self.document.purchase_order_number,
        }
        return AcceptForm(data, known=known, locale=self.document.conventions, initial=initial)


class Pdf(OfferPage):
    """The document."""

    def get(self, request: HttpRequest) -> HttpResponseBase:
        """Send the file, as long as the quote was not withdrawn."""
        over = quote_states.of(self.order_form, self.document, at=self.at)
        if not self.order_form.sha256 or (over is not None and not over.has_document):
            raise Http404
        return FileResponse(
            io.BytesIO(quote_documents.content(order_form=self.order_form)),
            as_attachment=True,
            filename=quote_documents.file_name(order_form=self.order_form),
            content_type="application/pdf",
        )


class Theme(OfferPage):
    """The seller's colour. A style sheet of its own, because pages may have no styles in them."""

    has_words = False

    def get(self, request: HttpRequest) -> HttpResponse:
        """Send the style sheet."""
        color = accents.checked(self.order_form.version.quote.billing_entity.accent_color)
        text = f":root {{ --accent: {color}; --on-accent: {accents.text_on(color)}; }}\n"
        return HttpResponse(text, content_type="text/css; charset=utf-8")


class Logo(OfferPage):
    """The seller's logo, as harmless as on documents."""

    has_words = False

    def get(self, request: HttpRequest) -> HttpResponse:
        """Send the drawing."""
        drawing = document_logos.clean(self.order_form.version.quote.billing_entity.logo)
        if not drawing:
            raise Http404
        return HttpResponse(drawing, content_type="image/svg+xml")


def _refused(request: HttpRequest, *, is_replaced: bool) -> HttpResponse:
    """Answer a link that opens nothing; of those that never were links an address may try so many."""
    if is_replaced or not wrong_links.count(address=clients.address(request)):
        return quote_states.closed(request, is_replaced=is_replaced)
    answer = quote_states.closed(request, is_replaced=False)
    answer.status_code = HTTPStatus.TOO_MANY_REQUESTS
    answer["Retry-After"] = str(wrong_links.SECONDS)
    return answer


def _headed(response: HttpResponseBase) -> HttpResponseBase:
    for name, value in pages.HEADERS.items():
        response[name] = value
    return response
