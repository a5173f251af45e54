"""To whom a document is e-mailed once more, as it comes in."""

from __future__ import annotations

from rest_framework import serializers

from config.platform.api.serializers import RequestSerializer, Text

_MOST = 50


class EmailRequest(RequestSerializer):
    """To whom a document is e-mailed; the customer's addresses where nobody is named."""

    to = serializers.ListField(child=Text(), required=False, allow_null=True, max_length=_MOST)
    cc = serializers.ListField(child=Text(), required=False, allow_null=True, max_length=_MOST)
    bcc = serializers.ListField(child=Text(), required=False, allow_null=True, max_length=_MOST)
