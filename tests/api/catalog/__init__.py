"""Tests of the catalog's api."""
