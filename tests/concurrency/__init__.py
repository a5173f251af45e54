"""Tests of one layer; the path mirrors the code."""
