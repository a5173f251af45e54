"""Deterministic makers of rows and plain values, shared by all tests. Nothing random, nothing hidden."""
