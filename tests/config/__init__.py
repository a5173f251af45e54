"""Tests of the installation itself."""
