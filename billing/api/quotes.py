"""``/quotes`` and ``/quote_versions``: what is offered to customers, and the verbs on it.

A key may make, change and submit quotes. A consent of a person is given by a person, in the admin.
"""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api import quote_forms, quote_shapes
from billing.api.quote_forms import (
    QuoteChanges,
    QuoteRequest,
    QuoteSendRequest,
    QuoteVersionRequest,
    QuoteVoidRequest,
)
from billing.api.quote_shapes import OrderFormAnswer, QuoteAnswer, QuoteVersionAnswer
from billing.domain import quote_terms
from billing.models import OrderForm, Quote, QuoteVersion
from billing.queries import quotes as known
from billing.services import order_forms, quote_versions, quotes
from billing.services.quotes import QuoteValues
from config.kernel import errors
from config.platform.api import pagination, params, schema, views

ROOT, LIST = "quote", "quotes"
VERSION, VERSIONS = "quote_version", "quote_versions"


class QuoteView(views.ApiView):
    """Shared by the views of quotes and their versions."""

    resource = "quote"

    def shown(self, key: str) -> Response:
        """Answer with a quote."""
        (content,) = quote_shapes.quotes([known.find(key=key)])
        return Response({ROOT: content})

    def version(self, lago_id: str) -> QuoteVersion:
        """Return a version by its id. Raises QuoteNotFound."""
        public_id = params.uuid(lago_id)
        row = None if public_id is None else _versions().filter(uuid=public_id).first()
        if row is None:
            raise known.QuoteNotFound("quote_version_not_found", "There is no such version of a quote.")
        return row

    def shown_version(self, public_id: UUID) -> Response:
        """Answer with a version."""
        (content,) = quote_shapes.versions([self.version(str(public_id))])
        return Response({VERSION: content})


class Quotes(QuoteView):
    """All quotes."""

    @extend_schema(
        parameters=schema.filters("external_customer_id", "search_term", many=("kind", "state")),
        responses=schema.page(LIST, QuoteAnswer),
    )
    def get(self, request: Request) -> Response:
        """List quotes, newest first."""
        rows = known.found(
            kinds=tuple(params.texts(request, "kind", allowed=Quote.Kind.values)),
            states=tuple(params.texts(request, "state", allowed=QuoteVersion.State.values)),
            external_customer_id=params.text(request, "external_customer_id") or "",
            text=params.text(request, "search_term") or "",
        ).prefetch_related("versions__approvals__group")
        return pagination.paginated(request, rows, LIST, quote_shapes.quotes)

    @extend_schema(request=schema.body(ROOT, QuoteRequest), responses=schema.answer(ROOT, QuoteAnswer))
    def post(self, request: Request) -> Response:
        """Make a quote with its first version, a draft."""
        at = self.at()
        values = self.body(request, ROOT, QuoteRequest)
        made = quotes.create(new=quote_forms.quote(values), actor=self.actor(request), at=at)
        return self.shown(made.number)


class OneQuote(QuoteView):
    """One quote, by its id or number."""

    @extend_schema(responses=schema.answer(ROOT, QuoteAnswer))
    def get(self, request: Request, lago_id: str) -> Response:
        """Show a quote with its newest version."""
        return self.shown(lago_id)

    @extend_schema(request=schema.changes(ROOT, QuoteChanges), responses=schema.answer(ROOT, QuoteAnswer))
    def put(self, request: Request, lago_id: str) -> Response:
        """Change what is said of a quote; what it offers is in its versions."""
        at = self.at()
        found = known.find(key=lago_id)
        values = self.body(request, ROOT, QuoteChanges, partial=True)
        wanted = QuoteValues()
        if values.get("name"):
            wanted["name"] = values["name"]
        if "prospect" in values:
            wanted["prospect"] = values["prospect"]
        quotes.update(quote_id=found.pk, values=wanted, actor=self.actor(request), at=at)
        return self.shown(found.number)


class QuoteVersions(QuoteView):
    """The versions of a quote."""

    @extend_schema(parameters=schema.PAGE, responses=schema.page(VERSIONS, QuoteVersionAnswer))
    def get(self, request: Request, lago_id: str) -> Response:
        """List the versions of a quote, newest first."""
        rows = _versions().filter(quote=known.find(key=lago_id)).order_by("-number")
        return pagination.paginated(request, rows, VERSIONS, quote_shapes.versions)


