"""Tests of the search's pure parts."""
