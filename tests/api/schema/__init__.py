"""Tests of the description of the API, and of the API by its description."""
