"""Tests of the kernel's pure parts."""
