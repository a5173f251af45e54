"""How taxes look in the API. Whether a tax is the installation's default is added by the app that knows sellers."""

from __future__ import annotations

from rest_framework import serializers

from config.platform.api.serializers import Constant, Instant, Part, Rate, TextOrNull


class TaxAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """A tax; ``rate`` is in percent."""

    lago_id = serializers.UUIDField(source="uuid")
    name = serializers.CharField()
    code = serializers.CharField()
    rate = Rate()
    description = TextOrNull()
    legal_note = TextOrNull(help_text="An addition: printed on documents on which the tax stands.")
    applied_to_organization = Part("catalog.tax", "applied_to_organization", value=False)
    add_ons_count = Constant(0)
    customers_count = Constant(0)
    plans_count = Constant(0)
    charges_count = Constant(0)
    commitments_count = Constant(0)
    created_at = Instant()
