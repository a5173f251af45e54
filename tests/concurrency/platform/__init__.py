"""Tests of what happens at the same time in the platform."""
