"""The command line `quittance`, which `manage.py` calls too."""

import os
import sys

from django.core import management


def main() -> None:
    """Run the management command named on the command line, with this installation's settings."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    management.execute_from_command_line(sys.argv)
