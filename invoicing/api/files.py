"""The files of documents, by links that anybody can follow who was given one, for a day.

A link is signed and names one document; it is handed out inside the API's answers only. Files themselves are never
served from a folder.
"""

from __future__ import annotations

import io
from pathlib import PurePosixPath

from django.core import signing
from django.http import FileResponse, Http404
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from config.platform.api.public import PublicSite
from config.platform.api.views import ApiView
from invoicing.models import Document
from invoicing.services import documents

SALT = "invoicing.document"
LINK_SECONDS = 24 * 3600


def link(request: Request | PublicSite, document: Document) -> str:
    """Return an absolute address of a document that works for a day."""
    token = signing.dumps(str(document.uuid), salt=SALT)
    name = PurePosixPath(document.file.name).name
    return str(request.build_absolute_uri(reverse("document-file", kwargs={"token": token, "name": name})))


class DocumentFile(ApiView):
    """The file behind a link. Needs no key: the link is one."""

    resource = None

    authentication_classes = []
    permission_classes = []

    @extend_schema(
        operation_id="downloadFile",
        auth=[],
        responses={(200, "application/pdf"): OpenApiTypes.BINARY, (200, "text/csv"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, token: str, name: str) -> FileResponse:
        """Send the file. 404 for a link that is over or was tampered with."""
        try:
            public_id = signing.loads(token, salt=SALT, max_age=LINK_SECONDS)
        except signing.BadSignature:
            raise Http404 from None
        document = Document.objects.filter(uuid=public_id).first()
        if document is None:
            raise Http404
        response = FileResponse(
            io.BytesIO(documents.content(document=document)),
            filename=name,
            content_type=documents.CONTENT_TYPES[Document.Kind(document.kind)],
        )
        response["Cache-Control"] = "private, no-store"
        return response
