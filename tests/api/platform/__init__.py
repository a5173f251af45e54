"""Tests of the platform's api."""
