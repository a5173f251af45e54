"""Reads: querysets and plain values for the domain. Nothing here writes."""
