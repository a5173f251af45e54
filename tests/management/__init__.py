"""Tests of the management commands: they write and read a real database."""
