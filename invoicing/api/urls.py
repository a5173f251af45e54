"""Routes of this app's part of the API, below ``/api/v1/``."""

from django.urls import path

from invoicing.api import credit_notes, fees, files, invoices, payments, prepaid_credits

urlpatterns = [
    path("invoices", invoices.Invoices.as_view()),
    path("invoices/<str:lago_id>", invoices.OneInvoice.as_view()),
    path("invoices/<str:lago_id>/finalize", invoices.FinalizeInvoice.as_view()),
    path("invoices/<str:lago_id>/refresh", invoices.RefreshInvoice.as_view()),
    path("invoices/<str:lago_id>/void", invoices.VoidInvoice.as_view()),
    path("invoices/<str:lago_id>/download", invoices.DownloadInvoice.as_view()),
    path("invoices/<str:lago_id>/download_pdf", invoices.DownloadInvoicePdf.as_view()),
    path("customers/<path:external_id>/invoices", invoices.CustomerInvoices.as_view()),
    path("customers/<path:external_id>/payments", payments.CustomerPayments.as_view()),
    path("customers/<path:external_id>/credit_notes", credit_notes.CustomerCreditNotes.as_view()),
    path("customers/<path:external_id>/prepaid_credits", prepaid_credits.CustomerPrepaidCredits.as_view()),
    path("credit_notes", credit_notes.CreditNotes.as_view()),
    path("credit_notes/estimate", credit_notes.EstimateCreditNote.as_view()),
    path("credit_notes/<str:lago_id>", credit_notes.OneCreditNote.as_view()),
    path("credit_notes/<str:lago_id>/void", credit_notes.VoidCreditNote.as_view()),
    path("payments", payments.Payments.as_view()),
    path("payments/<str:lago_id>", payments.OnePayment.as_view()),
    path("fees", fees.Fees.as_view()),
    path("fees/<str:lago_id>", fees.OneFee.as_view()),
    path("files/<str:token>/<str:name>", files.DocumentFile.as_view(), name="document-file"),
]