class OneQuoteVersion(QuoteView):
    """One version."""

    @extend_schema(responses=schema.answer(VERSION, QuoteVersionAnswer))
    def get(self, request: Request, lago_id: str) -> Response:
        """Show a version with its terms and the consents that it needs."""
        return self.shown_version(self.version(lago_id).uuid)

    @extend_schema(
        request=schema.changes(VERSION, QuoteVersionRequest), responses=schema.answer(VERSION, QuoteVersionAnswer)
    )
    def put(self, request: Request, lago_id: str) -> Response:
        """Change a draft. Terms are given as a whole; what is not sent stays."""
        at = self.at()
        found = self.version(lago_id)
        values = self.body(request, VERSION, QuoteVersionRequest, partial=True)
        given = values.get("terms")
        quote_versions.change(
            version_id=found.pk,
            terms=quote_terms.read(found.terms) if given is None else quote_forms.terms(given),
            introduction=values.get("introduction", found.introduction),
            valid_until=values.get("valid_until", found.valid_until),
            currency=values.get("currency", ""),
            seen=quote_versions.seen_of(found),
            actor=self.actor(request),
            at=at,
        )
        return self.shown_version(found.uuid)


class QuoteVersionTotals(QuoteView):
    """What a version comes to."""

    @extend_schema(operation_id="findQuoteVersionTotals", responses={200: OpenApiTypes.OBJECT})
    def get(self, request: Request, lago_id: str) -> Response:
        """Show what a version comes to, phase by phase: amounts in major units, before tax and without usage.

        Null as long as a draft cannot be priced.
        """
        return Response({"totals": self.version(lago_id).figures or None})


class QuoteVersionSubmission(QuoteView):
    """Submitting a draft."""

    @extend_schema(
        operation_id="submitQuoteVersion", request=None, responses=schema.answer(VERSION, QuoteVersionAnswer)
    )
    def post(self, request: Request, lago_id: str) -> Response:
        """Freeze a draft and ask for the consents that the approval rules want; without any it is approved."""
        found = self.version(lago_id)
        quote_versions.submit(version_id=found.pk, actor=self.actor(request), at=self.at())
        return self.shown_version(found.uuid)


class QuoteVersionApproval(QuoteView):
    """Approving a version that needs nobody's consent."""

    @extend_schema(
        operation_id="approveQuoteVersion", request=None, responses=schema.answer(VERSION, QuoteVersionAnswer)
    )
    def post(self, request: Request, lago_id: str) -> Response:
        """Approve a draft: its order form is generated. One that needs the consent of a person is refused."""
        found = self.version(lago_id)
        quote_versions.approve_freely(version_id=found.pk, actor=self.actor(request), at=self.at())
        return self.shown_version(found.uuid)


class QuoteVersionVoid(QuoteView):
    """Voiding a version."""

    @extend_schema(
        operation_id="voidQuoteVersion",
        request=schema.body(VERSION, QuoteVoidRequest),
        responses=schema.answer(VERSION, QuoteVersionAnswer),
    )
    def post(self, request: Request, lago_id: str) -> Response:
        """Void a version that nobody accepted or declined, with its order form."""
        at = self.at()
        found = self.version(lago_id)
        values = self.checked(quote_forms.sent(request, VERSION), QuoteVoidRequest)
        reason = values.get("void_reason") or "manual"
        quote_versions.void(version_id=found.pk, reason=reason, actor=self.actor(request), at=at)
        return self.shown_version(found.uuid)


class QuoteVersionClone(QuoteView):
    """Another version."""

    @extend_schema(operation_id="cloneQuoteVersion", request=None, responses=schema.answer(VERSION, QuoteVersionAnswer))
    def post(self, request: Request, lago_id: str) -> Response:
        """Make the next version with the same terms, a draft; the one that is current is voided."""
        found = self.version(lago_id)
        made = quote_versions.clone(version_id=found.pk, actor=self.actor(request), at=self.at())
        return self.shown_version(made.uuid)


class QuoteVersionSending(QuoteView):
    """Sending a version to the customer."""

    @extend_schema(
        operation_id="sendQuoteVersion",
        request=schema.body(VERSION, QuoteSendRequest),
        responses=schema.answer("order_form", OrderFormAnswer),
    )
    def post(self, request: Request, lago_id: str) -> Response:
        """Send an approved version by e-mail, with a link to accept or decline it. Earlier links end."""
        at = self.at()
        found = self.version(lago_id)
        values = self.body(request, VERSION, QuoteSendRequest)
        form = OrderForm.objects.filter(version=found).first()
        if form is None:
            raise errors.NotAllowed("quote_is_not_approved", "A version is sent once it is approved.")
        order_forms.send(
            order_form_id=form.pk,
            to=values["to"],
            message=values.get("message", ""),
            actor=self.actor(request),
            at=at,
        )
        (content,) = quote_shapes.order_forms([known.order_form(key=form.number)])
        return Response({"order_form": content})


def _versions() -> QuerySet[QuoteVersion]:
    return QuoteVersion.objects.select_related("quote__billing_entity").prefetch_related("approvals__group")
