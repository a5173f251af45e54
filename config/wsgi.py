"""The WSGI application that a server runs: `granian --interface wsgi config.wsgi:application`."""

import os

from django.core import wsgi

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = wsgi.get_wsgi_application()
