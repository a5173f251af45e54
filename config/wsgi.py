"""The WSGI application that a server runs: `granian --interface wsgi config.wsgi:application`."""

import gc
import os

from django.core import wsgi

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = wsgi.get_wsgi_application()

# What is loaded by now stays as long as the process. Looking through all of it for garbage, which happens in the middle
# of some request every now and then, would take longer than most answers do.
gc.collect()
gc.freeze()
