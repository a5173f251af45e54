"""Who looked at personal data. Written only while the installation says so; append-only, and purged by age."""

from django.db import models

from config.kernel import db


class PersonalDataView(db.Base):
    """A person opened a page with personal data, or took a file of it. No field of the data itself is kept.

    ``page`` says which kind of page: the object's own, a list, a search or a file. ``object_id`` is null for what is
    about many, and ``term`` then has what was searched for. ``user_id`` is no foreign key: it outlives the account.
    """

    class Page(models.TextChoices):
        OBJECT = "object", "page"
        LIST = "list", "list"
        SEARCH = "search", "search"
        FILE = "file", "file"

    at = models.DateTimeField()
    user_id = models.BigIntegerField()
    user_label = models.CharField(max_length=255)
    page = models.CharField(max_length=16, choices=Page.choices)
    object_type = models.CharField(max_length=64)
    object_id = models.BigIntegerField(null=True)
    object_label = models.CharField(max_length=255, blank=True, default="")
    path = models.CharField(max_length=512)
    term = models.CharField(max_length=255, blank=True, default="")
    address = models.CharField(max_length=64, blank=True, default="")
    client = models.CharField(max_length=512, blank=True, default="")

    class Meta:
        verbose_name = "look at personal data"
        verbose_name_plural = "looks at personal data"
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["-at", "-id"], name="platform_view_at"),
            models.Index(fields=["object_type", "object_id", "-at"], name="platform_view_object"),
            models.Index(fields=["user_id", "-at"], name="platform_view_user"),
        ]

    def __str__(self) -> str:
        return f"{self.user_label}: {self.object_label or self.get_page_display()}"
