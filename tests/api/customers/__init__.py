"""Tests of the customers's api."""
