"""Tests of the services and queries: they write and read a real database."""
