"""Addresses of this app's pages, below ``/portal/<token>/``."""

from django.urls import path

from invoicing.portal import base, documents

urlpatterns = [
    path("invoices", documents.Invoices.as_view(), name="portal-invoices"),
    path("invoices/<uuid:public_id>.pdf", documents.InvoicePdf.as_view(), name="portal-invoice-pdf"),
    path("credit-notes", documents.CreditNotes.as_view(), name="portal-credit-notes"),
    path("credit-notes/<uuid:public_id>.pdf", documents.CreditNotePdf.as_view(), name="portal-credit-note-pdf"),
    path("logo.svg", base.Logo.as_view(), name="portal-logo"),
]
