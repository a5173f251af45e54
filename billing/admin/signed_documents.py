"""The scan of an order form that came back signed on paper, for staff who may see order forms. Owns this one view."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpRequest, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.urls import reverse

from billing.models import Order
from billing.services import signed_documents
from config.kernel import errors

NAME = "signed_document"
PERMISSION = "billing.view_orderform"


def address(order: Order) -> str:
    """Return where the scan is, below the admin; nothing where there is none."""
    return reverse(f"admin:billing_order_{NAME}", args=[order.pk]) if order.order_form.signed_document else ""


def view(request: HttpRequest, object_id: int) -> HttpResponseBase:
    """Send the scan as a file to be kept: what somebody uploaded is not opened as a page of the admin."""
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET"])
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    order = Order.objects.select_related("order_form").filter(pk=object_id).first()
    if order is None or not order.order_form.signed_document:
        raise Http404
    form = order.order_form
    try:
        file = signed_documents.opened(order_form=form)
    except errors.NotFound:
        raise Http404 from None
    ending = form.signed_document.name.rpartition(".")[2]
    response = FileResponse(file, as_attachment=True, filename=f"{form.number}-signed.{ending}")
    response["Content-Type"] = signed_documents.CONTENT_TYPES.get(ending, "application/octet-stream")
    return response
