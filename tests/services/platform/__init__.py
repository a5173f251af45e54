"""Tests of the platform's services."""
