"""Answers that whoever asked may keep and ask for again. Owns the strong ETag and what may be cached."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils import cache
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

IF_NONE_MATCH = OpenApiParameter("If-None-Match", OpenApiTypes.STR, OpenApiParameter.HEADER)

_CACHING = "private, no-cache"
"""Only whoever asked may keep it, and has to ask whether it still holds."""


def answer(request: Request, content: Any) -> HttpResponseBase:
    """Answer with JSON and the ETag of its bytes, or 304 without a body where the request names that ETag."""
    body = msgspec.json.encode(content)
    full = HttpResponse(body, content_type="application/json")
    full["ETag"] = etag = f'"{hashlib.sha256(body).hexdigest()}"'
    full["Cache-Control"] = _CACHING
    full["Vary"] = "Authorization"
    shown: HttpResponseBase = cache.get_conditional_response(request._request, etag=etag, response=full)
    return shown
