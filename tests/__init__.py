"""The test suite: its paths mirror the code."""
