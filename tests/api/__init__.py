"""Tests of the API, told through HTTP."""
