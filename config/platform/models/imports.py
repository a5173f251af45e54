"""Files that were imported: what was uploaded, row by row, what each row would do and what became of it."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from config.kernel import db


class ImportFile(db.Base):
    """A file with rows to be written. ``kind`` is a code of the register of `config.platform.services.import_kinds`.

    ``headers`` are the headings of the file, ``columns`` says which of them (by its place) is which column of the kind.
    ``layout`` is how figures and days are written in it, ``options`` what was chosen for the kind. ``digest`` is the
    SHA-256 of the file as it was sent. Long after, the rows are emptied of what stood in them: ``forgotten_at``.
    """

    class Status(models.TextChoices):
        UPLOADED = "uploaded", "columns to choose"
        CHECKING = "checking", "being checked"
        CHECKED = "checked", "checked, nothing written"
        WRITING = "writing", "being written"
        DONE = "done", "written"
        ABANDONED = "abandoned", "put aside"

    kind = models.CharField(max_length=32)
    file_name = models.CharField(max_length=255)
    digest = models.CharField(max_length=64)
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.UPLOADED)
    headers = models.JSONField(default=list)
    columns = models.JSONField(default=dict)
    layout = models.JSONField(default=dict)
    options = models.JSONField(default=dict)
    is_all_or_nothing = models.BooleanField(default=False)
    remark = models.TextField(blank=True, default="")
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    uploaded_label = models.CharField(max_length=255)
    confirmed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    confirmed_label = models.CharField(max_length=255, blank=True, default="")
    confirmed_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    forgotten_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "import"
        verbose_name_plural = "imports"
        ordering = ["-created_at", "-id"]
        permissions = [
            ("import_customers", "Can import customers"),
            ("import_plans", "Can import plans"),
            ("import_prices", "Can import prices"),
            ("import_opening_balances", "Can import opening balances"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~Q(status__in=["writing", "done"]) | Q(confirmed_at__isnull=False),
                name="platform_import_confirmed",
            ),
        ]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="platform_import_at"),
            models.Index(fields=["digest"], name="platform_import_digest"),
            models.Index(
                fields=["id"], condition=Q(status__in=["checking", "writing"]), name="platform_import_running"
            ),
        ]

    def __str__(self) -> str:
        return self.file_name


class ImportRow(db.Base):
    """A row of a file. ``number`` is its row in the file, ``cells`` what stands in it, ``key`` what it is about.

    ``outcome`` is what it would do, as it was checked last; ``written_at`` says that it was done. ``changes`` are
    lists of column, old and new. ``column`` is the one that is wrong.
    """

    class Outcome(models.TextChoices):
        PENDING = "pending", "not checked yet"
        NEW = "new", "new"
        CHANGED = "changed", "changed"
        UNCHANGED = "unchanged", "unchanged"
        REFUSED = "refused", "refused"

    file = models.ForeignKey(ImportFile, on_delete=models.PROTECT, related_name="rows")
    number = models.PositiveIntegerField()
    cells = models.JSONField(default=list)
    key = models.CharField(max_length=600, blank=True, default="")
    outcome = models.CharField(max_length=16, choices=Outcome.choices, default=Outcome.PENDING)
    column = models.CharField(max_length=255, blank=True, default="")
    message = models.TextField(blank=True, default="")
    changes = models.JSONField(default=list)
    object_type = models.CharField(max_length=64, blank=True, default="")
    object_id = models.BigIntegerField(null=True)
    object_label = models.CharField(max_length=255, blank=True, default="")
    written_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "row of an import"
        verbose_name_plural = "rows of imports"
        ordering = ["file", "number"]
        constraints = [
            models.UniqueConstraint(fields=["file", "number"], name="platform_import_row_number"),
            models.CheckConstraint(
                condition=Q(written_at__isnull=True) | Q(outcome__in=["new", "changed", "unchanged"]),
                name="platform_import_row_written",
            ),
        ]
        indexes = [
            models.Index(fields=["file", "outcome", "number"], name="platform_import_row_outcome"),
            models.Index(fields=["file", "key", "number"], name="platform_import_row_key"),
            models.Index(fields=["object_type", "object_id"], name="platform_import_row_object"),
        ]

    def __str__(self) -> str:
        return f"{self.file}, row {self.number}"
