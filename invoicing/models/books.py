"""Checks of the books: each run, what each check of it came to, and the rows that broke one. What was found is kept."""

from django.db import models
from django.db.models import F, Q

from config.kernel import db


class BooksCheck(db.Base):
    """One run of all checks at the clock ``as_of``. ``since``, ``sample`` and ``seed`` are what it was asked to look
    at.

    ``checks_count`` is how many checks are done, of ``checks_total``. One that could not be run counts as broken.
    """

    class Status(models.TextChoices):
        RUNNING = "running", "running"
        PASSED = "passed", "in order"
        FAILED = "failed", "with findings"

    as_of = models.DateTimeField()
    trigger = models.CharField(max_length=255)
    since = models.DateTimeField(null=True)
    sample = models.PositiveIntegerField()
    seed = models.PositiveBigIntegerField()
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.RUNNING)
    finished_at = models.DateTimeField(null=True, editable=False)
    milliseconds = models.PositiveBigIntegerField(default=0)
    checks_total = models.PositiveIntegerField(default=0)
    checks_count = models.PositiveIntegerField(default=0)
    broken_count = models.PositiveIntegerField(default=0)
    findings_count = models.PositiveBigIntegerField(default=0)

    class Meta:
        verbose_name = "books check"
        ordering = ["-id"]
        permissions = [("run_bookscheck", "Can run a books check")]
        constraints = [
            models.CheckConstraint(
                condition=Q(status="running", finished_at__isnull=True)
                | Q(status="passed", finished_at__isnull=False, broken_count=0, checks_count=F("checks_total"))
                | Q(status="failed", finished_at__isnull=False, broken_count__gt=0),
                name="invoicing_books_check_status",
            ),
        ]

    def __str__(self) -> str:
        return f"Books check {self.pk}"


class BooksCheckResult(db.Base):
    """What one check of a run came to: how many rows it looked at and how many broke it, or why it could not be run."""

    class Status(models.TextChoices):
        PASSED = "passed", "holds"
        FAILED = "failed", "broken"
        ERROR = "error", "could not be run"

    books_check = models.ForeignKey(BooksCheck, on_delete=models.PROTECT, related_name="results")
    position = models.PositiveIntegerField()
    name = models.CharField(max_length=64)
    title = models.CharField(max_length=255)
    proves = models.TextField()
    is_sampled = models.BooleanField(default=False)
    status = models.CharField(max_length=16, choices=Status.choices)
    looked_at = models.PositiveBigIntegerField(default=0)
    findings_count = models.PositiveBigIntegerField(default=0)
    milliseconds = models.PositiveBigIntegerField(default=0)
    error = models.TextField(blank=True, default="")

    class Meta:
        verbose_name = "result of a books check"
        verbose_name_plural = "results of books checks"
        ordering = ["books_check", "position"]
        constraints = [
            models.UniqueConstraint(fields=["books_check", "name"], name="invoicing_books_result_once"),
            models.CheckConstraint(
                condition=Q(status="passed", findings_count=0)
                | Q(status="failed", findings_count__gt=0)
                | Q(status="error", findings_count=0),
                name="invoicing_books_result_status",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class BooksFinding(db.Base):
    """One row that broke a check: "invoicing.invoice" and its id, say, what it is called, and what is wrong with it."""

    result = models.ForeignKey(BooksCheckResult, on_delete=models.PROTECT, related_name="findings")
    subject_type = models.CharField(max_length=64)
    subject_id = models.BigIntegerField()
    label = models.CharField(max_length=255)
    message = models.TextField()

    class Meta:
        verbose_name = "finding of a books check"
        verbose_name_plural = "findings of books checks"
        ordering = ["id"]
        indexes = [models.Index(fields=["subject_type", "subject_id"], name="invoicing_books_subject")]

    def __str__(self) -> str:
        return f"{self.label}: {self.message}"
