"""Tests of the customers' rules."""
