"""The description of the API and the page that shows it. Owns serving both; the description is generated from the
views and finished in ``config.platform.api.schema_hooks``.
"""

from __future__ import annotations

import functools

from django.http import HttpRequest, HttpResponse
from django.utils import cache
from django.views.decorators.http import require_safe
from drf_spectacular import renderers
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.views import SpectacularSwaggerSplitView

_FORMATS = {"json": "application/json", "yaml": "application/yaml"}


@require_safe
def description(request: HttpRequest) -> HttpResponse:
    """Send the description: as YAML, or as JSON with ``format=json`` or where the client accepts JSON alone.

    It is generated once per process, as it takes a while and changes with the program alone.
    """
    wanted = request.GET.get("format", "")
    if wanted not in _FORMATS:
        accepted = request.headers.get("Accept", "")
        wanted = "json" if "json" in accepted and "yaml" not in accepted else "yaml"
    response = HttpResponse(rendered(wanted), content_type=_FORMATS[wanted])
    response["Cache-Control"] = "no-cache"
    cache.patch_vary_headers(response, ["Accept"])
    cache.set_response_etag(response)
    found: HttpResponse = cache.get_conditional_response(request, etag=response["ETag"], response=response)
    return found


@functools.cache
def rendered(wanted: str) -> bytes:
    """Return the description in a format, ``json`` or ``yaml``."""
    document = SchemaGenerator().get_schema(request=None, public=True)
    renderer = renderers.OpenApiJsonRenderer() if wanted == "json" else renderers.OpenApiYamlRenderer()
    text: bytes = renderer.render(document, renderer_context={})
    return text


class Page(SpectacularSwaggerSplitView):
    """The page. Its script is at an address of its own: the security policy refuses inline scripts."""

    url_name = "schema"

    def _get_schema_url(self, request: HttpRequest) -> str:
        return f"{super()._get_schema_url(request)}?format=json"
