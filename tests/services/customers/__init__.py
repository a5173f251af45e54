"""Tests of the customers's services."""
