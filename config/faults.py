"""What a caller sees of a fault of the server: JSON from the API, a page elsewhere. The log tells why."""

from django.http import HttpRequest, HttpResponseBase
from django.views import defaults

from config.platform.api import errors


def answer(request: HttpRequest) -> HttpResponseBase:
    """Answer 500."""
    if request.path.startswith("/api/"):
        return errors.server_error(request)
    return defaults.server_error(request)
