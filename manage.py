#!/usr/bin/env python3
"""Run a management command from a checkout: `.venv/bin/python manage.py COMMAND`."""

from config import command_line

if __name__ == "__main__":
    command_line.main()
