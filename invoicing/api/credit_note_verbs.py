"""Verbs of one credit note: void what is left of it, download, send it again, and its metadata note by note."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from config.kernel import errors
from config.platform.api import params, schema
from invoicing.api import credit_note_requests, credit_note_shapes
from invoicing.api.credit_notes import CreditNoteView
from invoicing.api.email_requests import EmailRequest
from invoicing.models import CreditNote
from invoicing.queries import credit_notes as known
from invoicing.services import credit_note_dispatch, credit_note_documents, credit_note_metadata, credit_notes

_ANSWER = schema.answer("credit_note", credit_note_shapes.CreditNoteShape)
_METADATA = credit_note_shapes.CreditNoteMetadataAnswer


class VoidCreditNote(CreditNoteView):
    """The verb void."""

    @extend_schema(operation_id="voidCreditNote", request=None, responses=_ANSWER)
    def put(self, request: Request, lago_id: str) -> Response:
        """Take back what is left of a credit."""
        note = known.find(params.uuid(lago_id))
        credit_notes.void(credit_note_id=note.pk, actor=self.actor(request), at=self.at())
        return self.shown(request, note.pk)


class DownloadCreditNote(CreditNoteView):
    """The verb download."""

    reads = ("post",)

    @extend_schema(operation_id="downloadCreditNote", request=None, responses=_ANSWER)
    def post(self, request: Request, lago_id: str) -> Response:
        """Return the credit note with its ``file_url``, or nothing while the file is being made: ask again then."""
        note = known.find(params.uuid(lago_id))
        if not credit_note_documents.is_rendered(note=note):
            return Response(status=200)
        return self.shown(request, note.pk)


@extend_schema_view(post=extend_schema(operation_id="downloadCreditNotePdf"))
class DownloadCreditNotePdf(DownloadCreditNote):
    """The verb download by its longer name."""


class DownloadCreditNoteXml(CreditNoteView):
    """The verb download of the electronic credit note."""

    @extend_schema(operation_id="downloadCreditNoteXml", request=None, responses=_ANSWER)
    def post(self, request: Request, lago_id: str) -> Response:
        """Refuse: no electronic invoices are made."""
        known.find(params.uuid(lago_id))
        raise errors.Forbidden("feature_unavailable", "No electronic invoices are made.")


class ResendCreditNote(CreditNoteView):
    """The verb send again."""

    @extend_schema(
        operation_id="resendCreditNoteEmail",
        request=EmailRequest,
        responses={200: None},
    )
    def post(self, request: Request, lago_id: str) -> Response:
        """E-mail the credit note: to the addresses given, else to the customer's."""
        note = known.find(params.uuid(lago_id))
        content = self.checked(request.data or {}, EmailRequest)
        credit_note_dispatch.send_again(
            credit_note_id=note.pk,
            to=content.get("to") or (),
            cc=content.get("cc") or (),
            bcc=content.get("bcc") or (),
            actor=self.actor(request),
            at=self.at(),
        )
        return Response(status=200)


class CreditNoteMetadata(CreditNoteView):
    """All notes of a credit note."""

    @extend_schema(
        operation_id="replaceCreditNoteMetadata",
        request=credit_note_requests.CreditNoteMetadataRequest,
        responses={200: _METADATA},
    )
    def post(self, request: Request, lago_id: str) -> Response:
        """Make these the notes, in place of all that there were."""
        note = known.find(params.uuid(lago_id))
        return _told(
            credit_note_metadata.replace(
                credit_note_id=note.pk,
                metadata=self._sent(request),
                actor=self.actor(request),
                at=self.at(),
            )
        )

    @extend_schema(
        operation_id="mergeCreditNoteMetadata",
        request=credit_note_requests.CreditNoteMetadataRequest,
        responses={200: _METADATA},
    )
    def patch(self, request: Request, lago_id: str) -> Response:
        """Set these notes, and leave the others."""
        note = known.find(params.uuid(lago_id))
        return _told(
            credit_note_metadata.merge(
                credit_note_id=note.pk,
                metadata=self._sent(request),
                actor=self.actor(request),
                at=self.at(),
            )
        )

    @extend_schema(operation_id="deleteAllCreditNoteMetadata", responses={200: _METADATA})
    def delete(self, request: Request, lago_id: str) -> Response:
        """Remove all notes."""
        note = known.find(params.uuid(lago_id))
        return _told(
            credit_note_metadata.replace(credit_note_id=note.pk, metadata={}, actor=self.actor(request), at=self.at())
        )

    def _sent(self, request: Request) -> dict[str, str]:
        return dict(self.checked(request.data, credit_note_requests.CreditNoteMetadataRequest)["metadata"])


class OneCreditNoteMetadata(CreditNoteView):
    """One note of a credit note."""

    @extend_schema(operation_id="deleteCreditNoteMetadataKey", responses={200: _METADATA})
    def delete(self, request: Request, lago_id: str, key: str) -> Response:
        """Remove one note. 404 where there is none of this key."""
        note = known.find(params.uuid(lago_id))
        return _told(
            credit_note_metadata.remove(credit_note_id=note.pk, key=key, actor=self.actor(request), at=self.at())
        )


def _told(note: CreditNote) -> Response:
    return Response({"metadata": note.metadata or None})
