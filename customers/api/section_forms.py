"""How custom sections look in the API, in and out."""

from __future__ import annotations

from rest_framework import serializers

from config.platform.api.serializers import RequestSerializer, Text, TextOrNull
from config.platform.queries import installation
from customers.models import InvoiceCustomSection


class SectionRequest(RequestSerializer):
    """A custom section as it comes in."""

    code = Text(required=True)
    name = Text(required=True)
    description = Text(max_length=10_000)
    display_name = Text()
    details = Text(max_length=10_000)


class SectionAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """A custom section."""

    lago_id = serializers.UUIDField(source="uuid")
    code = serializers.CharField()
    name = serializers.CharField()
    description = TextOrNull()
    details = TextOrNull()
    display_name = TextOrNull()
    organization_id = serializers.SerializerMethodField()

    def get_organization_id(self, section: InvoiceCustomSection) -> str:
        """Return the installation's public id, read once per answer."""
        if "organization_id" not in self.context:
            self.context["organization_id"] = str(installation.current().uuid)
        return str(self.context["organization_id"])
