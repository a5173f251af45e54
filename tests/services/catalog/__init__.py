"""Tests of the catalog's services."""
