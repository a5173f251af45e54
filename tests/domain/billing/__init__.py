"""Tests of billing's rules."""
