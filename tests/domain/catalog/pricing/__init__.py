"""Tests of the charge models."""
